#include <cstdio>
#include <ostream>

#include "apps/espalier/trace.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

constexpr std::size_t kShown = 9;  // products; a 3 x 3 window is shown whole

// Digits enough to tell every float32 apart.
std::string number(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return text;
}

void print_products(std::ostream& out, const Trace& t) {
  const std::int32_t zero = t.input.zero_point;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < t.products.size() && i < kShown; ++i) {
    const auto& p = t.products[i];
    const std::int32_t product = (p.level - zero) * p.weight;
    sum += product;
    const std::string where = t.convolution ? "row " + std::to_string(p.y) + ", column " +
                                                  std::to_string(p.x) + ", channel " +
                                                  std::to_string(p.channel)
                                            : "input " + std::to_string(p.channel);
    const std::string level =
        zero == 0 ? std::to_string(p.level)
                  : "(" + std::to_string(p.level) + " - " + std::to_string(zero) + ")";
    out << "    " << pad_right(where, t.convolution ? 30 : 12) << pad_left(level, zero ? 10 : 4)
        << " x " << pad_left(std::to_string(p.weight), 4) << " = "
        << pad_left(std::to_string(product), 7) << "   so far " << pad_left(std::to_string(sum), 8)
        << "\n";
  }
  if (t.products.size() > kShown) out << "    ... and " << t.products.size() - kShown << " more\n";
}

}  // namespace

void print_trace(std::ostream& out, const Trace& t) {
  out << "One neuron, by integers: " << printable(t.layer) << ", "
      << (t.convolution ? "channel " + std::to_string(t.unit) + " at row " + std::to_string(t.y) +
                              ", column " + std::to_string(t.x)
                        : "unit " + std::to_string(t.unit))
      << "\n\n1. Multiply. Each input is a level from 0 to 127 (one level is "
      << number(t.input.scale)
      << (t.input.zero_point ? ", and level " + std::to_string(t.input.zero_point) + " means 0"
                             : std::string())
      << "), each\n   weight a small signed integer (one step is " << number(t.weight_scale)
      << "). Of " << with_commas(t.taps) << " products "
      << with_commas(static_cast<std::int64_t>(t.products.size())) << " are not zero:\n";
  print_products(out, t);
  out << "2. Add them up, exactly, in a 32-bit integer:  " << t.sum << "\n"
      << "3. Add the bias, kept on the same scale:       " << t.sum << " + " << t.bias << " = "
      << t.accumulator << "\n";
  if (t.real_output) {
    out << (t.last ? "4. This is the last layer, so the sum becomes a real number, the logit:\n   "
                   : "4. What follows takes real numbers, so the sum becomes one:\n   ")
        << t.accumulator << " x " << number(t.multiplier) << " (input step x weight step)"
        << (t.relu ? ", and relu keeps at least 0," : "") << " = " << number(t.real) << "\n";
    return;
  }
  const std::int32_t zero = t.output.zero_point;
  out << "4. Scale to the output's levels with one float multiplier,\n   input step x weight step "
         "/ "
         "output step = "
      << number(t.multiplier) << ":\n   " << t.accumulator << " x " << number(t.multiplier) << " = "
      << number(t.scaled) << "\n"
      << "5. Round to the nearest integer, halves to even: " << number(t.rounded) << "\n"
      << "6. " << (zero ? "Add the zero point " + std::to_string(zero) + " and clamp" : "Clamp")
      << " to 0..127" << (t.relu && zero ? ", not below the zero point (relu)" : "")
      << (t.relu && !zero ? " (which is the relu too)" : "") << ": level " << t.level << "\n"
      << "7. It stands for the real number " << t.level
      << (zero ? " - " + std::to_string(zero) : "") << " steps of " << number(t.output.scale)
      << " = " << number(t.real) << "\n";
}

}  // namespace espalier::apps
