// Version 3's part of the head: how a table's columns were scaled, and what the output stands for.
#pragma once

#include <bit>
#include <string>

#include "compress/format/level_coder.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/packed_model.hpp"

namespace espalier::format {

// `rarely`: the model of the head's flags; `name` in errors, which a decoder alone raises.
template <class Coder, class Model>
void code_scalings(Coder& coder, Model& model, BitModel& rarely, const std::string& name) {
  const auto scaling = [&](auto& s) {
    for (auto* v : {&s.mean, &s.deviation})
      set(*v, std::bit_cast<float>(coder.raw(32, std::bit_cast<std::uint32_t>(*v))));
  };
  if (coder.bit(rarely, !model.columns.empty())) {
    const auto channels = static_cast<std::uint64_t>(model.input_shape[2]);
    require(channels <= kMaxColumns, ErrorKind::kCorrupt, name, channels,
            " columns, over the limit of ", kMaxColumns);
    if constexpr (Coder::kDecodes) model.columns.resize(channels);
    for (auto& column : model.columns) scaling(column);
  }
  if (coder.bit(rarely, model.target.has_value())) {
    if constexpr (Coder::kDecodes) model.target.emplace();
    scaling(*model.target);
  }
}

}  // namespace espalier::format
