#include "apps/smallest/recipe.hpp"

#include <sstream>

namespace espalier::apps {

std::string describe_training(const Recipe& recipe) {
  std::ostringstream out;
  out << recipe.network;
  for (std::size_t i = 0; i < recipe.widths.size(); ++i) out << (i ? '-' : ' ') << recipe.widths[i];
  const auto& r = recipe.rate;
  out << ", " << recipe.epochs << " epochs, batch " << recipe.batch_size << ", rate "
      << r.learning_rate << ", lambda " << r.lambda << " (biases x " << r.bias_lambda << "), steps "
      << r.first_step << ' ' << r.middle_step << ' ' << r.last_step << " learned at "
      << r.step_learning_rate << ", biases " << r.bias_step << ", levels to " << r.max_level
      << ", floor " << r.slope_floor_bits << " bits, from " << r.float_until << " ramp "
      << r.ramp_until << " activations " << r.activations_from << " freeze " << r.freeze_at
      << ", scales " << r.scale_bits << " bits, shifts of " << recipe.shift_pixels;
  if (recipe.shift_share < 1) out << " for " << recipe.shift_share;
  if (recipe.teacher.weight > 0)
    out << ", teacher " << recipe.teacher.weight << " at " << recipe.teacher.temperature;
  if (recipe.teacher.weight > 0 && recipe.teachers > 1) out << ", of " << recipe.teachers;
  return out.str();
}

std::string describe(const Recipe& recipe) {
  std::ostringstream out;
  out << describe_training(recipe);
  if (recipe.descent_images > 0)
    out << ", descent of " << recipe.descent_rounds << " rounds, " << recipe.descent_growing_rounds
        << " growing, on " << recipe.descent_images;
  if (recipe.descent_images > 0 && recipe.descent_lambda)
    out << ", lambda " << *recipe.descent_lambda;
  if (recipe.descent_images > 0 && recipe.descent_teacher)
    out << ", teacher " << *recipe.descent_teacher;
  return out.str();
}

}  // namespace espalier::apps
