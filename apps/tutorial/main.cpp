// The MNIST tutorial: train, prune, write, quantize, read back.
#include "apps/tutorial/lesson.hpp"
#include "compress/quantize/quantization_aware.hpp"

using namespace espalier;

void tutorial(apps::Lesson& lesson) {
  lesson.say(
      "1. Train from scratch. A small network learns the digits.\n"
      "   It is the yardstick: watch its accuracy, and how many bytes it takes.");
  Sequential model = lesson.new_model();
  training::fit(model, lesson.train(), lesson.baseline());
  lesson.write("baseline", model);

  lesson.say(
      "2. Prune while training goes on. A schedule turns the smallest weights into zeros, more "
      "and\n"
      "   more of them; the others learn to make up for it. Accuracy should hardly move.");
  prune::MagnitudePruner pruner(lesson.pruner());
  training::fit(model, lesson.train(), lesson.pruning(), {&pruner});
  pruner.bake();

  lesson.say(
      "3. Write the pruned network. Zeros cost almost nothing in the file: that is what pruning "
      "is\n"
      "   for. Compare the bytes with the baseline's.");
  lesson.write("pruned", model);

  lesson.say(
      "4. Quantize: every weight and activation becomes a small integer. First without training:\n"
      "   a thousand images show the range of each activation. Then, from the same pruned "
      "network,\n"
      "   with training that feels the rounding. Fewer bits: --bits 5.");
  Sequential rounded = lesson.copy_of(model);
  quantize::QuantizationAware afterwards(
      {.weight_bits = lesson.options().weight_bits, .observer = quantize::ObserverKind::kMinMax});
  afterwards.attach(rounded);
  afterwards.calibrate(lesson.train(), std::min<std::int64_t>(1000, lesson.train().size()));
  afterwards.bake();
  lesson.write("post_training", rounded, afterwards.network());

  Sequential trained = lesson.copy_of(model);
  prune::KeepZeros zeros;
  quantize::QuantizationAware aware({.weight_bits = lesson.options().weight_bits});
  training::fit(trained, lesson.train(), lesson.quantizing(), {&zeros, &aware});
  aware.bake();
  zeros.bake();
  lesson.write("quantized", trained, aware.network());

  lesson.say(
      "5. Read every file back in a fresh process, by a runtime that holds no training code. What\n"
      "   was trained is what runs: not one logit may differ.");
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
