// The MNIST tutorial: train, prune, write, quantize, read back.
#include "apps/tutorial/lesson.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/quantize/quantization_aware.hpp"

using namespace espalier;

void tutorial(apps::Lesson& lesson) {
  lesson.say(
      "1. Train from scratch. A small network learns the digits.\n"
      "   It is the yardstick: watch its accuracy, and how many bytes it takes.");
  Sequential model = lesson.new_model();
  training::fit(model, lesson.train(), lesson.recipe().baseline);
  lesson.write("baseline", model);

  lesson.say(
      "2. Prune while training goes on. A schedule turns the smallest weights into\n"
      "   zeros, step by step; the others learn to make up for them.");
  prune::Pruner pruner(lesson.pruner(model));
  training::fit(model, lesson.train(), lesson.recipe().pruning, {&pruner});
  pruner.bake();

  lesson.say(
      "3. Write the pruned network. Zeros cost almost nothing in the file: that is\n"
      "   what pruning is for. Compare its bytes with the baseline's.");
  lesson.write("pruned", model);

  lesson.say(
      "4. Quantize: every weight and activation becomes a small integer. First\n"
      "   without training: some images show the range of each activation. Then, from\n"
      "   the same pruned network, with training that feels the rounding.");
  const int bits = lesson.options().weight_bits;
  Sequential rounded = lesson.copy_of(model);
  quantize::QuantizationAware afterwards(
      {.weight_bits = bits, .observer = quantize::ObserverKind::kMinMax});
  afterwards.attach(rounded);
  afterwards.calibrate(lesson.train(), std::min<std::int64_t>(1000, lesson.train().size()));
  afterwards.bake();
  lesson.write("post_training", rounded, afterwards.network());

  Sequential trained = lesson.copy_of(model);
  prune::KeepZeros zeros;
  quantize::QuantizationAware aware({.weight_bits = bits});
  training::fit(trained, lesson.train(), lesson.recipe().quantizing, {&zeros, &aware});
  aware.bake();
  zeros.bake();
  lesson.write("quantized", trained, aware.network());

  lesson.say(
      "5. Read every file back in a fresh process, by a runtime that holds no training\n"
      "   code. What was trained is what runs: not one logit may differ.");
  lesson.read_back();
}

int main(int argc, char** argv) {
  return apps::teach(argc, argv, "Trains a network on MNIST, prunes, quantizes and runs it.",
                     [](apps::Lesson& lesson) {
                       tutorial(lesson);
                       apps::write_pictures(lesson);
                       apps::report(lesson);
                     });
}
