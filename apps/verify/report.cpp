#include "apps/verify/report.hpp"

#include <unistd.h>

#include <cmath>
#include <iostream>

#include "core/base/table.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::string noise_text(const LayerNoise& layer) {
  if (!layer.compared) return "not comparable";
  return layer.noise == 0 ? "exact" : fixed(layer.decibels(), 1);
}

void print_answers(const Verification& v, const VerifiedFiles& files) {
  std::cout << percent(share(v.a_right, v.images)) << " right: " << printable(files.a) << '\n'
            << percent(share(v.b_right, v.images)) << " right: " << printable(files.b) << '\n'
            << "The same answer to " << with_commas(v.agree) << " of " << with_commas(v.images)
            << " test " << files.examples << ", " << percent(share(v.agree, v.images)) << " ("
            << printable(files.data) << ")\n"
            << "Largest difference of a logit: " << fixed(v.largest_difference, 4)
            << (files.examples == "rows" ? " (row " : " (image ") << v.image << ", class "
            << v.label << "; logits reach " << fixed(v.largest_logit, 4) << ")\n";
}

void print_numbers(const Verification& v, const VerifiedFiles& files) {
  for (const auto& [scores, file] : {std::pair{&*v.a_numbers, &files.a}, {&*v.b_numbers, &files.b}})
    std::cout << "RMSE " << scores->rmse() << ", R2 " << fixed(scores->r2(), 4) << ": "
              << printable(*file) << '\n';
  std::cout << "The first's error is "
            << fixed(std::abs(growth_percent(v.a_numbers->rmse(), v.b_numbers->rmse())), 2)
            << (v.a_numbers->rmse() < v.b_numbers->rmse() ? " % smaller" : " % larger") << ", on "
            << with_commas(v.images) << " test rows (" << printable(files.data) << ")\n"
            << "Largest difference of a prediction: " << v.largest_difference << " (row "
            << v.image + 1 << " of these)\n";
}

}  // namespace

void print(const Verification& v, const VerifiedFiles& files) {
  Column layer{.header = "layer", .left = true}, noise{"SNR, dB"};
  for (const LayerNoise& l : v.layers) {
    layer.cells.push_back(printable(l.name));
    noise.cells.push_back(noise_text(l));
  }
  if (v.a_numbers)
    print_numbers(v, files);
  else
    print_answers(v, files);
  std::cout << table({layer, noise}, terminal_width(STDOUT_FILENO))
            << "SNR: of what a layer yields, relu included, on the first "
            << with_commas(v.noise_images) << ' ' << files.examples << '\n';
}

nlohmann::json to_json(const Verification& v, const VerifiedFiles& files) {
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerNoise& l : v.layers) {
    const bool exact = l.compared && l.noise == 0;
    layers.push_back({{"layer", l.name}, {"compared", l.compared}, {"exact", exact}});
    layers.back()["snr_db"] =
        l.compared && !exact ? nlohmann::json(l.decibels()) : nlohmann::json();
  }
  nlohmann::json all{{"a", {{"file", files.a}}},
                     {"b", {{"file", files.b}}},
                     {"data", files.data},
                     {"images", v.images},
                     {"largest_difference", v.largest_difference},
                     {"largest_logit", v.largest_logit},
                     {"noise_images", v.noise_images},
                     {"layers", layers}};
  if (v.a_numbers) {
    for (const auto& [side, scores] : {std::pair{"a", &*v.a_numbers}, {"b", &*v.b_numbers}})
      all[side].update({{"rmse", scores->rmse()}, {"r2", scores->r2()}});
    return all;
  }
  all["a"]["accuracy"] = share(v.a_right, v.images);
  all["b"]["accuracy"] = share(v.b_right, v.images);
  all["agreement"] = share(v.agree, v.images);
  return all;
}

}  // namespace espalier::apps
