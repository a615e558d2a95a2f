// How far off a file's predicted numbers are, as it runs.
#pragma once

#include "apps/common/number_scores.hpp"
#include "core/base/bytes.hpp"
#include "datasets/feature_rows.hpp"

namespace espalier::apps {

// In the unit of the table, whose targets became (value - mean) / deviation of `target`.
NumberScores number_scores(const Bytes& file, const datasets::Dataset& rows,
                           const datasets::Scaling& target);

}  // namespace espalier::apps
