// One contender among those of peers/compare.py, which interleaves their rounds.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace espalier::bench {

// Writes for each of these models NAME.json, NAME.safetensors (first weights), NAME.trained.safetensors, NAME.float32 and NAME.int8 as
// .esp, .onnx and .tflite, NAME.pruned.esp (int8, 90 % zeros); and the digits as images.idx and labels.idx. Errors: kIo.
void write_models(const std::filesystem::path& folder, const std::vector<std::string>& names);

// Answers each line of JSON by one, until the input ends; a request that fails by {"error": ...}.
//
//   {"do": "facts"}                                      {"name", "versions": {...}, ...}
//   {"do": "prepare", "suite": "infer", "model": "large",
//    "batch": 1, "threads": 1, "folder": "DIR"}          {"variants": ["int8", "float32"],
//                                                        "checks": {"int8": [logits], ...}}
//   {"do": "round", "variant": "int8", "seconds": 0.02}  {"seconds": 1.5e-6, "cpu_seconds": 1.5e-6,
//                                                        "runs": 13000}
//
// `folder`: what write_models() wrote; what was prepared last is what rounds run.
void work(std::istream& in, std::ostream& out);

}  // namespace espalier::bench
