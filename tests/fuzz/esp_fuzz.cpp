// The .esp reader, and the runtime on whatever it accepts (small networks only).
#include <algorithm>
#include <cmath>

#include "compress/format/reader.hpp"
#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "compress/runtime/model.hpp"
#include "tests/compress/format/sample_models.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

namespace {

// Multiplications for one image; a network over the cap is read but not run.
constexpr std::int64_t kMaxWork = 1 << 17;

bool is_small(const format::PackedModel& model) {
  std::int64_t work = 0;
  std::vector shapes{model.input_shape};
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto& layer = model.layers[i];
    const auto in = shapes[format::input_stage(layer, i)];
    const auto inputs = in[0] * in[1] * in[2];
    const auto channels = format::has_weight(layer.kind) ? layer.weight.shape[0] : in[2];
    const auto shape = format::output_shape(layer, channels, in, ErrorKind::kInternal, "fuzz");
    shapes.push_back(shape);
    const auto outputs = shape[0] * shape[1] * shape[2];
    const auto window = std::min(kMaxWork, layer.kernel_h * layer.kernel_w);
    if (std::max(inputs, outputs) > 1 << 14) return false;
    work += inputs + outputs * window * (format::has_weight(layer.kind) ? inputs : 1);
    if (work > kMaxWork) return false;
  }
  return true;
}

void read_and_run(const Bytes& bytes) {
  fuzz::may_refuse([&] {
    Bytes left = bytes;  // without what was read, which Model::load lets go
    const auto spend = [&](std::size_t read) {
      std::fill_n(left.begin(), read, std::uint8_t{0xA5});
    };
    const auto any = format::read(left, "fuzz.esp", {.canonical = false, .on_read = spend});
    const auto packed = format::read(bytes, "fuzz.esp");
    fuzz::promise(packed == any);
    fuzz::promise(format::write(packed, format::coding_of(bytes)) == bytes);
    if (!is_small(packed)) return;
    const auto& s = packed.input_shape;
    const Tensor images = Tensor::full({2, s[0], s[1], s[2]}, 0.5f);
    const runtime::Model model(packed);
    const Tensor first = model.run(images), second = model.run(images);
    fuzz::promise(first.shape()[0] == 2 && first.elements() == second.elements());
    for (std::int64_t i = 0; i < first.elements(); ++i) {
      const float a = first.data<float>()[i], b = second.data<float>()[i];
      fuzz::promise(a == b || (std::isnan(a) && std::isnan(b)));
    }
  });
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  auto seeds = format::samples::files();
  auto runnable = format::samples::worked_example();
  runnable.layers.push_back({});
  runnable.layers.back().kind = format::LayerKind::kRelu;
  for (const auto coding : {format::Coding::kPlain, format::Coding::kRange})
    seeds.push_back(format::write(runnable, coding));
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  read_and_run(bytes);
  read_and_run(format::samples::sealed(bytes));  // past the checksum
  return 0;
}
