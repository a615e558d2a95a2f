#include "layers/parameter_file.hpp"

#include <algorithm>
#include <cmath>

namespace espalier {
namespace {

// Where the value number `flat` stands: "[2, 0, 1]".
std::string index_text(const Shape& shape, std::int64_t flat) {
  std::string text = "]";
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(flat % shape[axis]) + text;
    if (axis > 0) text = ", " + text;
    flat /= shape[axis];
  }
  return "[" + text;
}

template <class Visit>
void visit_tensors(Layer& model, Visit visit) {
  model.visit({.parameter = [&](const std::string& name,
                                Parameter& p) { visit(name, p.latent().mutable_value()); },
               .state = visit});
}

}  // namespace

Archive parameters_of(Layer& model) {
  Archive archive;
  visit_tensors(model, [&](const std::string& name, Tensor& t) { archive.tensors[name] = t; });
  return archive;
}

void set_parameters(Layer& model, const Archive& archive, const std::string& name) {
  std::size_t wanted = 0;
  visit_tensors(model, [&](const std::string& tensor, Tensor& t) {
    const auto found = archive.tensors.find(tensor);
    require(found != archive.tensors.end(), ErrorKind::kCorrupt, name, "has no tensor ", tensor,
            "; it was written by another model");
    const Tensor& stored = found->second;
    require(stored.shape() == t.shape() && stored.dtype() == t.dtype(), ErrorKind::kCorrupt, name,
            tensor, " is ", stored.dtype(), " ", stored.shape(), ", the model wants ", t.dtype(),
            " ", t.shape());
    require_finite(stored, tensor, name);
    ++wanted;
  });
  require(wanted == archive.tensors.size(), ErrorKind::kCorrupt, name, "holds ",
          archive.tensors.size(), " tensors, the model has ", wanted);
  visit_tensors(model, [&](const std::string& tensor, Tensor& t) {
    t.copy_from(archive.tensors.at(tensor));
  });
}

void require_finite(const Tensor& tensor, const std::string& tensor_name, const std::string& file) {
  if (tensor.dtype() != DType::kFloat32) return;
  const auto values = tensor.values();
  const auto found = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
  require(found == values.end(), ErrorKind::kCorrupt, file, tensor_name,
          found == values.end() ? "" : index_text(tensor.shape(), found - values.begin()), " is ",
          found == values.end() ? 0 : *found,
          ", and weights must be finite: its training diverged, or the file is damaged; save those "
          "of an earlier epoch, or train again at a lower learning rate");
}

void save_parameters(Layer& model, const std::filesystem::path& path) {
  save_archive(parameters_of(model), path);
}

void load_parameters(Layer& model, const std::filesystem::path& path) {
  set_parameters(model, load_archive(path), path.string());
}

}  // namespace espalier
