// What every walk does: commands that must end well, and answers that others are compared with.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "compress/runtime/session.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/export/exported.hpp"

namespace espalier::tests {

inline std::string output_of(const std::string& command) {
  const auto result = run_program("espalier " + command);
  REQUIRE_MESSAGE(result.exit_code == 0, command << '\n' << result.output);
  return result.output;
}

inline nlohmann::json json_of(const std::string& command) {
  const std::string text = output_of(command);
  const auto all = nlohmann::json::parse(text, nullptr, false);
  REQUIRE_MESSAGE(!all.is_discarded(), text);
  return all;
}

// By one executor, of images of bytes.
inline exports::Logits answers(const runtime::Model& model, const exports::Pixels& pixels,
                               runtime::Executor executor) {
  const auto& [height, width, channels] = model.packed().input_shape;
  const std::int64_t count = std::ssize(pixels) / (height * width * channels);
  runtime::Session session(model, {.executor = executor, .batch = count});
  Tensor images({count, height, width, channels});
  std::ranges::transform(pixels, images.mutable_data(),
                         [](std::uint8_t v) { return static_cast<float>(v) / 255; });
  const auto logits = session.run(images);
  return {logits.begin(), logits.end()};
}

inline void write_logits(const std::filesystem::path& file, const exports::Logits& logits) {
  Bytes raw(logits.size() * sizeof(float));
  std::memcpy(raw.data(), logits.data(), raw.size());
  write_file(file, raw);
}

}  // namespace espalier::tests
