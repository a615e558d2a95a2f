// oneDNN as the kernels see it, in versions 2.6 to 3.x: the only header that includes dnnl.hpp.
// Describe a primitive, make it, keep it in a Cache by shape, run it on tensors.
#pragma once

#include <array>
#include <compare>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <utility>
#include <vector>

#include "core/onednn/threads.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::dnn {

using Desc = dnnl::memory::desc;

dnnl::engine& engine();                        // the CPU
const dnnl::primitive_attr& attributes();      // the caller brings the scratchpad: thread-safe
const dnnl::primitive_attr& relu_after();      // the same, and a relu fused after the operation
dnnl::stream& stream();                        // this thread's
[[noreturn]] void fail(const dnnl::error& e);  // as our Error (internal)

// How the bytes of a tensor lie. oneDNN counts axes as N C H W and O I H W whatever the layout.
Desc rows(const Shape& shape, DType dtype = DType::kFloat32);     // [M x N], row-major
Desc columns(const Shape& shape, DType dtype = DType::kFloat32);  // [N x M], read as [M x N]
Desc vector(std::int64_t size);                                   // [C]
Desc image(const Shape& nhwc, DType dtype = DType::kFloat32);     // [N H W C]
Desc weights(const Shape& ohwi, DType dtype = DType::kFloat32);   // [O H W I]
// [C H W 1] as C groups of one output and one input.
Desc depthwise_weights(const Shape& chw1, DType dtype = DType::kFloat32);
// Whichever layout oneDNN likes best: of weights [O H W I] or [C H W 1], and of `columns`.
Desc any_weights(const Shape& ohwi, DType dtype = DType::kFloat32);
Desc any_depthwise_weights(const Shape& chw1, DType dtype = DType::kFloat32);
Desc any_columns(const Shape& shape, DType dtype = DType::kFloat32);
Desc flat(std::int64_t elements);      // all elements as one axis
Desc channels_last(const Shape& any);  // [... C] as an image [ROWS 1 1 C]

Desc any(const Desc& desc);  // of the same sizes, in whichever layout oneDNN likes best
// The same with numbers of bfloat16, which live in opaque() tensors alone.
Desc bf16(const Desc& desc);

// The tensor's memory, seen as `desc`. oneDNN takes no const: this promises that it only reads.
// Errors: the tensor is not float32, or its size is not the desc's.
dnnl::memory input(const Tensor& tensor, const Desc& desc);
// A tensor of bytes in a layout of oneDNN's own (workspaces, reordered weights).
Tensor opaque(const Desc& desc);
dnnl::memory opaque_memory(const Tensor& bytes, const Desc& desc);

#if DNNL_VERSION_MAJOR >= 3
using PoolingForward = dnnl::pooling_forward;
using PoolingBackward = dnnl::pooling_backward;
using SoftmaxForward = dnnl::softmax_forward;
using SoftmaxBackward = dnnl::softmax_backward;
#else
using PoolingForward = dnnl::pooling_v2_forward;
using PoolingBackward = dnnl::pooling_v2_backward;
using SoftmaxForward = dnnl::softmax_v2_forward;
using SoftmaxBackward = dnnl::softmax_v2_backward;
#endif

// The primitive descriptor of P from the arguments of its operation.
template <class P, class... Args>
typename P::primitive_desc describe_with(const dnnl::primitive_attr& attributes,
                                         const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return typename P::primitive_desc(engine(), args..., attributes);
#else
  return typename P::primitive_desc(typename P::desc(args...), attributes, engine());
#endif
}
template <class P, class... Args>
typename P::primitive_desc describe(const Args&... args) {
  return describe_with<P>(attributes(), args...);
}

// The same of a backward primitive, which wants its forward one as a hint.
template <class P, class Hint, class... Args>
typename P::primitive_desc describe_backward(const Hint& forward, const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return typename P::primitive_desc(engine(), args..., forward, attributes());
#else
  return typename P::primitive_desc(typename P::desc(args...), attributes(), engine(), forward);
#endif
}

