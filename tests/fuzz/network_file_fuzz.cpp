// A network in a file: what is accepted is written, and reads back to the same bytes. Any other archive
// may be PyTorch's: its tensors go into a network whole, or not at all.
#include "layers/network_file.hpp"

#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/parameter_file.hpp"
#include "layers/torch_weights.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;
namespace {

const Shape kImage{4, 4, 1};

Sequential network() {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 2, .kernel = 3}, rng));
  model.add("norm", BatchNorm({.channels = 2}));
  model.add("flatten", Flatten());
  model.add("output", Dense({.in = 8, .out = 2}, rng));
  return model;
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  Sequential model = network();
  std::vector<Bytes> seeds = {encode_network(model, kImage, {"a", "b"}),
                              encode_network(model, kImage, {}, {{"more", "text"}})};
  Archive torch;
  torch.tensors["0.weight"] = Tensor({2, 1, 3, 3});
  torch.tensors["0.bias"] = Tensor({2});
  for (const char* own : {"weight", "bias", "running_mean", "running_var"})
    torch.tensors[std::string("1.") + own] = Tensor({2});
  torch.tensors["3.weight"] = Tensor({2, 8});
  seeds.push_back(encode_archive(torch));
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::may_refuse([&] {
    const Archive archive = decode_archive({data, size}, "fuzz");
    ModelJson read = network_of(archive, "fuzz");
    const Bytes written = encode_network(read.model, read.input, read.labels);
    try {
      ModelJson again = network_of(decode_archive(written, "again"), "again");
      fuzz::promise(encode_network(again.model, again.input, again.labels) == written);
    } catch (const Error&) {
      fuzz::promise(false);  // what was accepted once must be accepted as we write it
    }
  });
  fuzz::may_refuse([&] {
    const Archive archive = decode_archive({data, size}, "fuzz");
    Sequential model = network();
    const Bytes before = encode_archive(parameters_of(model));
    try {
      set_torch_weights(model, kImage, archive, "fuzz");
    } catch (const Error&) {
      fuzz::promise(encode_archive(parameters_of(model)) == before);
      throw;
    }
  });
  return 0;
}
