// espalier-verify, which `espalier verify` calls: what compression changed.
#include <iostream>
#include <optional>

#include "apps/common/model_input.hpp"
#include "apps/common/program.hpp"
#include "apps/smallest/networks.hpp"
#include "apps/verify/other_side.hpp"
#include "apps/verify/report.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::apps {
namespace {

struct VerifyOptions {
  std::filesystem::path model;
  OtherSide against;
  DataOptions data;
  std::int64_t noise_images = 200;
  std::optional<double> max_drop;  // percentage points; of numbers percent of the RMSE
  bool json = false, quiet = false;
};

// Errors: kTargetMissed.
void require_promise(const Verification& found, const VerifiedFiles& files,
                     const std::optional<double>& max_drop) {
  if (!max_drop) return;
  const auto drop = found.a_numbers
                        ? growth_percent(found.a_numbers->rmse(), found.b_numbers->rmse())
                        : 100 * static_cast<double>(found.b_right - found.a_right) /
                              static_cast<double>(found.images);
  if (drop <= *max_drop) return;
  if (found.a_numbers)
    fail(ErrorKind::kTargetMissed, files.a, "its RMSE is ", fixed(drop, 2),
         " % larger than that of ", files.b, ", more than ", fixed(*max_drop, 2), " %");
  fail(ErrorKind::kTargetMissed, files.a, "is right on ", fixed(drop, 2),
       " percentage points less than ", files.b, ", more than ", fixed(*max_drop, 2));
}

void verify_files(const VerifyOptions& options) {
  install_interrupt_handler();
  set_threads(1);
  const auto a = runtime::Model::load(options.model);
  const runtime::Model b(load_other_side(options.against, a.packed()));
  VerifiedFiles files{options.model.string(), options.against.file.string(), ""};
  require_same_table(a.packed(), b.packed(), files.b);
  require(a.packed().input_shape == b.packed().input_shape, files.b,
          "takes images of another shape than ", files.a);
  DataOptions wanted = options.data;
  wanted.quiet = options.quiet || options.json;
  const TrainingData data = load_data_for(input_of(files.a, a.packed()), wanted);
  Progress progress("verify", data.data.test->size(), data.examples(), wanted.quiet);
  const Verification found =
      verify(a, b, *data.data.test, options.noise_images, [&](std::int64_t done) {
        require(!interrupted(), ErrorKind::kInterrupted, "verify", "stopped by Ctrl-C");
        progress.update(done);
      });
  progress.finish();
  files.data = data.name, files.examples = data.examples();
  if (options.json)
    std::cout
        << to_json(found, files).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
        << '\n';
  else
    print(found, files);
  require_promise(found, files, options.max_drop);
}

}  // namespace
}  // namespace espalier::apps

int main(int argc, char** argv) {
  using namespace espalier;
  using namespace espalier::apps;
  CLI::App app("Says what compression changed: a model beside the one that it was made from.");
  app.name("espalier verify");
  VerifyOptions options;
  app.add_option("model", options.model, "An .esp file")->required();
  app.add_option("--against", options.against.file,
                 "The other side: an .esp file, or weights in a .safetensors file, as espalier "
                 "train --weights and the tutorial's steps write them")
      ->required();
  app.add_option("--model", options.against.model,
                 "The network of weights that do not say it themselves: a name of those below, or "
                 "a model.json");
  add_data_options(app, options.data);
  app.add_option("--noise-images", options.noise_images,
                 "Layers are compared on so many of the test images")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))
      ->capture_default_str();
  app.add_option(
         "--max-drop", options.max_drop,
         "Exit code 5 if the model is right on more than so many percentage points less; of "
         "predicted numbers, if its RMSE is more than so many percent larger")
      ->check(CLI::Range(0.0, 10'000.0));
  app.add_flag("--json", options.json, "Print one line of JSON");
  app.add_flag("-q,--quiet", options.quiet, "No progress");
  app.footer(
      "The accuracy of both on all test images, to how many both give the same answer, the "
      "largest\n"
      "difference of a logit, and of what each convolution and dense layer yields the ratio of\n"
      "signal to noise: 20 dB is a tenth, 40 dB a hundredth. Layers are matched in their order;\n"
      "one whose units were removed is not comparable, and units that were sorted (espalier\n"
      "compress does it) look like noise.\n"
      "Of predicted numbers the root mean squared error and R2 of both, and the largest "
      "difference\n"
      "of a prediction, in the unit of the table.\n"
      "Networks:" +
      network_list() +
      "\nExamples: espalier train --recipe recipe.json --weights float.safetensors --out m.esp\n"
      "          espalier verify m.esp --against float.safetensors\n"
      "          espalier verify quantized.esp --against baseline.safetensors --model "
      "tutorial-small\n"
      "          espalier verify m.esp --against float.esp --data flowers --max-drop 0.5 --json");
  return run_program(app, argc, argv, [&] { verify_files(options); });
}
