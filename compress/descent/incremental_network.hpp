// An integer network with every activation of some images at hand, so that the change of one level
// costs only what it changes. Levels, sums and rounding are those of compress/INTEGERS.md.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::descent {

// The level at `index` of a layer's weights ([O KH KW I] or [OUT IN]) or biases, moved by `by`.
struct Change {
  std::size_t layer = 0;
  bool bias = false;
  std::size_t index = 0;
  int by = 0;
};

class IncrementalNetwork {
 public:
  // images: [N H W C] of pixels / 255. Holds a byte an activation and four a sum for each of them.
  // Errors: kUsage for float models, batch norm, and images of another shape than the model's.
  IncrementalNetwork(format::PackedModel model, const Tensor& images);

  const format::PackedModel& model() const { return model_; }
  std::int64_t images() const { return images_; }
  std::span<const float> logits(std::int64_t image) const;

  // The logits of one image if the change were made. Valid until the next call.
  std::span<const float> logits_after(const Change& change, std::int64_t image);
  // Makes it, for all images and in the model.
  void make(const Change& change);

 private:
  struct Delta {
    std::uint32_t at;  // in a stage, [H W C]
    std::int32_t by;
  };
  struct Tap {  // a nonzero weight, as its input channel (convolution) or feature (dense) sees it
    std::uint32_t output, y, x;
    std::int32_t level;
  };
  // One layer's place in an image's state.
  struct Place {
    std::array<std::int64_t, 3> in{}, out{};      // H W C
    std::size_t input = 0, output = 0, sums = 0;  // first level, first level, first sum
    std::int32_t input_zero = 0;
    std::vector<float> multipliers = {};      // an output channel: to the next grid, or to logits
    std::vector<std::vector<Tap>> taps = {};  // an input channel
    std::vector<std::uint32_t> seen = {};     // an output: the last apply() that touched it
  };
  void lay_out();
  void list_taps(std::size_t layer);
  void begin(std::int64_t image);
  void apply(const Change& change, std::int64_t image);
  void undo();

  // Each takes deltas_ of the layer's input, changes its output, and leaves that one's.
  void pass_on(std::size_t layer, std::int64_t image);
  void linear(std::size_t layer, std::int64_t image);
  void pool(std::size_t layer, std::int64_t image);
  // The sums that change when one weight or bias does.
  void change_sums(const Change& change, std::int64_t image);
  // From changed sums to changed levels or logits.
  void settle(std::size_t layer, std::int64_t image);

  bool touch(Place& place, std::size_t output);
  void add(Place& place, std::int64_t image, std::size_t output, std::int32_t by);
  void set_level(const Place& place, std::int64_t image, std::uint32_t output, std::int32_t level);
  std::int32_t pooled(std::size_t layer, std::int64_t image, std::uint32_t output) const;
  // Images stand innermost: a change touches the same few places in all of them.
  std::size_t index_of(std::int64_t image, std::size_t place) const {
    return place * static_cast<std::size_t>(images_) + static_cast<std::size_t>(image);
  }

  format::PackedModel model_;
  std::int64_t images_ = 0;
  std::size_t classes_ = 0, levels_each_ = 0, sums_each_ = 0;
  std::vector<Place> places_;
  std::vector<std::uint8_t> levels_;
  std::vector<std::int32_t> sums_;
  std::vector<float> logits_;

  // Of the change at hand.
  std::uint32_t time_ = 0;
  std::vector<Delta> deltas_;
  std::vector<std::uint32_t> touched_;
  std::vector<std::pair<std::size_t, std::uint8_t>> old_levels_;
  std::vector<std::pair<std::size_t, std::int32_t>> old_sums_;
  std::vector<float> answer_;
};

}  // namespace espalier::descent
