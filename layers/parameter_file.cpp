#include "layers/parameter_file.hpp"

namespace espalier {
namespace {

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
    ++wanted;
  });
  require(wanted == archive.tensors.size(), ErrorKind::kCorrupt, name, "holds ",
          archive.tensors.size(), " tensors, the model has ", wanted);
  visit_tensors(model, [&](const std::string& tensor, Tensor& t) {
    t.copy_from(archive.tensors.at(tensor));
  });
}

void save_parameters(Layer& model, const std::filesystem::path& path) {
  save_archive(parameters_of(model), path);
}

void load_parameters(Layer& model, const std::filesystem::path& path) {
  set_parameters(model, load_archive(path), path.string());
}

}  // namespace espalier
