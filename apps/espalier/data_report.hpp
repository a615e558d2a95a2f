// What `espalier data info` says.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "datasets/load.hpp"
#include "datasets/statistics.hpp"

namespace espalier::apps {

struct DataReport {
  std::string path;
  datasets::LoadedData loaded;
  datasets::Statistics train, test;
};

// Reads every example once. `quiet`: without progress on standard error.
DataReport report_of(const std::filesystem::path& path, const datasets::LoadedData& loaded,
                     bool quiet);

void print(std::ostream& out, const DataReport& report);
nlohmann::json to_json(const DataReport& report);

}  // namespace espalier::apps
