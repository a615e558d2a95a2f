#include "layers/parameter_file.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>

#include "core/base/file.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;
namespace {

bool equal(Layer& a, Layer& b) {
  std::vector<Tensor> left, right;
  const auto into = [](std::vector<Tensor>& to) {
    return Visitor{
        .parameter = [&to](const std::string&, Parameter& p) { to.push_back(p.latent().value()); },
        .state = [&to](const std::string&, Tensor& t) { to.push_back(t); }};
  };
  a.visit(into(left));
  b.visit(into(right));
  bool same = left.size() == right.size();
  for (std::size_t i = 0; same && i < left.size(); ++i)
    same = std::memcmp(left[i].data(), right[i].data(), left[i].bytes()) == 0;
  return same;
}

}  // namespace

TEST_CASE("parameters and state come back bit for bit; another model's file changes nothing") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("espalier_parameters." + std::to_string(::getpid()) + ".safetensors");
  Sequential first = small_model(1), second = small_model(2), fresh = small_model(2);
  save_parameters(first, path);
  CHECK(!equal(first, second));
  load_parameters(second, path);
  CHECK(equal(first, second));

  Sequential other = large_model(1);
  CHECK_THROWS_WITH_AS(load_parameters(other, path), doctest::Contains("conv1.weight"), Error);
  save_parameters(other, path);
  CHECK_THROWS_AS(load_parameters(fresh, path), Error);
  Sequential untouched = small_model(2);
  CHECK(equal(fresh, untouched));
  write_file(path, "no archive");
  CHECK_THROWS_AS(load_parameters(fresh, path), Error);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(load_parameters(fresh, path), Error);
}
