// check-export --data FOLDER [--keep DIR] MODEL.esp...: each model exported in every format; C99
// and JavaScript run on all 10,000 test images of MNIST, C99 for a Cortex-M4 on the first 100, and
// every logit compared with the reference executor's. Prints the rows of EXPORT.md's table. Fails if one of an integer model differs. With
// --keep, DIR gets what check_engines.py reads: MODEL.onnx, .tflite, .logits and `pixels`, `labels`.
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>

#include "apps/common/program.hpp"
#include "compress/export/network.hpp"
#include "compress/export/onnx.hpp"
#include "compress/export/tflite.hpp"
#include "compress/format/reader.hpp"
#include "compress/runtime/session.hpp"
#include "datasets/fetch_mnist.hpp"
#include "tests/compress/export/exported.hpp"

using namespace espalier;
using namespace espalier::exports;
namespace {

struct Options {
  std::filesystem::path data, keep;
  std::vector<std::filesystem::path> models;
};

Bytes bytes_of(const Logits& logits) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(logits.data());
  return {from, from + logits.size() * sizeof(float)};
}

// Of gzip -9.
std::size_t gzip_bytes(const std::string& text) {
  z_stream z{};
  require(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK,
          ErrorKind::kInternal, "gzip", "no memory");
  Bytes out(deflateBound(&z, text.size()));
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = out.data(), z.avail_out = static_cast<uInt>(out.size());
  require(deflate(&z, Z_FINISH) == Z_STREAM_END, ErrorKind::kInternal, "gzip", "failed");
  deflateEnd(&z);
  return z.total_out;
}

// .text and .rodata, and .bss, of the file compiled for a Cortex-M4 with -Os.
std::string cortex_m4_sizes(const std::filesystem::path& folder) {
  const std::string object = (folder / "net.o").string();
  succeed({"arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-std=c99", "-Wall", "-Wextra",
           "-Werror", "-pedantic", "-Os", "-c", (folder / "net.c").string(), "-o", object});
  std::istringstream words(succeed({"arm-none-eabi-size", object}));
  std::string word, text, data, bss;
  for (int i = 0; i < 6; ++i) words >> word;
  words >> text >> data >> bss;
  return text + " | " + bss;
}

void check(const Options& o) {
  const auto data = datasets::find_or_fetch_mnist(o.data);
  require(data.has_value(), "check-export", "no MNIST in ", o.data);
  const auto& test = *data->test;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("espalier_check_export." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::cout << "| model | .esp | .c | M4 flash | M4 RAM | .js | .js.gz | differing logits: C99 | "
               "M4 | JS |\n|---|---|---|---|---|---|---|---|---|---|\n";
  std::size_t all = 0;  // the differing logits of integer models
  for (const auto& file : o.models) {
    const Bytes stored = read_file(file);
    const runtime::Model model(format::read(stored, file.string()));
    const auto& packed = model.packed();
    runtime::Session session(model, {.executor = runtime::Executor::kReference, .batch = 100});
    Pixels pixels;
    Logits want;
    Bytes labels;
    datasets::for_each_batch(test, test.size(), 100, [&](const datasets::Batch& batch) {
      for (const float v : batch.images.values())
        pixels.push_back(static_cast<std::uint8_t>(std::lround(v * 255)));
      const auto logits = session.run(batch.images);
      want.insert(want.end(), logits.begin(), logits.end());
      for (const auto label : batch.labels) labels.push_back(static_cast<std::uint8_t>(label));
    });
    if (!o.keep.empty()) {  // and runs nothing
      std::filesystem::create_directories(o.keep);
      write_file(o.keep / (file.stem().string() + ".onnx"), onnx(packed));
      write_file(o.keep / (file.stem().string() + ".tflite"), tflite(packed));
      write_file(o.keep / "pixels", pixels);
      write_file(o.keep / "labels", labels);
      write_file(o.keep / (file.stem().string() + ".logits"), bytes_of(want));
      continue;
    }
    const bool integers = !packed.input.is_float();
    const auto verdict = [&](const Logits& got, const Logits& wanted) {
      if (integers) {
        const std::size_t count = differing(got, wanted);
        all += count;
        return std::to_string(count);
      }
      std::ostringstream text;
      text << "by " << difference(got, wanted);
      return text.str();
    };
    const std::string c = verdict(run_c99(folder, packed, pixels), want);
    std::string sizes = "- | -", m4 = "-", script = "- | -", js_differing = "-";
    if (has_cortex_m4()) {
      sizes = cortex_m4_sizes(folder);
      const auto hundred = [](const auto& all, std::size_t images) {
        return std::remove_cvref_t<decltype(all)>(
            all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / images * 100));
      };
      const auto images = static_cast<std::size_t>(test.size());
      m4 = verdict(run_cortex_m4(folder, packed, hundred(pixels, images)), hundred(want, images));
    }
    if (integers) {
      const std::string text = js(packed, {.name = file.stem().string()});
      script = std::to_string(text.size()) + " | " + std::to_string(gzip_bytes(text));
      if (installed("node")) js_differing = verdict(run_js(folder, packed, pixels, true), want);
    }
    std::cout << "| " << file.filename().string() << " | " << stored.size() << " | "
              << c99(packed, {.name = file.stem().string()}).size() << " | " << sizes << " | "
              << script << " | " << c << " | " << m4 << " | " << js_differing << " |" << std::endl;
  }
  std::filesystem::remove_all(folder);
  require(all == 0, ErrorKind::kInternal, "check-export", all,
          " logits of integer models differ from the reference executor's; none may");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Checks the exporters on all of MNIST's test images.");
  app.name("check-export");
  app.add_option("--data", options.data, "Folder with MNIST's IDX files")->required();
  app.add_option("--keep", options.keep, "Folder for what check_engines.py reads");
  app.add_option("models", options.models, ".esp files")->required();
  return apps::run_program(app, argc, argv, [&] { check(options); });
}
