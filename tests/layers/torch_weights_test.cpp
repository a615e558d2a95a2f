// A PyTorch network's weights in a model of ours: the same answers, whatever the layouts; and what does
// not fit is named.
#include "layers/torch_weights.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "layers/model_json.hpp"

using namespace espalier;
namespace {

using Tensors = std::map<std::string, Tensor>;

Tensor drawn(Shape shape, Rng& rng, float from = -1, float to = 1) {
  Tensor t(std::move(shape));
  for (float& v : t.mutable_values()) v = rng.uniform(from, to);
  return t;
}

// What torch.nn.Sequential(Conv2d(2, 3, 3, padding=1), BatchNorm2d(3, eps=1e-3), ReLU(), Conv2d(3, 3,
// 3, groups=3, bias=False), ReLU(), Flatten(), Linear(36, 5), ReLU(), Dropout(), ReLU(), Linear(5, 4))
// has, on pictures of 6 x 5.
Tensors state_dict() {
  Rng rng(1, "data");
  Tensors t;
  t["net.0.weight"] = drawn({3, 2, 3, 3}, rng);
  t["net.0.bias"] = drawn({3}, rng);
  t["net.1.weight"] = drawn({3}, rng);
  t["net.1.bias"] = drawn({3}, rng);
  t["net.1.running_mean"] = drawn({3}, rng);
  t["net.1.running_var"] = drawn({3}, rng, 0.5f, 2);
  t["net.1.num_batches_tracked"] = Tensor(Shape{}, DType::kInt32);
  t["net.3.weight"] = drawn({3, 1, 3, 3}, rng);
  t["net.6.weight"] = drawn({5, 36}, rng);
  t["net.6.bias"] = drawn({5}, rng);
  t["net.10.weight"] = drawn({4, 5}, rng);
  t["net.10.bias"] = drawn({4}, rng);
  return t;
}

const char kModel[] = R"({"input": [6, 5, 2], "layers": [
    {"type": "Conv2d", "name": "conv", "filters": 3, "kernel_size": 3, "padding": 1},
    {"type": "BatchNorm", "name": "norm"}, {"type": "Relu"},
    {"type": "DepthwiseConv2d", "name": "depthwise", "kernel_size": 3, "activation": "relu"},
    {"type": "Flatten"}, {"type": "Dense", "name": "hidden", "units": 5, "activation": "relu"},
    {"type": "Dense", "name": "output", "units": 4}]})";

float at(const Tensor& t, std::initializer_list<std::int64_t> index) {
  std::int64_t flat = 0;
  int axis = 0;
  for (const std::int64_t i : index) flat = flat * t.shape()[axis++] + i;
  return t.values()[static_cast<std::size_t>(flat)];
}

// [C H W], as PyTorch computes it; groups: C or 1.
Tensor convolved(const Tensor& x, const Tensor& w, const Tensor* bias, std::int64_t pad,
                 std::int64_t groups) {
  const std::int64_t kh = w.shape()[2], kw = w.shape()[3], h = x.shape()[1], wide = x.shape()[2];
  Tensor y({w.shape()[0], h + 2 * pad - kh + 1, wide + 2 * pad - kw + 1});
  std::size_t to = 0;
  for (std::int64_t o = 0; o < y.shape()[0]; ++o)
    for (std::int64_t r = 0; r < y.shape()[1]; ++r)
      for (std::int64_t c = 0; c < y.shape()[2]; ++c) {
        float sum = bias ? at(*bias, {o}) : 0;
        for (std::int64_t i = 0; i < w.shape()[1]; ++i)
          for (std::int64_t dr = 0; dr < kh; ++dr)
            for (std::int64_t dc = 0; dc < kw; ++dc) {
              const std::int64_t row = r + dr - pad, column = c + dc - pad;
              if (row < 0 || column < 0 || row >= h || column >= wide) continue;
              sum += at(w, {o, i, dr, dc}) * at(x, {groups == 1 ? i : o, row, column});
            }
        y.mutable_values()[to++] = sum;
      }
  return y;
}

std::vector<float> linear(std::span<const float> x, const Tensor& w, const Tensor& bias) {
  std::vector<float> y;
  for (std::int64_t o = 0; o < w.shape()[0]; ++o) {
    float sum = at(bias, {o});
    for (std::int64_t i = 0; i < w.shape()[1]; ++i)
      sum += at(w, {o, i}) * x[static_cast<std::size_t>(i)];
    y.push_back(sum);
  }
  return y;
}

template <class Values>
void relu(Values&& values) {
  for (float& v : values) v = std::max(v, 0.0f);
}

