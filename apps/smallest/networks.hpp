// The networks of which small files are made, at any width.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/shape.hpp"
#include "layers/sequential.hpp"

namespace espalier::apps {

struct NetworkKind {
  std::string name;                              // "lenet5"
  std::string description;                       // "LeNet-5-Caffe: ..."
  std::vector<std::int64_t> widths;              // of the whole network's hidden layers, in order
  std::vector<std::vector<std::int64_t>> small;  // with which a search for small files begins
  std::string json = {};  // of one that is not built in: its model.json, without widths to choose
};

const std::vector<NetworkKind>& network_kinds();
// For --help: a line each, of name and description.
std::string network_list();
// Errors: kUsage, naming those that exist.
const NetworkKind& network_kind(const std::string& name);
// The network of a model.json's text, as it is.
NetworkKind network_of_json(std::string name, std::string json);

// What the network sees and says.
struct Task {
  Shape image{28, 28, 1};  // [H W C]
  std::int64_t classes = 10;
};

// First values from `rng`. dropout: before the last layer, where the network has a hidden dense
// layer; 0: none; a model.json's layers say their own. Errors: kUsage for another number of widths than the kind has, and images too
// small for its kernels.
Sequential make_network(const NetworkKind& kind, const std::vector<std::int64_t>& widths,
                        const Task& task, Rng& rng, float dropout = 0);

}  // namespace espalier::apps
