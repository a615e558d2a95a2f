#include "apps/verify/report.hpp"

#include <unistd.h>

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

}  // namespace

void print(const Verification& v, const VerifiedFiles& files) {
  Column layer{.header = "layer", .left = true}, noise{"SNR, dB"};
  for (const LayerNoise& l : v.layers) {
    layer.cells.push_back(printable(l.name));
    noise.cells.push_back(noise_text(l));
  }
  std::cout << percent(share(v.a_right, v.images)) << " right: " << printable(files.a) << '\n'
            << percent(share(v.b_right, v.images)) << " right: " << printable(files.b) << '\n'
            << "The same answer to " << with_commas(v.agree) << " of " << with_commas(v.images)
            << " test images, " << percent(share(v.agree, v.images)) << " ("
            << printable(files.data) << ")\n"
            << "Largest difference of a logit: " << fixed(v.largest_difference, 4) << " (image "
            << v.image << ", class " << v.label << "; logits reach " << fixed(v.largest_logit, 4)
            << ")\n"
            << table({layer, noise}, terminal_width(STDOUT_FILENO))
            << "SNR: of what a layer yields, relu included, on the first "
            << with_commas(v.noise_images) << " images\n";
}

nlohmann::json to_json(const Verification& v, const VerifiedFiles& files) {
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerNoise& l : v.layers) {
    const bool exact = l.compared && l.noise == 0;
    layers.push_back({{"layer", l.name}, {"compared", l.compared}, {"exact", exact}});
    layers.back()["snr_db"] =
        l.compared && !exact ? nlohmann::json(l.decibels()) : nlohmann::json();
  }
  return {{"a", {{"file", files.a}, {"accuracy", share(v.a_right, v.images)}}},
          {"b", {{"file", files.b}, {"accuracy", share(v.b_right, v.images)}}},
          {"data", files.data},
          {"images", v.images},
          {"agreement", share(v.agree, v.images)},
          {"largest_difference", v.largest_difference},
          {"largest_logit", v.largest_logit},
          {"noise_images", v.noise_images},
          {"layers", layers}};
}

}  // namespace espalier::apps