// The network on a picture [C H W], with our epsilon.
std::vector<float> torch_logits(const Tensors& t, const Tensor& picture) {
  Tensor x = convolved(picture, t.at("net.0.weight"), &t.at("net.0.bias"), 1, 1);
  const std::int64_t pixels = x.shape()[1] * x.shape()[2];
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const std::int64_t c = i / pixels;
    float& v = x.mutable_values()[static_cast<std::size_t>(i)];
    v = (v - at(t.at("net.1.running_mean"), {c})) /
            std::sqrt(at(t.at("net.1.running_var"), {c}) + 1e-3f) * at(t.at("net.1.weight"), {c}) +
        at(t.at("net.1.bias"), {c});
  }
  relu(x.mutable_values());
  x = convolved(x, t.at("net.3.weight"), nullptr, 0, 3);
  relu(x.mutable_values());
  auto y = linear(x.values(), t.at("net.6.weight"), t.at("net.6.bias"));
  relu(y);
  return linear(y, t.at("net.10.weight"), t.at("net.10.bias"));
}

float farthest(ModelJson& ours, const Tensors& theirs) {
  Rng rng(2, "data");
  const Tensor picture = drawn({2, 6, 5}, rng);
  Tensor image({1, 6, 5, 2});
  std::size_t to = 0;
  for (std::int64_t r = 0; r < 6; ++r)
    for (std::int64_t c = 0; c < 5; ++c)
      for (std::int64_t channel = 0; channel < 2; ++channel)
        image.mutable_values()[to++] = at(picture, {channel, r, c});
  const Tensor got = ours.model(Variable(image)).value();
  const std::vector<float> wanted = torch_logits(theirs, picture);
  float most = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    most = std::max(most, std::abs(got.values()[i] - wanted[i]));
  return most;
}

TorchReport put(ModelJson& model, Tensors tensors, const TorchMap& map = {}) {
  return set_torch_weights(model.model, model.input, {std::move(tensors), {}}, "net.st", map);
}

void refuses(const Tensors& tensors, const std::string& map, const std::string& part) {
  ModelJson model = parse_model_json(kModel, "m");
  const ModelJson before = parse_model_json(kModel, "m");
  try {
    put(model, tensors, parse_torch_map(map, "map.json"));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCorrupt);
    CHECK_MESSAGE(std::string(error.what()).find(part) != std::string::npos, error.what());
  }
  std::vector<float> a, b;
  const auto values = [](std::vector<float>& all) {
    return Visitor{.parameter = [&](const std::string&, Parameter& p) {
      all.insert(all.end(), p.latent().value().values().begin(), p.latent().value().values().end());
    }};
  };
  model.model.visit(values(a));
  const_cast<Sequential&>(before.model).visit(values(b));
  CHECK(a == b);  // nothing was half done
}

}  // namespace

TEST_CASE("by shape and by name: the network answers as PyTorch's does") {
  ModelJson model = parse_model_json(kModel, "m");
  CHECK(farthest(model, state_dict()) > 0.1f);
  const TorchReport report = put(model, state_dict());
  CHECK(farthest(model, state_dict()) < 1e-4f);
  std::vector<std::string> modules;
  for (const TorchMatch& match : report.matches) {
    modules.push_back(match.layer + " " + match.module);
    CHECK(match.how == TorchMatch::How::kShape);
  }
  CHECK(modules == std::vector<std::string>{"conv net.0", "norm net.1", "depthwise net.3",
                                            "hidden net.6", "output net.10"});
  CHECK(report.unused.empty());

  Tensors named;
  for (const auto& [name, tensor] : state_dict()) {
    const auto dot = name.rfind('.');
    const std::map<std::string, std::string> names = {{"net.0", "module.conv"},
                                                      {"net.1", "module.norm"},
                                                      {"net.3", "module.depthwise"},
                                                      {"net.6", "hidden"},
                                                      {"net.10", "output"}};
    named[names.at(name.substr(0, dot)) + name.substr(dot)] = tensor;
  }
  ModelJson second = parse_model_json(kModel, "m");
  for (const TorchMatch& match : put(second, named).matches)
    CHECK(match.how == TorchMatch::How::kNamed);
  CHECK(farthest(second, state_dict()) < 1e-4f);
}

