// Run an .esp file with the runtime library alone: what ships in a program that never trains.
//   espalier-example-run-file MODEL.esp PIXELS     PIXELS: H * W * C bytes, row by row, no header
#include <iostream>

#include "compress/runtime/session.hpp"
#include "core/base/file.hpp"
#include "core/tensor/argmax.hpp"

using namespace espalier;

void run(const char* file, const char* pixels) {
  runtime::Session session(runtime::Model::load(file));  // threads would share one Model instead
  const auto& model = session.model().packed();
  const auto [height, width, channels] = model.input_shape;
  Tensor images({1, height, width, channels});
  const Bytes bytes = read_file(pixels);
  require(std::ssize(bytes) == images.elements(), ErrorKind::kCorrupt, pixels, "holds ",
          bytes.size(), " bytes; the model wants ", images.elements(), ", one a value of ",
          images.shape());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    images.mutable_values()[i] = static_cast<float>(bytes[i]) / 255;

  const auto logits = session.run(images);
  const auto best = static_cast<std::size_t>(argmax_rows(logits, session.classes()).front());
  const auto& labels = model.labels;
  std::cout << (labels.empty() ? std::to_string(best) : labels[best]) << ": logit " << logits[best]
            << '\n';
}

int main(int argc, char** argv) {
  try {
    require(argc == 3, "usage", "espalier-example-run-file MODEL.esp PIXELS");
    run(argv[1], argv[2]);
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return error.exit_code();
  }
}
