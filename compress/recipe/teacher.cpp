#include "compress/recipe/teacher.hpp"

#include <memory>

#include "layers/network_file.hpp"
#include "optim/training/distillation.hpp"

namespace espalier::recipe {

Sequential load_teacher(const Distill& distill, const datasets::Dataset& data) {
  const std::string& file = distill.teacher;
  require(!file.ends_with(".esp"), ErrorKind::kCorrupt, file,
          "is a packed model, and a teacher is a network in float: espalier train --weights FILE "
          "keeps one");
  const Archive archive = load_archive(file);
  require(!is_under_way(archive), ErrorKind::kCorrupt, file,
          "is the checkpoint of a run under way; a teacher is a network that has ended its "
          "training: espalier train --weights FILE keeps one");
  ModelJson network = network_of(archive, file);
  require(network.input == data.image_shape(), file, "the teacher takes ", network.input,
          ", the data's images are ", data.image_shape());
  const Shape answers = network.model.output_shape(network.input);
  require(answers == Shape{data.classes()}, file, "the teacher answers ", answers,
          ", the data has ", data.classes(), " classes; take a teacher of the same classes");
  return std::move(network.model);
}

training::Loss distilled_loss(const Distill& distill, const datasets::Dataset& data) {
  const auto teacher = std::make_shared<Sequential>(load_teacher(distill, data));
  const auto distillation = std::make_shared<training::Distillation>(
      [teacher](const Tensor& images) { return (*teacher)(Variable(images)).value(); },
      training::Distillation::Options{.temperature = distill.temperature,
                                      .weight = distill.weight});
  return [distillation](const Variable& logits, const datasets::Batch& batch) {
    return distillation->loss(logits, batch);
  };
}

}  // namespace espalier::recipe
