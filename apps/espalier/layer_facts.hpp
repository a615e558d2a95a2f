// What a packed model's layers are and cost, counted from the file's records.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "compress/format/writer.hpp"

namespace espalier::apps {

struct LayerFacts {
  std::string name, kind;                // "conv1", "conv 3x3 + relu"
  std::array<std::int64_t, 3> output{};  // H W C
  int bits = 0;                          // of a weight; 0: the layer has none
  bool integer = false;                  // computes with levels (format::takes_levels), not floats
  std::int64_t weights = 0, zeros = 0;   // without biases
  std::int64_t parameters = 0;           // weights, biases, batch norm's two vectors
  std::int64_t macs = 0;                 // multiply-accumulates an image, zeros included
  std::int64_t activation_bytes = 0;     // of the output: 1 a level, 4 a float
  std::size_t file_bytes = 0;            // this layer's share of the file
};

struct ModelFacts {
  std::vector<LayerFacts> layers;
  std::size_t file_bytes = 0;    // of the model as the writer writes it
  std::size_t header_bytes = 0;  // what belongs to no layer: head, labels, checksum
  std::int64_t weights = 0, zeros = 0, parameters = 0, macs = 0;
  std::int64_t dense_float_bytes = 0;      // 4 a parameter
  std::int64_t peak_activation_bytes = 0;  // runtime::peak_activation_bytes
};

// The layers' file_bytes are their bits in the stream, the running sum rounded to bytes; with
// header_bytes they sum to the whole. Errors: as format::write and runtime::stages.
ModelFacts count_facts(const format::PackedModel& model,
                       format::Coding coding = format::Coding::kRange);

// `part` of `whole` as a fraction; 0 of nothing.
inline double share(std::int64_t part, std::int64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// In words and a table at most `width` columns wide (0: no limit), what the file's own text holds
// made printable.
void print_facts(std::ostream& out, const std::string& file, std::int64_t file_bytes,
                 const format::PackedModel& model, const ModelFacts& facts, std::size_t width);

}  // namespace espalier::apps
