#include "optim/training/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/archive/archive.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "core/kernels/precision.hpp"
#include "core/onednn/isa.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::training {
namespace {

// Every tensor of the run by name; the handles share the run's memory.
std::map<std::string, Tensor> tensors_of(const RunState& run) {
  std::map<std::string, Tensor> all;
  run.model.visit({.parameter = [&](const std::string& name,
                                    Parameter& p) { all["model." + name] = p.latent().value(); },
                   .state = [&](const std::string& name, Tensor& s) { all["model." + name] = s; }});
  run.optimizer.visit_state(
      [&](const std::string& name, Tensor& s) { all["optimizer." + name] = s; });
  if (run.watch)
    run.watch->visit_state([&](const std::string& name, Tensor& s) { all["watch." + name] = s; });
  for (std::size_t i = 0; i < run.passes.size(); ++i) {
    const std::string prefix = "pass." + std::to_string(i) + '.';
    const bool resumable = run.passes[i]->visit_state(
        [&](const std::string& name, Tensor& s) { all[prefix + name] = s; });
    require(resumable, "checkpoint", "pass ", i + 1,
            " cannot be resumed yet; run it without a checkpoint");
  }
  return all;
}

// A number of the file's metadata.
std::uint64_t number(const Archive& archive, const std::string& key, const std::string& file) {
  const auto found = archive.metadata.find(key);
  require(found != archive.metadata.end(), ErrorKind::kCorrupt, file, "lacks ", key);
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && value <= INT64_MAX,
          ErrorKind::kCorrupt, file, key, " is no number: ", text);
  return value;
}

// All of its digits.
std::string text_of(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

double sum_of(const Archive& archive, const std::string& key, const std::string& file) {
  const auto found = archive.metadata.find(key);
  if (found == archive.metadata.end()) return 0;  // files of an epoch's end had none
  const std::string& text = found->second;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
          ErrorKind::kCorrupt, file, key, " is no number: ", text);
  return value;
}

// What is to be said of bits, of a file that was written on such a machine; empty: nothing. With parts
// the number of threads changes none, unless something is decided by a validation loss.
std::string other_bits(const Archive& archive, const RunState& run) {
  const auto parts = run.settings.find("parts");
  const bool any_threads = parts != run.settings.end() && parts->second != "1" && !run.watch;
  std::vector<std::string> reasons;
  bool known = false;
  for (const auto& [name, value] : machine()) {
    const auto found = archive.metadata.find("machine." + name);
    if (found == archive.metadata.end()) continue;
    known = true;
    if (found->second != value && !(any_threads && name == "threads"))
      reasons.push_back(name + " was " + found->second + " and is " + value);
  }
  if (!known)
    return "goes on, but whether bit-identically is unknown: the file does not say on which "
           "processor, with how many threads and in which precision it was written";
  if (reasons.empty()) return "";
  return "goes on, but not bit-identically to a run that was never stopped: " + join(reasons, ", ");
}

constexpr const char* kChecksum = "crc32";

// Settings that came later: a file without them is of a run with these.
const std::map<std::string, std::string>& formerly() {
  static const std::map<std::string, std::string> settings = {{"parts", "1"}};
  return settings;
}

// What a file says of this setting; empty: nothing.
std::string setting_of(const Archive& archive, const std::string& name) {
  if (const auto found = archive.metadata.find("setting." + name); found != archive.metadata.end())
    return found->second;
  const auto former = formerly().find(name);
  return former == formerly().end() ? "" : former->second;
}

