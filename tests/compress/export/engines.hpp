// ONNX Runtime and LiteRT on exported files, where a python has them.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/process.hpp"
#include "tests/compress/export/exported.hpp"

namespace espalier::exports {

// The python of ESPALIER_ENGINES_PYTHON, or python3, if it has the engines; else "", with a message.
inline std::string engines_python() {
  const char* given = std::getenv("ESPALIER_ENGINES_PYTHON");
  const std::string python = given ? given : "python3";
  try {
    if (run_process({python, "-c", "import numpy, onnx, onnxruntime, ai_edge_litert"},
                    {.capture_error = true})
            .ok())
      return python;
  } catch (const Error&) {  // there is no such program
  }
  MESSAGE(
      "skipped: pip install numpy onnx onnxruntime ai-edge-litert, and name that python in "
      "ESPALIER_ENGINES_PYTHON");
  return "";
}

struct Agreement {
  std::string answers = "0.995";       // that agree, as a share
  std::string difference = "0.05";     // no logit is further off than this share of the largest one
  std::vector<std::string> more = {};  // of check_engines.py's options
};

// check_engines.py on what lies in the folder. Skipped without engines.
inline void check_engines(const std::filesystem::path& folder, const Agreement& wanted = {}) {
  const std::string python = engines_python();
  if (python.empty()) return;
  const ProcessResult result =
      run_process(joined({python, test_file("check_engines.py"), folder.string(), "--agree",
                          wanted.answers, "--difference", wanted.difference},
                         wanted.more),
                  {.capture_error = true});
  CHECK_MESSAGE(result.ok(), result.output << result.error);
  MESSAGE(result.output);  // the figures of apps/RESULTS.md
}

}  // namespace espalier::exports
