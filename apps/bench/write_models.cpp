#include <filesystem>

#include "apps/bench/models.hpp"
#include "apps/bench/worker.hpp"
#include "compress/export/onnx.hpp"
#include "compress/export/tflite.hpp"
#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "datasets/idx.hpp"
#include "layers/model_json.hpp"
#include "layers/parameter_file.hpp"

namespace espalier::bench {
namespace {

namespace fs = std::filesystem;

void write_packed(const format::PackedModel& packed, const fs::path& stem) {
  const auto with = [&](const char* extension) { return fs::path(stem.string() + extension); };
  write_file(with(".esp"), format::write(packed));
  write_file(with(".onnx"), exports::onnx(packed));
  write_file(with(".tflite"), exports::tflite(packed));
}

void write_digits(const fs::path& folder) {
  const auto& all = digits();
  const Shape& s = all.image_shape();
  Tensor images(Shape{all.size(), s[0], s[1], s[2]}, DType::kUint8);
  Tensor labels(Shape{all.size()}, DType::kUint8);
  std::uint8_t* to = images.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const auto example = all.get(i);
    for (const float v : example.image.values()) *to++ = static_cast<std::uint8_t>(v * 255 + 0.5f);
    labels.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(example.label);
  }
  write_file(folder / "images.idx", datasets::encode_idx(images));
  write_file(folder / "labels.idx", datasets::encode_idx(labels));
}

}  // namespace

void write_models(const fs::path& folder, const std::vector<std::string>& names) {
  fs::create_directories(folder);
  for (const std::string& name : names) {
    Sequential model = training_model(name);
    write_file(folder / (name + ".json"), format_model_json(model, digits().image_shape(), name));
    save_parameters(model, folder / (name + ".safetensors"));
    TrainedModel& trained = trained_model(name);
    save_parameters(trained.model, folder / (name + ".trained.safetensors"));
    write_packed(trained.float32, folder / (name + ".float32"));
    write_packed(trained.int8, folder / (name + ".int8"));
    write_file(folder / (name + ".pruned.esp"),
               format::write(pruned(trained.int8, {.share = 0.9})));
  }
  write_digits(folder);
}

}  // namespace espalier::bench
