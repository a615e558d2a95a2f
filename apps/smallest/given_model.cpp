#include "apps/smallest/given_model.hpp"

#include "apps/smallest/networks.hpp"
#include "layers/model_json.hpp"

namespace espalier::apps {

GivenModel given_model(const std::string& name, const datasets::Dataset& data, std::uint64_t seed) {
  const Shape image = data.image_shape();
  GivenModel given;
  if (name.ends_with(".json")) {
    ModelJson file = load_model_json(name, {.seed = seed});
    require(file.input == image, name, "/input: the data's images are ", image, ", got ",
            file.input);
    given = {std::move(file.model), file.labels};
  } else {
    const NetworkKind& kind = network_kind(name);
    Rng rng(seed, "init");
    given.model = make_network(kind, kind.widths, {image, data.classes()}, rng);
  }
  const Shape output = given.model.output_shape(image);
  require(output == Shape{data.classes()}, name, "the network ends in ", output, ", the data has ",
          data.classes(), " classes");
  return given;
}

}  // namespace espalier::apps
