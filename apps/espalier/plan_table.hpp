// inspect --plan: which kernel runs which layers, and what it costs.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "compress/runtime/plan_options.hpp"

namespace espalier::apps {

// The words of --kernels. Errors: kUsage for a word that is none of them.
std::vector<std::string> kernel_words();
runtime::Kernels kernels_named(const std::string& word);

// `width`: of the terminal (core/base/table.hpp).
void print_plan(std::ostream& out, const format::PackedModel& model,
                const std::vector<runtime::PlannedStep>& steps, std::int64_t batch,
                std::size_t width);
// {"batch", "isa", "steps": [...]}.
nlohmann::json plan_json(const format::PackedModel& model,
                         const std::vector<runtime::PlannedStep>& steps, std::int64_t batch);

}  // namespace espalier::apps
