#include "core/onednn/execution.hpp"

namespace espalier::dnn {

dnnl::memory at(void* data, const Desc& desc) {
  return dnnl::memory(desc, engine(), data);
}

Tensor rearranged(const void* values, const Desc& from, const Desc& to) {
  Tensor result = opaque(to);
  const auto target = opaque_memory(result, to);
  Execution::make<dnnl::reorder>(
      dnnl::reorder::primitive_desc(engine(), from, engine(), to, attributes()),
      {{DNNL_ARG_FROM, at(const_cast<void*>(values), from)}, {DNNL_ARG_TO, target}})
      .run();
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
  try {
    execute(primitive_, arguments_);
  } catch (const dnnl::error& e) {
    fail(e);
  }
}

}  // namespace espalier::dnn
