#include "apps/verify/other_side.hpp"

#include "apps/common/model_input.hpp"
#include "apps/common/table_metadata.hpp"
#include "apps/smallest/weights_file.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/pack/pack.hpp"
#include "compress/runtime/stages.hpp"
#include "core/archive/archive.hpp"
#include "core/base/file.hpp"

namespace espalier::apps {
format::PackedModel load_other_side(const OtherSide& side, const format::PackedModel& like) {
  if (side.file.extension() == ".esp") {
    require(side.model.empty(), "--model", side.file.string(),
            " holds its own network; --model is for files of weights");
    return format::read(read_file(side.file, format::kMaxFileBytes), side.file.string());
  }
  const auto [height, width, channels] = like.input_shape;
  ModelJson network = load_weights(
      side.file, side.model,
      {.image = {height, width, channels}, .classes = runtime::stages(like).back().elements()});
  format::PackedModel packed = pack::pack(network.model, network.input);
  packed.labels = network.labels;
  ModelInput table{.file = side.file.string(), .shape = packed.input_shape, .labels = {}};
  add_table(table, load_archive(side.file).metadata);
  remember_table(packed, table);
  return packed;
}

}  // namespace espalier::apps
