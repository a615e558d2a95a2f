#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/tutorial/fresh_process.hpp"
#include "apps/tutorial/lesson.hpp"
#include "core/base/file.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "layers/summary.hpp"

namespace espalier::apps {
namespace {

// What TensorFlow Model Optimization's own tutorials print for these stages: accuracy, bytes after
// gzip, and how many times smaller. "" where they print nothing.
std::string published(const std::string& model, const std::string& stage) {
  if (model == "small") {
    if (stage == "baseline") return "97.94 %, 78.1 kB";
    if (stage == "pruned") return "97.43 %, 25.7 kB, 3.0x";
    if (stage == "post_training") return "97.44 %, 8.2 kB, 9.5x";
  }
  if (model == "large") {
    if (stage == "baseline") return "> 99 %";
    if (stage == "pruned") return "> 98.9 %, 5x";
  }
  return "-";
}

std::string times_smaller(std::size_t from, std::size_t to) {
  return fixed(static_cast<double>(from) / static_cast<double>(to), 1) + "x";
}

// `share` of ten columns, in eighths of a block.
std::string bar(double share) {
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!utf8_locale())
    return std::string(static_cast<std::size_t>(std::clamp(share * 10 + 0.5, 1.0, 10.0)), '#');
  const int eighths = std::clamp(static_cast<int>(share * 80 + 0.5), 1, 80);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  return text + kEighths[eighths % 8];
}

std::string bytes(std::size_t count) {
  return with_commas(static_cast<std::int64_t>(count));
}

void write_json(const Lesson& lesson) {
  nlohmann::json json = {{"data", lesson.data_name()},
                         {"model", lesson.options().model},
                         {"seed", lesson.options().seed},
                         {"threads", lesson.options().threads},
                         {"bits", lesson.options().weight_bits},
                         {"quick", lesson.options().quick},
                         {"differing_logits", 0}};
  for (const auto& s : lesson.stages()) {
    json["differing_logits"] = json["differing_logits"].get<std::int64_t>() + s.differing_logits;
    json["stages"].push_back({{"name", s.name},
                              {"accuracy", s.accuracy},
                              {"sparsity", s.sparsity},
                              {"raw_bytes", s.raw_bytes},
                              {"deflate_bytes", s.deflate_bytes},
                              {"file", s.file.string()},
                              {"file_bytes", s.file_bytes},
                              {"latency_us", s.latency_us},
                              {"peak_bytes", s.peak_bytes},
                              {"seconds", s.seconds}});
  }
  write_file(*lesson.options().json,
             json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace

void report(const Lesson& lesson) {
  const auto& options = lesson.options();
  const auto& stages = lesson.stages();
  const Stage& baseline = stages.front();
  std::cout << "Data: " << lesson.data_name() << " (" << with_commas(lesson.test().size())
            << " test images). Model: " << options.model << ", seed " << options.seed << ", "
            << options.threads << (options.threads == 1 ? " thread" : " threads")
            << (options.weight_bits == 8
                    ? ""
                    : ", " + std::to_string(options.weight_bits) + " bits a weight")
            << (options.quick ? ", a tenth of the training images" : "") << ".\n\n";
  Column name{"stage", {}, true}, accuracy{"accuracy"}, zeros{"zeros"}, file{".esp bytes"},
      bars{"", {}, true}, smaller{"smaller"}, deflate{"DEFLATE"}, latency{"latency"},
      memory{"memory"}, tensorflow{"TensorFlow's own", {}, true};
  for (const Stage& s : stages) {
    name.cells.push_back(s.name);
    accuracy.cells.push_back(percent(s.accuracy));
    zeros.cells.push_back(percent(s.sparsity, 1));
    file.cells.push_back(bytes(s.file_bytes));
    bars.cells.push_back(
        bar(static_cast<double>(s.file_bytes) / static_cast<double>(baseline.file_bytes)));
    smaller.cells.push_back(times_smaller(baseline.deflate_bytes, s.file_bytes));
    deflate.cells.push_back(bytes(s.deflate_bytes));
    latency.cells.push_back(fixed(s.latency_us, 1) + " us");
    memory.cells.push_back(bytes(static_cast<std::size_t>(s.peak_bytes)));
    tensorflow.cells.push_back(lesson.data_name() == "MNIST" && options.weight_bits == 8
                                   ? published(options.model, s.name)
                                   : "-");
  }
  std::vector<Column> columns = {name,    accuracy, zeros,   file,  bars,
                                 smaller, deflate,  latency, memory};
  if (std::ranges::any_of(tensorflow.cells, [](const auto& cell) { return cell != "-"; }))
    columns.push_back(tensorflow);
  std::cout << table(columns, terminal_width(STDOUT_FILENO));

  std::int64_t differing = 0;
  double seconds = 0;
  for (const Stage& s : stages) differing += s.differing_logits, seconds += s.seconds;
  std::cout
      << "\nsmaller: DEFLATE of the baseline's float parameters / the complete .esp file.\n"
         "DEFLATE: zlib level 9 of the float parameters alone; pruning makes it "
      << times_smaller(baseline.deflate_bytes, stages[1].deflate_bytes)
      << " smaller.\n"
         "latency: median of one image, one thread. memory: activations of one image, bytes.\n"
      << with_commas(differing)
      << " logits differ between trainer, runtime and reference. Training took "
      << duration(seconds) << ".\n";
  if (options.json) write_json(lesson);

  auto program =
      (program_folder() / "espalier").lexically_proximate(std::filesystem::current_path());
  if (!program.has_parent_path()) program = "." / program;
  const std::string espalier = shell_word(program.string()),
                    last = shell_word(stages.back().file.string());
  std::cout << "\nNext:\n  " << espalier << " run " << last << ' '
            << shell_word(lesson.path("digit-7.png").string()) << "\n  " << espalier << " inspect "
            << last << "\n  " << espalier << " eval " << last
            << (lesson.data_name() == "MNIST" ? "" : " --synthetic")
            << (options.data ? " --data " + shell_word(options.data->string()) : "") << '\n';
}

}  // namespace espalier::apps
