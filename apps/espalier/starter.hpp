// The files of a new project, with comments that say what each line is for.
#pragma once

#include <cstdint>
#include <string>

#include "apps/common/starting_recipe.hpp"
#include "core/tensor/shape.hpp"

namespace espalier::apps {

struct Starter {
  std::string name;            // of the model, and of the files that the project makes
  Shape input{28, 28, 1};      // [H W C] of the data's examples
  std::int64_t classes = 10;   // >= 2
  StartingData data = {};      // for the recipe
  std::string data_arguments;  // of every command, beginning with a space: " --data '/flowers'"
};

// One convolution and a dense layer; of inputs too small for that, two dense layers.
std::string starter_model(const Starter& starter);
// The commands, in their order.
std::string starter_readme(const Starter& starter);
// The first of them, to be run in the project's folder.
std::string starter_command(const Starter& starter);

}  // namespace espalier::apps
