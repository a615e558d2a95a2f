// espalier run MODEL.esp IMAGE...: what is on the picture?
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/espalier/commands.hpp"
#include "apps/espalier/draw.hpp"
#include "apps/espalier/prepare_image.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

struct RunOptions {
  std::filesystem::path model;
  std::vector<std::string> images;
  bool invert = false;
  bool json = false;
};

struct Guess {
  std::size_t index;
  std::string label;
  double probability;
};

// The most probable classes first, at most three.
std::vector<Guess> top_three(std::span<const float> logits, const format::PackedModel& model) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float v : logits) sum += std::exp(v - largest);
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return logits[a] > logits[b]; });
  order.resize(std::min<std::size_t>(3, order.size()));
  std::vector<Guess> guesses;
  for (const std::size_t i : order)
    guesses.push_back({i, i < model.labels.size() ? model.labels[i] : std::to_string(i),
                       std::exp(logits[i] - largest) / sum});
  return guesses;
}

void print(const std::string& file, const PreparedImage& prepared,
           const std::vector<Guess>& guesses) {
  const bool utf8 = utf8_locale();
  std::size_t width = 0;
  for (const auto& guess : guesses) width = std::max(width, display_width(printable(guess.label)));
  std::cout << printable(file) << " (" << printable(prepared.changes) << ")\n";
  if (prepared.image.shape()[1] <= 64) std::cout << draw(prepared.image, utf8);
  for (const auto& guess : guesses) {
    std::cout << "  " << pad_right(printable(guess.label), width)
              << pad_left(percent(guess.probability), 11);
    const auto bar = std::lround(guess.probability * 40);
    for (long i = 0; i < bar; ++i) std::cout << (i ? "" : "  ") << (utf8 ? "\u2588" : "#");
    std::cout << "\n";
  }
}

void print_json(const std::string& file, const std::vector<Guess>& guesses,
                const PreparedImage& prepared, std::span<const float> logits) {
  auto top = nlohmann::json::array();
  for (const auto& guess : guesses)
    top.push_back(
        {{"class", guess.index}, {"label", guess.label}, {"probability", guess.probability}});
  std::cout << nlohmann::json{{"image", file},
                              {"preparation", prepared.changes},
                              {"top", top},
                              {"logits", std::vector<float>(logits.begin(), logits.end())}}
                   .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
            << "\n";
}

void run(const RunOptions& options) {
  const auto model = runtime::Model::load(options.model);
  runtime::Session session(model);
  for (const auto& file : options.images) {
    const auto prepared = prepare_image(file, model.packed(), options.invert);
    const Shape& s = prepared.image.shape();
    const auto logits = session.run(prepared.image.reshaped({1, s[0], s[1], s[2]}));
    require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
            ErrorKind::kCorrupt, options.model.string(), "gives logits that are not finite");
    const auto guesses = top_three(logits, model.packed());
    if (options.json)
      print_json(file, guesses, prepared, logits);
    else
      print(file, prepared, guesses);
  }
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "Say what is on a picture");
  command->add_option("model", options->model, "An .esp file")->required();
  command->add_option("images", options->images, "PNG or BMP files; - reads standard input")
      ->required();
  command->add_flag("--invert", options->invert,
                    "Turn light and dark round, where they were taken the wrong way");
  command->add_flag("--json", options->json, "Print one line of JSON an image");
  command->footer(
      "Models of 28 x 28 grey pixels read digits: the picture may have any size, dark ink on\n"
      "light paper or the reverse; the digit is cut out, scaled to 20 x 20 and centred by its\n"
      "mass, as MNIST's were. Other models get the whole picture, resized.\n"
      "Examples: espalier run espalier-out/quantized.esp seven.png\n"
      "          espalier run --json model.esp a.png b.png | jq .top[0].label");
  command->callback([options] { run(*options); });
}

}  // namespace espalier::apps
