// Step 4 of the tutorial: 8-bit integers, without and with training, each from the pruned network.
#include "apps/tutorial/lesson.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "layers/parameter_file.hpp"

using namespace espalier;

int main(int argc, char** argv) {
  return apps::teach(
      argc, argv,
      "Step 4 of 5: quantizes pruned.safetensors; writes post_training.esp and quantized.esp.",
      [](apps::Lesson& lesson) {
        const int bits = lesson.options().weight_bits;
        const auto pruned = lesson.made("pruned.safetensors", "espalier-tutorial-2-prune");
        Sequential rounded = lesson.new_model();
        load_parameters(rounded, pruned);
        quantize::QuantizationAware after(
            {.weight_bits = bits, .observer = quantize::ObserverKind::kMinMax});
        after.attach(rounded);
        after.calibrate(lesson.train(), std::min<std::int64_t>(1000, lesson.train().size()));
        after.bake();
        lesson.write("post_training", rounded, after.network());

        Sequential trained = lesson.new_model();
        load_parameters(trained, pruned);
        prune::KeepZeros zeros;
        quantize::QuantizationAware aware({.weight_bits = bits});
        training::fit(trained, lesson.train(), lesson.recipe().quantizing, {&zeros, &aware});
        aware.bake();
        zeros.bake();
        lesson.write("quantized", trained, aware.network());
      });
}