TEST_CASE("layers of one shape follow the numbers of the names, not their letters") {
  const char* text = R"({"input": [4], "layers": [
    {"type": "Dense", "name": "a", "units": 4}, {"type": "Dense", "name": "b", "units": 4},
    {"type": "Dense", "name": "c", "units": 4}]})";
  ModelJson model = parse_model_json(text, "m");
  Tensors tensors;
  for (const char* name : {"2", "10", "9"})
    tensors[std::string(name) + ".weight"] = Tensor::full({4, 4}, std::stof(name));
  const TorchReport report = put(model, tensors);
  std::vector<std::string> modules;
  for (const TorchMatch& match : report.matches) {
    CHECK(match.how == TorchMatch::How::kOrder);
    modules.push_back(match.module);
  }
  CHECK(modules == std::vector<std::string>{"2", "9", "10"});
  // A map goes first, and the bias, which is not there, is 0.
  const TorchReport mapped = put(model, tensors, {{"a", "10"}, {"b.weight", "2.weight"}});
  modules.clear();
  for (const TorchMatch& match : mapped.matches) modules.push_back(match.module);
  CHECK(modules == std::vector<std::string>{"10", "2", "9"});
  model.model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    const std::map<std::string, float> wanted = {
        {"a.weight", 10}, {"b.weight", 2}, {"c.weight", 9}};
    CHECK(p.latent().value().values()[3] == (wanted.contains(name) ? wanted.at(name) : 0));
  }});
}

TEST_CASE("batch norm behind a flatten changes places with its features") {
  ModelJson model = parse_model_json(
      R"({"input": [2, 1, 3], "layers": [{"type": "Flatten"}, {"type": "BatchNorm", "name": "n"}]})",
      "m");
  Tensors tensors;
  for (const char* own : {"n.weight", "n.bias", "n.running_mean", "n.running_var"})
    tensors[own] = Tensor::from({6}, {0, 1, 2, 3, 4, 5});  // c0h0 c0h1 c1h0 ...
  put(model, tensors);
  int seen = 0;
  const auto check = [&](const Tensor& t) {
    ++seen;
    CHECK(std::ranges::equal(t.values(), std::vector<float>{0, 2, 4, 1, 3, 5}));
  };
  model.model.visit(
      {.parameter = [&](const std::string&, Parameter& p) { check(p.latent().value()); },
       .state = [&](const std::string&, Tensor& t) { check(t); }});
  CHECK(seen == 4);
}

TEST_CASE("a layer may keep its values; what is left over is told") {
  ModelJson model = parse_model_json(kModel, "m");
  Tensors tensors = state_dict();
  tensors["net.10.weight"] = Tensor({1000, 5});
  tensors["net.10.bias"] = Tensor({1000});
  const TorchReport report = put(model, tensors, {{"output", {}}});
  CHECK(report.kept == std::vector<std::string>{"output"});
  CHECK(report.unused == std::vector<std::string>{"net.10.bias [1000]", "net.10.weight [1000x5]"});
}

TEST_CASE("what does not fit is named, with both shapes and the remedy") {
  Tensors wide = state_dict();
  wide["net.0.weight"] = Tensor({4, 2, 3, 3});
  refuses(wide, "{}",
          "net.st: conv wants weight [3x2x3x3], and no module that is left has it: net.0.weight "
          "[4x2x3x3]");
  refuses(wide, R"({"conv": "net.0"})",
          "net.st: net.0.weight is [4x2x3x3], conv.weight wants [3x2x3x3] as PyTorch has it");
  Tensors twice = state_dict();
  twice["net.4.weight"] = twice["net.3.weight"];
  refuses(twice, "{}",
          "depthwise wants weight [3x1x3x3], which net.3, net.4 have; say which with --map "
          "MAP.json: {\"depthwise\": \"net.3\"}");
  Tensors more = state_dict();
  more["head.weight"] = Tensor({7, 7});
  refuses(more, "{}", "holds head.weight [7x7], which no layer takes");
  Tensors integers = state_dict();
  integers["net.6.weight"] = Tensor({5, 36}, DType::kInt8);
  refuses(integers, R"({"hidden": "net.6"})", "net.6.weight is int8, hidden.weight wants floats");
  Tensors without = state_dict();
  without.erase("net.1.running_var");
  refuses(without, R"({"norm": "net.1"})", "net.1 has no running_var, which norm wants");
  refuses(state_dict(), R"({"convv": "net.0"})",
          "map/convv: the model has no layer and no tensor of this name; did you mean \"conv\"?");
  refuses(state_dict(), R"({"conv": "nett.0"})",
          "net.st: has no module nett.0, which the map gives conv; did you mean \"net.0\"?");
  refuses(state_dict(), R"({"conv.weight": "net.0.wieght"})", "did you mean \"net.0.weight\"?");
  refuses(state_dict(), R"({"conv.weight": null})", "null is for a whole layer");
}

TEST_CASE("a map is an object of names") {
  CHECK(parse_torch_map("{\"a\": \"b\", // so\n \"c\": null}", "m") ==
        TorchMap{{"a", "b"}, {"c", std::nullopt}});
  for (const char* bad : {"[]", "3", "{\"a\": 3}", "{\"a\": \"b\", \"a\": \"c\"}", "{", ""})
    CHECK_THROWS_AS(parse_torch_map(bad, "m"), Error);
}
