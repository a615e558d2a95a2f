// What our coder and its peers make of one model's trained levels, in bytes; what each ingredient
// of ours is worth; how fast it decodes.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "apps/bench/peers.hpp"
#include "apps/common/program.hpp"
#include "compress/format/c99/esp_decode.h"
#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/validate.hpp"
#include "core/base/file.hpp"

using namespace espalier;
using namespace espalier::bench;
namespace {

// The levels, seen as the file's coder sees them.
std::vector<Tensor8> tensors_of(const format::PackedModel& model) {
  std::vector<Tensor8> tensors;
  auto shape = model.input_shape, window = shape;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto& l = model.layers[i];
    const auto input = shape;
    shape = format::output_shape(l, format::has_weight(l.kind) ? l.weight.shape[0] : shape[2],
                                 shape, ErrorKind::kUsage, "bench");
    if (i == 0 || model.layers[i - 1].kind != format::LayerKind::kFlatten) window = input;
    if (l.weight.levels.empty()) continue;
    const bool convolution = format::has_window(l.kind);
    if (convolution) window = {l.kernel_h, l.kernel_w, l.weight.shape[3]};
    const auto size = [](std::int64_t v) { return static_cast<std::size_t>(v); };
    tensors.push_back(
        {.name = l.name,
         .levels = l.weight.levels,
         .shape = {size(l.weight.shape[0]), size(window[0]), size(window[1]), size(window[2])},
         .bits = l.weight.bits,
         .convolution = convolution});
  }
  return tensors;
}

void row(const char* name, std::optional<double> bytes, double ours) {
  if (bytes)
    std::printf("%-36s %12.1f %9.2f\n", name, *bytes, *bytes / ours);
  else
    std::printf("%-36s %12s\n", name, "not built in");
}

void peers(const std::vector<Tensor8>& tensors, std::size_t file_bytes) {
  std::vector<std::uint8_t> bytes;
  std::size_t nonzeros = 0;
  for (const auto& t : tensors)
    for (const auto level : t.levels) {
      bytes.push_back(static_cast<std::uint8_t>(level));
      nonzeros += level != 0;
    }
  const auto ours = static_cast<double>(our_bytes(tensors));
  std::printf("%zu levels, %zu nonzero; the whole file takes %zu bytes\n\n%-36s %12s %9s\n",
              bytes.size(), nonzeros, file_bytes, "levels by", "bytes", "to ours");
  const auto general = [&](const char* name, std::optional<std::size_t> size) {
    row(name, size ? std::optional(static_cast<double>(*size)) : std::nullopt, ours);
  };
  general("zlib -9", zlib_bytes(bytes));
  general("zstd -19", zstd_bytes(bytes));
  general("xz -9e", xz_bytes(bytes));
  general("brotli -11", brotli_bytes(bytes));
  general("bitmap + values", bitmap_bytes(tensors));
  general("CSR + Huffman (Han 2016)", csr_huffman_bytes(tensors));
  general("static rANS", rans_bytes(tensors));
  row("order-0 entropy, without its tables", entropy_bytes(tensors), ours);
  row("ours", ours, ours);
}

void ingredients(const std::vector<Tensor8>& tensors) {
  using format::Ingredients;
  const auto all = static_cast<double>(our_bytes(tensors));
  std::printf("\n%-36s %12s %9s\n", "ours without", "bytes", "more");
  const auto without = [&](const char* name, Ingredients use) {
    const auto bytes = static_cast<double>(our_bytes(tensors, use));
    std::printf("%-36s %12.0f %8.1f%%\n", name, bytes, 100 * (bytes / all - 1));
  };
  without("(nothing taken away)", {});
  without("left and upper, for zero or not", {.neighbours = false});
  without("the diagonals, for zero or not", {.diagonals = false});
  without("the neighbours' signs", {.signs = false});
  without("the neighbours' magnitudes", {.magnitudes = false});
  without("flags of empty kernels", {.flags = false});
  without("models carried to the next tensor", {.carry_over = false});
  without("the prior for zeros", {.prior = false});
  without("any of them", {false, false, false, false, false, false, false});
}

// Seconds of the fastest of many runs: other work on the machine only slows them.
template <class Body>
double fastest(Body&& body) {
  double best = 1e9;
  for (int run = 0; run < 21; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    best = std::min(best, time.count());
  }
  return best;
}

void speed_row(const char* what, const char* profile, std::size_t levels, double seconds) {
  std::printf("%-28s %8s %12zu %14.1f\n", what, profile, levels,
              static_cast<double>(levels) / seconds / 1e6);
}

void speed(const std::vector<Tensor8>& tensors) {
  std::printf("\n%-28s %8s %12s %14s\n", "decoding", "profile", "levels", "MB a second");
  for (const auto& t : tensors) {
    format::RangeEncoder encoder;
    format::LevelModels models;
    format::LevelCoder(encoder, t.levels, t.shape, t.bits, models).code();
    const Bytes stream = encoder.finish();
    std::vector<std::int8_t> levels(t.levels.size());
    const double best = fastest([&] {
      std::ranges::fill(levels, std::int8_t{0});
      format::RangeDecoder decoder(stream);
      format::LevelModels fresh;
      format::LevelCoder(decoder, std::span(levels), t.shape, t.bits, fresh).code();
    });
    require(std::ranges::equal(levels, t.levels), ErrorKind::kInternal, t.name, "decoded wrong");
    speed_row(t.name.empty() ? "-" : t.name.c_str(),
              levels.size() >= format::kFastFrom ? "fast" : "careful", levels.size(), best);
  }
}

// The reader, which writes the model again to compare it, and the C99 decoder, which does not.
void whole_file_speed(const Bytes& file, const std::vector<Tensor8>& tensors) {
  std::size_t levels = 0;
  for (const auto& t : tensors) levels += t.levels.size();
  speed_row("whole file, read", "-", levels, fastest([&] { format::read(file, "bench"); }));
  std::vector<std::uint8_t> arena(1 << 20);
  esp_model model;
  const auto decode = [&] {
    return esp_decode(file.data(), file.size(), arena.data(), arena.size(), format::kMaxWeights,
                      &model);
  };
  while (decode() == ESP_ARENA) arena.resize(2 * model.arena_bytes);
  if (decode() == ESP_OK)
    speed_row("whole file, c99/esp_decode.c", "-", levels, fastest(decode));
  else
    std::printf("%-28s %8s\n", "whole file, c99/esp_decode.c", "not of version 1");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Bytes of a packed model's levels under our coder and its peers.");
  app.name("espalier-bench-coders");
  std::string file;
  bool with_ingredients = false, with_speed = false;
  app.add_option("FILE", file, "An .esp file with integer levels")->required();
  app.add_flag("--ingredients", with_ingredients, "Also our coder with each part taken away");
  app.add_flag("--speed", with_speed, "Also how fast each tensor decodes, and the file");
  app.footer("Example: espalier-bench-coders --ingredients espalier-out/quantized.esp");
  return apps::run_program(app, argc, argv, [&] {
    const Bytes bytes = read_file(file);
    const auto model = format::read(bytes, file);
    const auto tensors = tensors_of(model);
    require(!tensors.empty(), ErrorKind::kUsage, file, "holds no integer levels");
    peers(tensors, bytes.size());
    if (with_ingredients) ingredients(tensors);
    if (with_speed) speed(tensors), whole_file_speed(bytes, tensors);
  });
}
