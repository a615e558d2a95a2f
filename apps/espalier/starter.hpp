// The files of a new project, with comments that say what each line is for.
#pragma once

#include <cstdint>
#include <string>

#include "apps/common/starting_recipe.hpp"
#include "core/tensor/shape.hpp"

namespace espalier::apps {

struct Starter {
  std::string name;            // of the model, and of the files that the project makes
  std::string network;         // built in
  Shape input{28, 28, 1};      // [H W C] of the data's examples
  std::int64_t classes = 10;   // 1: a number to predict
  StartingData data = {};      // for the recipe
  std::string data_arguments;  // of every command, beginning with a space: " --data '/flowers'"
};

// The built-in network as a model.json. Networks are known to the programs that train: espalier-train
// prints it, beside this program. Errors: its own, of the same kind, where there is no such network or
// the input is too small for it; kIo when it cannot be started.
std::string printed_network(const Starter& starter);
// The same text under the project's name, with comments.
std::string starter_model(const Starter& starter, const std::string& printed);
// The commands, in their order.
std::string starter_readme(const Starter& starter);
// The first of them, to be run in the project's folder by such a program.
std::string starter_command(const Starter& starter, const std::string& program);

}  // namespace espalier::apps
