#include <algorithm>
#include <regex>

#include "apps/tutorial/lesson.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/text.hpp"
#include "core/tensor/argmax.hpp"
#include "datasets/image.hpp"

namespace espalier::apps {
namespace {

constexpr std::size_t kMostChanged = 100;

// [H W 1], 0..1, to 0..255, four times as large, so that a person can see it.
Tensor enlarged(const Tensor& image) {
  constexpr std::int64_t kTimes = 4;
  const std::int64_t h = image.shape()[0], w = image.shape()[1], c = image.shape()[2];
  Tensor large = Tensor::uninitialized({h * kTimes, w * kTimes, c}, DType::kUint8);
  std::uint8_t* to = large.mutable_data<std::uint8_t>();
  for (std::int64_t y = 0; y < h * kTimes; ++y)
    for (std::int64_t x = 0; x < w * kTimes; ++x)
      for (std::int64_t k = 0; k < c; ++k)
        *to++ = static_cast<std::uint8_t>(
            image.data()[((y / kTimes) * w + x / kTimes) * c + k] * 255.0f + 0.5f);
  return large;
}

std::vector<int> answers(const std::filesystem::path& file, const datasets::Dataset& data) {
  constexpr std::int64_t kBatch = 100;
  runtime::Session session(runtime::Model::load(file), {.batch = kBatch});
  std::vector<int> all;
  datasets::for_each_batch(data, data.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto some = argmax_rows(session.run(batch.images), session.classes());
    all.insert(all.end(), some.begin(), some.end());
  });
  return all;
}

}  // namespace

void write_pictures(const Lesson& lesson) {
  const auto& data = lesson.test();
  for (int digit = 0; digit < data.classes(); ++digit)
    for (std::int64_t i = 0; i < data.size(); ++i) {
      const auto example = data.get(i);
      if (example.label != digit) continue;
      datasets::write_png(lesson.path("digit-" + std::to_string(digit) + ".png"),
                          enlarged(example.image));
      break;
    }

  const auto folder = lesson.path("changed");
  std::filesystem::create_directories(folder);
  const std::regex ours("[0-9]+-is-[0-9]+-was-[0-9]+-now-[0-9]+\\.png");  // of an earlier run
  for (const auto& old : std::filesystem::directory_iterator(folder))
    if (std::regex_match(old.path().filename().string(), ours)) std::filesystem::remove(old.path());
  const auto before = answers(lesson.stages().front().file, data),
             after = answers(lesson.stages().back().file, data);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i] || ++changed > kMostChanged) continue;
    const auto example = data.get(static_cast<std::int64_t>(i));
    const std::string name = std::to_string(i) + "-is-" + std::to_string(example.label) + "-was-" +
                             std::to_string(before[i]) + "-now-" + std::to_string(after[i]);
    datasets::write_png(folder / (name + ".png"), enlarged(example.image));
  }
  lesson.say("Pictures: ten digits in " + lesson.options().out.string() + "; " +
             with_commas(static_cast<std::int64_t>(changed)) + " of " + with_commas(data.size()) +
             " test digits whose answer compression changed, in " + folder.string() +
             (changed > kMostChanged ? " (the first " + std::to_string(kMostChanged) + ")" : "") +
             "\n");
}

}  // namespace espalier::apps