// Of names, text and values, in the order of their names; its own entry left out.
std::string checksum(const Archive& archive) {
  std::uint32_t crc = 0;
  const auto add = [&](const std::string& text) {
    crc = crc32({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, crc);
  };
  for (const auto& [key, value] : archive.metadata) {
    if (key == kChecksum) continue;
    add(key + '=' + value + '\n');
  }
  for (const auto& [name, tensor] : archive.tensors) {
    add(name);
    if (tensor.bytes() > 0) crc = crc32(bytes_of(tensor), crc);
  }
  return std::to_string(crc);
}

Archive load(const std::filesystem::path& path) {
  constexpr const char* kRemedy =
      "; this checkpoint is damaged: remove it, and the same command trains again what it held";
  const Bytes bytes = read_file(path);
  Archive archive;
  try {
    archive = decode_archive(bytes, path.string());
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + std::string(kRemedy));
  }
  const auto written = archive.metadata.find(kChecksum);
  if (written == archive.metadata.end()) return archive;  // an older file
  const std::string found = checksum(archive);
  require(written->second == found, ErrorKind::kCorrupt, path.string(), "its CRC-32 is ", found,
          ", and was ", written->second, " when it was written", kRemedy);
  return archive;
}

}  // namespace

std::int64_t steps_done(const std::filesystem::path& path) {
  return static_cast<std::int64_t>(number(load(path), "step", path.string()));
}

std::map<std::string, std::string> machine() {
  return {{"isa", std::string(effective_isa())},
          {"vector_isa", std::string(name_of(vector_isa()))},
          {"onednn", onednn_version()},
          {"threads", std::to_string(threads())},
          {"precision", std::string(kernels::name_of(kernels::precision()))}};
}

Bytes encode_checkpoint(const RunState& run) {
  Archive archive{.tensors = tensors_of(run), .metadata = {{"step", std::to_string(run.step)}}};
  for (const auto& [name, rng] : run.streams)
    archive.metadata["stream." + name] = std::to_string(rng->position());
  for (const auto& [name, value] : run.settings)
    if (const auto former = formerly().find(name);
        former == formerly().end() || former->second != value)
      archive.metadata["setting." + name] = value;
  for (const auto& [name, value] : machine()) archive.metadata["machine." + name] = value;
  for (const auto& [name, sum] : run.sums) archive.metadata["sum." + name] = text_of(*sum);
  archive.metadata[kChecksum] = checksum(archive);
  return encode_archive(archive);
}

void save_checkpoint(const RunState& run, const std::filesystem::path& path) {
  write_file(path, encode_checkpoint(run));
}

void load_checkpoint(const RunState& run, const std::filesystem::path& path, const Warn& warn) {
  const Archive archive = load(path);
  const std::string file = path.string();
  for (const auto& [name, value] : run.settings) {
    const std::string found = setting_of(archive, name);
    require(found == value, file, "is of a run with ", name, ' ', found.empty() ? "unknown" : found,
            ", this one has ", value, "; choose another checkpoint file or the same settings");
  }
  auto ours = tensors_of(run);
  for (const auto& [name, tensor] : ours) {
    const auto found = archive.tensors.find(name);
    require(found != archive.tensors.end(), file, "lacks ", name, "; it is of another run");
    require(found->second.shape() == tensor.shape() && found->second.dtype() == tensor.dtype(),
            file, name, " is ", found->second.dtype(), ' ', found->second.shape(),
            ", the run's is ", tensor.dtype(), ' ', tensor.shape());
  }
  for (const auto& entry : archive.tensors)
    require(ours.contains(entry.first), file, "holds ", entry.first, ", which this run has not");
  std::map<std::string, std::uint64_t> positions;
  for (const auto& stream : run.streams)
    positions[stream.first] = number(archive, "stream." + stream.first, file);
  std::map<std::string, double> sums;
  for (const auto& entry : run.sums)
    sums[entry.first] = sum_of(archive, "sum." + entry.first, file);
  const auto step = static_cast<std::int64_t>(number(archive, "step", file));
  if (const std::string note = other_bits(archive, run); !note.empty()) warn(file + ": " + note);

  for (auto& [name, tensor] : ours) tensor.copy_from(archive.tensors.at(name));
  for (const auto& [name, rng] : run.streams) rng->seek(positions.at(name));
  for (const auto& [name, sum] : run.sums) *sum = sums.at(name);
  run.step = step;
}

}  // namespace espalier::training
