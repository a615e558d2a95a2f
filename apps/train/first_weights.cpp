#include "apps/train/first_weights.hpp"

#include <sstream>

#include "core/base/file.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "layers/batch_norm.hpp"
#include "layers/network_file.hpp"
#include "layers/parameter_file.hpp"

namespace espalier::apps {
namespace {

constexpr float kTorchEpsilon = 1e-5f;  // torch.nn.BatchNorm2d's default

std::string checksum(const std::filesystem::path& file) {
  return "CRC-32 of " + file.string() + ": " + std::to_string(crc32(read_file(file)));
}

std::string number_text(float value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

bool is_ours(const Archive& archive) {
  return archive.metadata.contains("model");
}

std::string how_found(TorchMatch::How how) {
  switch (how) {
    case TorchMatch::How::kMapped:
      return "the map says so";
    case TorchMatch::How::kNamed:
      return "the names are alike";
    case TorchMatch::How::kShape:
      return "no other has this shape";
    case TorchMatch::How::kOrder:
      return "by order, of one shape";
  }
  return {};
}

}  // namespace

FirstWeights::FirstWeights(const std::filesystem::path& file, const std::filesystem::path& map)
    : file_(file.string()), identity_("from: " + checksum(file)), archive_(load_archive(file)) {
  require(!is_under_way(archive_), ErrorKind::kCorrupt, file_,
          "belongs to a training run under way, whose passes still transform its weights; "
          "espalier train --weights keeps those of a run that has ended");
  if (map.empty()) return;
  require(!is_ours(archive_), "--map", "is for PyTorch's weights, and ", file_,
          " was kept by espalier train --weights; leave it out");
  identity_ += ", " + checksum(map);
  const Bytes text = read_file(map, std::size_t{1} << 20);
  map_ = parse_torch_map({reinterpret_cast<const char*>(text.data()), text.size()}, map.string());
}

void FirstWeights::put_into(Sequential& model, const Shape& input) {
  if (is_ours(archive_))
    set_parameters(model, archive_, file_);
  else
    report_ = set_torch_weights(model, input, archive_, file_, map_);
}

std::string FirstWeights::told(const Sequential& model) const {
  const std::string file = printable(file_);
  if (!report_) return "starts from " + file + "\n";
  Column layer{.header = "layer", .left = true}, module{.header = "PyTorch's", .left = true},
      how{.header = "found", .left = true};
  for (const TorchMatch& match : report_->matches) {
    layer.cells.push_back(printable(match.layer));
    module.cells.push_back(printable(match.module));
    how.cells.push_back(how_found(match.how));
  }
  std::string text = "starts from PyTorch's weights in " + file + ":\n" +
                     table({layer, module, how}, terminal_width(2));
  const auto list = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) text += what + printable(join(names, ", ")) + "\n";
  };
  list("keep their random values: ", report_->kept);
  list("not used: ", report_->unused);
  for (const auto& [name, any] : model.layers())
    if (const auto* norm = dynamic_cast<const BatchNorm*>(any.get());
        norm && norm->options().epsilon != kTorchEpsilon) {
      text += "note: epsilon is not in such a file; " + printable(name) + " has " +
              number_text(norm->options().epsilon) +
              ", PyTorch's default is 1e-05 (\"epsilon\" in model.json)\n";
      break;
    }
  return text;
}

}  // namespace espalier::apps
