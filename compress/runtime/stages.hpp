// What lies before, between and after the layers of a packed model: one walk that checks what the
// format does not, and that every executor and every count of costs reads.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "core/base/error.hpp"
#include "core/kernels/window.hpp"

namespace espalier::runtime {

struct Stage {
  std::array<std::int64_t, 3> shape;  // H W C of one image
  format::ActivationGrid grid;        // float, or of the levels
  std::int64_t elements() const { return shape[0] * shape[1] * shape[2]; }
  std::int64_t bytes() const { return elements() * (grid.is_float() ? 4 : 1); }
};

// stages[0] is the model's input, stages[i + 1] what layer i yields (format/wiring.hpp has what it
// reads), stages.back() the logits. Errors: `kind`, naming `where` and
// the layer: padding as large as its kernel, a model that ends in levels.
std::vector<Stage> stages(const format::PackedModel& model, ErrorKind kind = ErrorKind::kUsage,
                          std::string_view where = "Model");

// Whether every executor computes the same bits: some activations are levels. Floats of such a
// model are summed in float64 and in order (core/kernels/ordered_product.hpp), as a difference in
// their last bit could become one of a whole level. Models of floats alone are summed as it is
// fastest.
bool is_exact(const format::PackedModel& model);

kernels::Window window_of(const format::PackedLayer& layer);

}  // namespace espalier::runtime
