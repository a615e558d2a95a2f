// Step 1 of the tutorial: train from scratch.
#include "apps/tutorial/lesson.hpp"
#include "layers/parameter_file.hpp"

using namespace espalier;

int main(int argc, char** argv) {
  return apps::teach(
      argc, argv, "Step 1 of 5: trains from scratch; writes baseline.safetensors and baseline.esp.",
      [](apps::Lesson& lesson) {
        Sequential model = lesson.new_model();
        training::fit(model, lesson.train(), lesson.recipe().baseline);
        save_parameters(model, lesson.path("baseline.safetensors"));
        lesson.write("baseline", model);
      });
}
