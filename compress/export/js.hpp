// A quantized model as one JavaScript file without dependencies, for web pages and Node: the
// integers of compress/INTEGERS.md, and so the runtime's logits, bit for bit.
#pragma once

#include <string>

#include "compress/format/packed_model.hpp"

namespace espalier::exports {

struct JsOptions {
  std::string name = "model";  // of the object that it declares; an identifier is made of it
  // An ES module (.mjs), which exports what the object has; else a file for <script> and for
  // require().
  bool module = false;
  std::string file = "";  // what its head says to load; "": the name with .js or .mjs
};

// Errors: kUsage, as network_of(), for float models, and for those of more
// than kMaxTextWeights weights (network.hpp).
std::string js(const format::PackedModel& model, const JsOptions& options = {});

}  // namespace espalier::exports
