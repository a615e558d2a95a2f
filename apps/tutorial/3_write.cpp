// Step 3 of the tutorial: write the pruned network. Zeros cost almost nothing in the file.
#include "apps/tutorial/lesson.hpp"
#include "layers/parameter_file.hpp"

using namespace espalier;

int main(int argc, char** argv) {
  return apps::teach(argc, argv, "Step 3 of 5: writes pruned.safetensors as pruned.esp.",
                     [](apps::Lesson& lesson) {
                       Sequential model = lesson.new_model();
                       load_parameters(
                           model, lesson.made("pruned.safetensors", "espalier-tutorial-2-prune"));
                       lesson.write("pruned", model);
                     });
}
