// Step 2 of the tutorial: fine-tune while a schedule turns the smallest weights into zeros.
#include "apps/tutorial/lesson.hpp"
#include "core/base/text.hpp"
#include "layers/parameter_file.hpp"

using namespace espalier;

int main(int argc, char** argv) {
  return apps::teach(
      argc, argv, "Step 2 of 5: prunes baseline.safetensors; writes pruned.safetensors.",
      [](apps::Lesson& lesson) {
        Sequential model = lesson.new_model();
        load_parameters(model, lesson.made("baseline.safetensors", "espalier-tutorial-1-train"));
        prune::Pruner pruner(lesson.pruner(model));
        training::fit(model, lesson.train(), lesson.recipe().pruning, {&pruner});
        pruner.bake();  // the mask goes into the weights: from here on they are ordinary zeros
        save_parameters(model, lesson.path("pruned.safetensors"));
        lesson.say(percent(prune::model_sparsity(model)) + " of the weights are zero.");
      });
}
