// The weights that a run starts from, in place of random ones.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/archive/archive.hpp"
#include "layers/torch_weights.hpp"

namespace espalier::apps {

class FirstWeights {
 public:
  // file: as espalier train --weights keeps it, or a state_dict of PyTorch (layers/torch_weights.hpp),
  // to which alone a map (empty: none) belongs. Errors: those of reading; kUsage for a map beside the
  // former; kCorrupt for a training run under way.
  FirstWeights(const std::filesystem::path& file, const std::filesystem::path& map);

  // `input` is of one example. Errors: weights that do not fit.
  void put_into(Sequential& model, const Shape& input);

  // What put_into() did, for people: lines that end in newlines.
  std::string told(const Sequential& model) const;
  // A line that is another one where the bytes of the file or the map are.
  const std::string& identity() const { return identity_; }

 private:
  std::string file_, identity_;
  Archive archive_;
  TorchMap map_;
  std::optional<TorchReport> report_;  // of PyTorch's weights
};

}  // namespace espalier::apps
