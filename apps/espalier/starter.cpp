#include "apps/espalier/starter.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

// Below this a convolution and a pool of 2 leave next to nothing.
constexpr std::int64_t kSmallestSide = 8;

constexpr const char* kConvolution =
    R"(    // 12 filters of 3 x 3 look at every place of the picture; relu keeps what is positive.
    {"type": "Conv2d", "name": "conv1", "filters": 12, "kernel_size": 3, "activation": "relu"},
    // The largest of each 2 x 2: half as high, half as wide.
    {"type": "MaxPool2d", "name": "pool1", "pool_size": 2},
    // A list of numbers, as dense layers take it.
    {"type": "Flatten", "name": "flatten"},
)";

constexpr const char* kHidden = R"(    // A list of numbers, as dense layers take it.
    {"type": "Flatten", "name": "flatten"},
    // 32 sums over all of them; relu keeps what is positive.
    {"type": "Dense", "name": "hidden", "units": 32, "activation": "relu"},
)";

}  // namespace

std::string starter_model(const Starter& s) {
  const bool pictures = s.input[0] >= kSmallestSide && s.input[1] >= kSmallestSide;
  std::ostringstream out;
  out << "// The network: its layers, first to last. There are Conv2d, DepthwiseConv2d, "
         "MaxPool2d,\n"
         "// AveragePool2d, GlobalAveragePool2d, BatchNorm, Relu, Dropout, Flatten, Dense and "
         "Residual, which\n// adds what the layer \"with\" yields; \"from\" names another input. "
         "Sizes in "
         "between follow\n// from the shapes.\n"
         "{\n"
         "  \"name\": "
      << nlohmann::json(s.name).dump()
      << ",\n"
         "  // Height, width and channels (1: grey, 3: RGB) of an example.\n"
         "  \"input\": ["
      << s.input[0] << ", " << s.input[1] << ", " << s.input[2]
      << "],\n"
         "  // The classes' names are the data's; \"labels\": [\"one\", \"two\", ...] gives "
         "others.\n"
         "  \"layers\": [\n"
      << (pictures ? kConvolution : kHidden)
      << "    // One sum a class: the largest is the answer.\n"
         "    {\"type\": \"Dense\", \"name\": \"output\", \"units\": "
      << s.classes << "}\n  ]\n}\n";
  return out.str();
}

std::string starter_command(const Starter& s) {
  return "espalier train --model model.json --recipe recipe.json --weights float.safetensors "
         "--out " +
         shell_word(s.name + ".esp") + s.data_arguments;
}

std::string starter_readme(const Starter& s) {
  const std::string esp = shell_word(s.name + ".esp");
  const bool numbers = s.data_arguments.find(" --regression") != std::string::npos;
  return "# " + s.name +
         "\n\n`model.json` is the network, `recipe.json` how it is trained and "
         "compressed. Change either, and\ncompare what comes out:\n\n```sh\n" +
         starter_command(s) + "\nespalier inspect " + esp + "  # its layers, bytes and costs" +
         "\nespalier eval " + esp + s.data_arguments +
         (numbers ? "  # how far off?" : "  # right on how many test images?") +
         "\nespalier verify " + esp + " --against float.safetensors" + s.data_arguments +
         "  # what did compression change?" + "\nespalier export c99 " + esp +
         " -o model.c  # for a microcontroller\n```\n\n" +
         "Fewer bytes: a higher `sparsity`, fewer `weight_bits`, fewer `filters` or `units`. "
         "Better "
         "answers: the\nreverse, more `epochs`, another layer. `espalier compare OLD.esp "
         "NEW.esp` shows two attempts side by side.\n";
}

}  // namespace espalier::apps
