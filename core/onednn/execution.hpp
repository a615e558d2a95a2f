// A primitive bound to its memory once, then executed again and again: what inference wants.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "core/onednn/onednn.hpp"

namespace espalier::dnn {

// Memory at `data`, which outlives it.
dnnl::memory at(void* data, const Desc& desc);

// `values`, which lie as `from` says, in a tensor of bytes that lie as `to` says.
Tensor rearranged(const void* values, const Desc& from, const Desc& to);

class Execution {
 public:
  using Bindings = std::initializer_list<std::pair<int, dnnl::memory>>;  // DNNL_ARG_SRC and so on

  // Makes the primitive and its scratchpad. The memories' data outlive this; `weights` may be
  // handed over.
  template <class P>
  static Execution make(const typename P::primitive_desc& desc, Bindings bindings,
                        Tensor weights = {}) {
    return Execution(P(desc), desc.scratchpad_desc(), bindings, std::move(weights));
  }

  // Returns when the work is done. Allocates nothing on our side of oneDNN (the library itself
  // copies the list of arguments at every execution). One thread at a time.
  void run() const;

 private:
  Execution(dnnl::primitive primitive, const Desc& scratchpad, Bindings bindings, Tensor weights);

  dnnl::primitive primitive_;
  Tensor weights_, scratchpad_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;  // of memories_, as the C interface wants them
};

}  // namespace espalier::dnn
