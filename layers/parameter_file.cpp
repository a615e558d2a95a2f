#include "layers/parameter_file.hpp"

#include "core/archive/archive.hpp"

namespace espalier {
namespace {

template <class Visit>
void visit_tensors(Layer& model, Visit visit) {
  model.visit({.parameter = [&](const std::string& name,
                                Parameter& p) { visit(name, p.latent().mutable_value()); },
               .state = visit});
}

}  // namespace

void save_parameters(Layer& model, const std::filesystem::path& path) {
  Archive archive;
  visit_tensors(model, [&](const std::string& name, Tensor& t) { archive.tensors[name] = t; });
  save_archive(archive, path);
}

void load_parameters(Layer& model, const std::filesystem::path& path) {
  Archive archive = load_archive(path);
  std::size_t wanted = 0;
  visit_tensors(model, [&](const std::string& name, Tensor& t) {
    const auto found = archive.tensors.find(name);
    require(found != archive.tensors.end(), ErrorKind::kCorrupt, path.string(), "has no tensor ",
            name, "; it was written by another model");
    const Tensor& stored = found->second;
    require(stored.shape() == t.shape() && stored.dtype() == t.dtype(), ErrorKind::kCorrupt,
            path.string(), name, " is ", stored.dtype(), " ", stored.shape(), ", the model wants ",
            t.dtype(), " ", t.shape());
    ++wanted;
  });
  require(wanted == archive.tensors.size(), ErrorKind::kCorrupt, path.string(), "holds ",
          archive.tensors.size(), " tensors, the model has ", wanted);
  visit_tensors(model,
                [&](const std::string& name, Tensor& t) { t.copy_from(archive.tensors.at(name)); });
}

}  // namespace espalier
