// What inspect finds, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "apps/espalier/layer_facts.hpp"
#include "apps/espalier/trace.hpp"

namespace espalier::apps {

nlohmann::json facts_json(const std::string& file, std::int64_t file_bytes,
                          const format::PackedModel& model, const ModelFacts& facts);
nlohmann::json trace_json(const Trace& trace);

}  // namespace espalier::apps
