#include "core/onednn/execution.hpp"

namespace espalier::dnn {

dnnl::memory at(void* data, const Desc& desc) {
  return dnnl::memory(desc, engine(), data);
}

Tensor rearranged(const void* values, const Desc& from, const Desc& to) {
  Tensor result = opaque(to);
  const auto target = opaque_memory(result, to);
  Primitive::reorder(from, to).run(
      {{DNNL_ARG_FROM, at(const_cast<void*>(values), from)}, {DNNL_ARG_TO, target}});
  return result;
}

Execution::Execution(dnnl::primitive primitive, const Desc& scratchpad, Bindings bindings,
                     Tensor weights)
    : primitive_(std::move(primitive)), weights_(std::move(weights)) {
  for (const auto& [argument, memory] : bindings) {
    memories_.push_back(memory);
    arguments_.push_back({argument, memory.get()});
  }
  if (scratchpad.get_size() == 0) return;
  scratchpad_ = opaque(scratchpad);
  memories_.push_back(opaque_memory(scratchpad_, scratchpad));
  arguments_.push_back({DNNL_ARG_SCRATCHPAD, memories_.back().get()});
}

void Execution::run() const {
  // The C++ interface would build a map and a vector at every call.
  try {
    dnnl::stream& on = stream();
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), on.get(), static_cast<int>(arguments_.size()),
                               arguments_.data()),
        "could not execute a primitive");
    dnnl::error::wrap_c_api(dnnl_stream_wait(on.get()), "could not wait for a primitive");
  } catch (const dnnl::error& e) {
    fail(e);
  }
}

}  // namespace espalier::dnn
