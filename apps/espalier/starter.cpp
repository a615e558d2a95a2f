#include "apps/espalier/starter.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "apps/common/own_command.hpp"
#include "core/base/error.hpp"
#include "core/base/process.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

// Said where a type of layer comes first.
constexpr std::pair<const char*, const char*> kLayers[] = {
    {"Conv2d", "Filters look at every place of the picture; each yields a channel."},
    {"DepthwiseConv2d", "A filter for each channel alone; a convolution of 1 x 1 then mixes them."},
    {"BatchNorm",
     "Each channel to a mean and a deviation that are learned; integers fold it away."},
    {"Relu", "Keeps what is positive."},
    {"MaxPool2d", "The largest of each 2 x 2: half as high, half as wide."},
    {"AveragePool2d", "The mean of each channel over the whole picture."},
    {"Residual", "Adds what the layer \"with\" yielded to what the layer before it did."},
    {"Flatten", "A list of numbers, as dense layers take it."},
    {"Dropout", "In training a share of the numbers is left out, at random."},
    {"Dense", "Sums over all of them, each with its own weights."},
};

}  // namespace

std::string printed_network(const Starter& s) {
  const std::string program = (own_program().parent_path() / "espalier-train").string();
  const std::string input = std::to_string(s.input[0]) + "," + std::to_string(s.input[1]) + "," +
                            std::to_string(s.input[2]);
  const auto result = run_process(
      {program, "--print-model", s.network, "--input", input, "--outputs",
       std::to_string(s.classes)},
      {.capture_error = true, .remedy = "build it: cmake --build build --target espalier-train"});
  if (result.ok()) return result.output;
  std::string message = result.error.substr(0, result.error.find('\n'));
  const std::string own = "espalier train: ";
  if (message.starts_with(own)) message.erase(0, own.size());
  const bool usage = result.exit_code == static_cast<int>(ErrorKind::kUsage);
  throw Error(usage ? ErrorKind::kUsage : ErrorKind::kInternal,
              message.empty() ? program + " ended with " + result.how_it_ended() : message);
}

std::string starter_model(const Starter& s, const std::string& printed) {
  const std::string begin = "  \"layers\": [\n";
  const auto at = printed.find(begin);
  require(at != std::string::npos, ErrorKind::kInternal, "new", "the network ", s.network,
          " was printed without layers");
  std::istringstream lines(printed.substr(at + begin.size()));
  std::vector<std::string> layers;
  for (std::string line; std::getline(lines, line) && line.starts_with("    {");)
    layers.push_back(line);
  std::ostringstream out;
  out << "// The network: its layers, first to last, as the built-in " << s.network
      << " has them. There are Conv2d,\n"
         "// DepthwiseConv2d, MaxPool2d, AveragePool2d, GlobalAveragePool2d, BatchNorm, Relu, "
         "Dropout, Flatten,\n// Dense and Residual; \"from\" names another input than the layer "
         "before. Sizes in between follow\n// from the shapes.\n"
         "{\n"
         "  \"name\": "
      << nlohmann::json(s.name).dump()
      << ",\n"
         "  // Height, width and channels (1: grey, 3: RGB) of an example.\n"
         "  \"input\": ["
      << s.input[0] << ", " << s.input[1] << ", " << s.input[2] << "],\n"
      << (s.classes == 1 ? ""
                         : "  // The classes' names are the data's; \"labels\": [\"one\", \"two\", "
                           "...] gives others.\n")
      << "  \"layers\": [\n";
  std::set<std::string> said;
  for (const std::string& line : layers) {
    for (const auto& [type, comment] : kLayers)
      if (line.starts_with("    {\"type\": \"" + std::string(type) + "\"") &&
          &line != &layers.back() && said.insert(type).second)
        out << "    // " << comment << '\n';
    if (&line == &layers.back())
      out << (s.classes == 1 ? "    // One sum: the number.\n"
                             : "    // One sum a class: the largest is the answer.\n");
    out << line << '\n';
  }
  out << "  ]\n}\n";
  return out.str();
}

std::string starter_command(const Starter& s, const std::string& program) {
  return program +
         " train --model model.json --recipe recipe.json --weights float.safetensors "
         "--out " +
         shell_word(s.name + ".esp") + s.data_arguments;
}

std::string starter_readme(const Starter& s) {
  const std::string esp = shell_word(s.name + ".esp");
  const bool numbers = s.data_arguments.find(" --regression") != std::string::npos;
  return "# " + s.name +
         "\n\n`model.json` is the network, `recipe.json` how it is trained and "
         "compressed. Change either, and\ncompare what comes out:\n\n```sh\n" +
         path_line() + starter_command(s, "espalier") + "\nespalier inspect " + esp +
         "  # its layers, bytes and costs" + "\nespalier eval " + esp + s.data_arguments +
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
