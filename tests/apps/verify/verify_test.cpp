// espalier verify as a user runs it.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "layers/network_file.hpp"
#include "layers/parameter_file.hpp"
#include "layers/tutorial_models.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/apps/program_json.hpp"

using namespace espalier;
using nlohmann::json;
using tests::contains;
using tests::parsed;
using tests::run_program;
TEST_CASE("verify a trained file against the weights that train kept") {
  const tests::Folder folder("verify_test");
  const std::string place = folder.path.string() + "/", model = place + "m.esp",
                    weights = place + "float.safetensors";
  write_file(place + "recipe.json", R"([{"quantize": {"weight_bits": 4}, "epochs": 0}])");
  const json trained =
      parsed("espalier train --synthetic --images 400 --epochs 2 --json --recipe " + place +
             "recipe.json --weights " + weights + " --out " + model);
  const json found =
      parsed("espalier verify --json --synthetic " + model + " --against " + weights);
  CHECK(found["b"].at("accuracy") == trained["stages"][0].at("accuracy"));
  CHECK(found["a"].at("accuracy") == trained["stages"][1].at("accuracy"));
  CHECK(found.at("agreement") > 0.8);
  CHECK(found.at("agreement") < 1);
  REQUIRE(found.at("layers").size() == 2);
  for (const json& layer : found["layers"]) {  // four bits
    CHECK(layer.at("snr_db") > 10);
    CHECK(layer.at("snr_db") < 35);
  }
  const auto text = run_program("espalier verify --synthetic " + model + " --against " + weights);
  for (const char* part : {" right: ", "The same answer to ", "Largest difference of a logit: ",
                           "SNR, dB", "conv1", "on the first 200 images"})
    CHECK_MESSAGE(contains(text.output, part), text.output);

  const auto drop =
      run_program("espalier verify --synthetic " + model + " --against " + model + " --max-drop 0");
  CHECK_MESSAGE(drop.exit_code == 0, drop.output);
  CHECK(contains(drop.output, "exact"));
}

TEST_CASE("verify: weights without their network, a worse model, what does not fit") {
  const tests::Folder folder("verify_cli_test");
  const std::string place = folder.path.string() + "/", model = place + "m.esp",
                    weights = place + "w.safetensors";
  write_file(model, format::write(tests::nearest_mean()));
  Sequential small = small_model(1);
  save_parameters(small, weights);
  const std::string command = "espalier verify --synthetic " + model + " --against ";
  const auto refuses = [&](const std::string& arguments, int code, const std::string& part) {
    const auto result = run_program(command + arguments);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  refuses(weights, 3, "does not say which network its weights belong to; name it with --model");
  refuses(weights + " --model lenet5", 3, "w.safetensors: conv1.weight is float32 [12x3x3x1]");
  refuses(weights + " --model lenet55", 2, "there is no network lenet55");
  refuses(model + " --model lenet5", 2, "holds its own network");
  refuses("none.safetensors", 4, "none.safetensors");
  refuses("none.esp", 4, "none.esp");
  refuses("", 2, "--against");
  // An untrained network is right on a tenth; so the model is better, and the reverse is a drop.
  const json found = parsed(command + weights + " --model tutorial-small --json --max-drop 0");
  CHECK(found["a"].at("accuracy") > found["b"].at("accuracy"));
  CHECK(found["layers"][0].at("compared") == false);
  auto worse = tests::nearest_mean();
  worse.layers[1].bias[0] += 1000;
  write_file(place + "worse.esp", format::write(worse));
  const auto drop = run_program("espalier verify -q --synthetic --max-drop 5 " + place +
                                "worse.esp --against " + model);
  CHECK(drop.exit_code == 5);
  CHECK_MESSAGE(contains(drop.output, "percentage points less than"), drop.output);

  Archive under_way;
  under_way.tensors["model.dense.bias"] = Tensor({10});
  under_way.tensors["optimizer.mean.0"] = Tensor({10});
  save_archive(under_way, place + "stage-0.checkpoint");
  refuses(place + "stage-0.checkpoint", 3, "training run under way");
  ModelJson narrow = parse_model_json(
      R"({"input": [14, 14, 1], "layers": [{"type": "Flatten"}, {"type": "Dense", "units": 10}]})",
      "narrow");
  write_file(weights, encode_network(narrow.model, narrow.input));
  refuses(weights, 2, "takes images of another shape");
}
