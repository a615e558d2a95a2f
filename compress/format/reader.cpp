#include "compress/format/reader.hpp"

#include <algorithm>

#include "compress/format/plain_coder.hpp"
#include "compress/format/syntax.hpp"
#include "compress/format/validate.hpp"

namespace espalier::format {
namespace {

template <class Coder>
PackedModel decode(std::span<const std::uint8_t> payload, const std::string& name,
                   std::uint64_t most, int version,
                   const std::function<void(std::size_t)>& on_read) {
  Coder coder(payload);
  PackedModel model;
  Syntax syntax(coder, model, name, most, version);
  syntax.on_read = on_read;
  syntax.head();
  for (std::size_t i = 0; syntax.layer(i);) ++i;
  require(coder.at_end(), ErrorKind::kCorrupt, name, "bytes are left over");
  return model;
}

}  // namespace

PackedModel read(std::span<const std::uint8_t> bytes, std::string name,
                 const ReadOptions& options) {
  const auto check = [&](bool ok, const auto&... parts) {
    require(ok, ErrorKind::kCorrupt, name, parts...);
  };
  check(bytes.size() >= 4 && bytes.size() <= kMaxFileBytes, bytes.size(),
        " bytes are no .esp file; espalier train and compress write them (--out)");
  check(bytes[0] != 'E', "an .esp file of version 0; pack the model again");
  check(bytes[0] >> 4 == 0xE, "not an .esp file; espalier train and compress write them (--out)");
  const int version = version_of(bytes[0]);
  check(kOldestVersion <= version && version <= kNewestVersion, "version ", version,
        "; this program reads versions ", kOldestVersion, " to ", kNewestVersion,
        "; use the Espalier that wrote it, or a newer one");
  const auto body = bytes.first(bytes.size() - checksum_bytes(bytes.size()));
  check(is_sealed(bytes), "the checksum does not fit: the file was changed or cut; copy it again");

  const auto coding = coding_of(bytes);
  const auto most = std::min(options.weight_limit, most_weights(bytes.size()));
  // As many bytes of the file as of what stands behind its first one: one less than were read, so that the
  // last, which tells whether the stream ends as it should, is not among them.
  const auto on_read = options.canonical ? nullptr : options.on_read;
  PackedModel model = coding == Coding::kRange
                          ? decode<RangeDecoder>(body.subspan(1), name, most, version, on_read)
                          : decode<PlainDecoder>(body.subspan(1), name, most, version, on_read);
  if (!options.canonical) {
    validate(model, ErrorKind::kCorrupt, name);
    return model;
  }
  // One model, one file: a flag that only repeats a default or another end of the stream would be a
  // second spelling. Writing again, which validates, is the rule that leaves none out.
  check(std::ranges::equal(write(model, coding, ErrorKind::kCorrupt, name), bytes),
        "not in its one canonical form; pack the model again");
  return model;
}

}  // namespace espalier::format
