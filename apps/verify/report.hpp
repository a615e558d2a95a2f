// What verify found, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apps/verify/verification.hpp"

namespace espalier::apps {

struct VerifiedFiles {
  std::string a, b;                 // paths
  std::string data;                 // its name
  std::string examples = "images";  // what they are called
};

void print(const Verification& verification, const VerifiedFiles& files);
// "snr_db" is null for a layer that was not compared and for one without noise ("exact").
nlohmann::json to_json(const Verification& verification, const VerifiedFiles& files);

}  // namespace espalier::apps
