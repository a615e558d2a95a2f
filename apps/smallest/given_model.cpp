#include "apps/smallest/given_model.hpp"

#include "layers/model_json.hpp"

namespace espalier::apps {

GivenModel given_model(const std::string& name, const datasets::Dataset& data, std::uint64_t seed) {
  const Shape image = data.image_shape();
  GivenModel given;
  if (name.ends_with(".json")) {
    ModelJson file = load_model_json(name, {.seed = seed});
    require(file.input == image, name, "/input: the data's ",
            image[0] == 1 && image[1] == 1 ? "rows" : "images", " are ", image, ", got ",
            file.input);
    given = {std::move(file.model), file.labels};
  } else {
    const NetworkKind& kind = network_kind(name);
    Rng rng(seed, "init");
    given.model = make_network(kind, kind.widths, {image, data.classes()}, rng);
  }
  const Shape output = given.model.output_shape(image);
  require(output == Shape{data.classes()}, name, "the network ends in ", output, ", the data has ",
          data.classes(), " classes; give its last layer ", data.classes(), " units");
  return given;
}

std::string network_json(const std::string& name, const Task& task) {
  const NetworkKind& kind = network_kind(name);
  Rng rng(1, "init");
  return format_model_json(make_network(kind, kind.widths, task, rng), task.image, name);
}

}  // namespace espalier::apps