// Operations whose input and output lie alike: version 3 wants both described, version 2 one.
dnnl::batch_normalization_forward::primitive_desc batch_norm(dnnl::prop_kind kind, const Desc& data,
                                                             float epsilon,
                                                             dnnl::normalization_flags flags);
dnnl::batch_normalization_backward::primitive_desc batch_norm_backward(
    const dnnl::batch_normalization_forward::primitive_desc& forward, const Desc& data,
    float epsilon, dnnl::normalization_flags flags);
// Version 2 wants a shift among the inputs of the backward batch norm, which never reads it;
// version 3 refuses it.
inline constexpr bool kBackwardCountsShift = DNNL_VERSION_MAJOR < 3;
dnnl::eltwise_forward::primitive_desc eltwise(dnnl::algorithm algorithm, const Desc& data);
dnnl::eltwise_backward::primitive_desc eltwise_backward(
    const dnnl::eltwise_forward::primitive_desc& forward, dnnl::algorithm algorithm,
    const Desc& data);

// Runs it on this thread's stream, and returns when the work is done. The C++ interface would build
// a map and a vector at every call. Errors: dnnl::error.
void execute(const dnnl::primitive& primitive, std::span<const dnnl_exec_arg_t> arguments);

// A primitive, ready to run from any thread. It keeps its list of arguments from run to run: making
// one anew would take longer than a small primitive runs.
class Primitive {
 public:
  // Which arguments it takes (DNNL_ARG_SRC and so on), and how each lies.
  using Signature = std::vector<std::pair<int, Desc>>;

  template <class P>
  static Primitive make(const typename P::primitive_desc& desc, Signature signature) {
    return Primitive(P(desc), desc.scratchpad_desc(), std::move(signature));
  }
  static Primitive reorder(const Desc& from, const Desc& to);  // takes both

  // Reads and writes the tensors, which stand in the signature's order: float32 or opaque().
  // Returns when the work is done. Errors: a tensor has another size than its Desc.
  void run(std::initializer_list<const Tensor*> tensors) const;

 private:
  Primitive(dnnl::primitive primitive, Desc scratchpad, Signature signature);

  // The arguments as the C interface wants them; the scratchpad is the last, where one is wanted.
  struct Arguments {
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> list;
  };
  // Those that no thread is using: as many as have run at once.
  struct Idle {
    std::mutex mutex;
    std::vector<Arguments> arguments;
  };
  Arguments take() const;

  dnnl::primitive primitive_;
  Desc scratchpad_;
  Signature signature_;
  std::unique_ptr<Idle> idle_ = std::make_unique<Idle>();
};

// What a primitive was made for: numbers, in order.
class Key {
 public:
  Key() = default;
  Key(std::initializer_list<std::int64_t> numbers) { append({numbers.begin(), numbers.size()}); }
  void append(std::span<const std::int64_t> numbers);
  auto operator<=>(const Key&) const = default;

 private:
  std::array<std::int64_t, 32> numbers_{};  // convolutions have 24
  std::size_t size_ = 0;
};
// Each part is stored with its length, so that keys stay distinct.
Key key(std::initializer_list<std::span<const std::int64_t>> parts);

// Primitives by key, made on first use. Training meets a handful of shapes; a caller that meets
// ever new ones starts over after kMaxEntries, so that memory stays bounded.
template <class Value>
class Cache {
 public:
  static constexpr std::size_t kMaxEntries = 256;

  Cache() { engine(); }  // made before us, the engine outlives us

  template <class Make>
  std::shared_ptr<const Value> find(Key key, Make make) {
    const std::int64_t number = threads();
    key.append({&number, 1});  // a primitive keeps the number that it was made with
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) return found->second;
    if (entries_.size() >= kMaxEntries) entries_.clear();
    try {
      return entries_[key] = std::make_shared<const Value>(make());
    } catch (const dnnl::error& e) {
      entries_.erase(key);
      fail(e);
    }
  }

 private:
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Value>> entries_;
};

}  // namespace espalier::dnn
