#include "core/onednn/onednn.hpp"

namespace espalier::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
constexpr auto kFloat = dnnl::memory::data_type::f32;

Desc tagged(const Shape& shape, int rank, std::initializer_list<int> axes, Tag tag) {
  require(shape.rank() == rank, ErrorKind::kInternal, "oneDNN", "wants ", rank, " axes, got ",
          shape);
  dnnl::memory::dims sizes;
  for (const int axis : axes) sizes.push_back(shape[axis]);
  return Desc(sizes, kFloat, tag);
}

dnnl::memory floats(const Tensor& tensor, const Desc& desc) {
  require(desc.get_size() == tensor.bytes(), ErrorKind::kInternal, "oneDNN", "reads ",
          desc.get_size(), " bytes from a tensor of ", tensor.bytes());
  return dnnl::memory(desc, engine(), const_cast<float*>(tensor.data()));
}

dnnl::stream& stream() {
  static thread_local dnnl::stream stream(engine());
  return stream;
}

}  // namespace

dnnl::engine& engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

const dnnl::primitive_attr& attributes() {
  static const dnnl::primitive_attr attributes = [] {
    dnnl::primitive_attr a;
    a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return a;
  }();
  return attributes;
}

void fail(const dnnl::error& e) {
  espalier::fail(ErrorKind::kInternal, "oneDNN", e.what(), " (status ", static_cast<int>(e.status),
                 ")");
}

Desc rows(const Shape& shape) {
  return tagged(shape, 2, {0, 1}, Tag::ab);
}
Desc columns(const Shape& shape) {
  return tagged(shape, 2, {1, 0}, Tag::ba);
}
Desc vector(std::int64_t size) {
  return tagged({size}, 1, {0}, Tag::a);
}
Desc image(const Shape& nhwc) {
  return tagged(nhwc, 4, {0, 3, 1, 2}, Tag::nhwc);
}
Desc weights(const Shape& ohwi) {
  return tagged(ohwi, 4, {0, 3, 1, 2}, Tag::ohwi);
}
Desc any_weights(const Shape& ohwi) {
  return tagged(ohwi, 4, {0, 3, 1, 2}, Tag::any);
}
Desc flat(std::int64_t elements) {
  return vector(elements);
}
Desc channels_last(const Shape& any) {
  return image({any.elements() / any[-1], 1, 1, any[-1]});
}

dnnl::memory input(const Tensor& tensor, const Desc& desc) {
  return floats(tensor, desc);
}
dnnl::memory output(Tensor& tensor, const Desc& desc) {
  return floats(tensor, desc);
}

Tensor opaque(const Desc& desc) {
  return Tensor::uninitialized({static_cast<std::int64_t>(desc.get_size())}, DType::kUint8);
}

dnnl::memory opaque_memory(const Tensor& bytes, const Desc& desc) {
  require(desc.get_size() == bytes.bytes(), ErrorKind::kInternal, "oneDNN", "reads ",
          desc.get_size(), " bytes from a tensor of ", bytes.bytes());
  return dnnl::memory(desc, engine(), const_cast<std::uint8_t*>(bytes.data<std::uint8_t>()));
}

dnnl::batch_normalization_forward::primitive_desc batch_norm(dnnl::prop_kind kind, const Desc& data,
                                                             float epsilon,
                                                             dnnl::normalization_flags flags) {
#if DNNL_VERSION_MAJOR >= 3
  return describe<dnnl::batch_normalization_forward>(kind, data, data, epsilon, flags);
#else
  return describe<dnnl::batch_normalization_forward>(kind, data, epsilon, flags);
#endif
}

dnnl::batch_normalization_backward::primitive_desc batch_norm_backward(
    const dnnl::batch_normalization_forward::primitive_desc& forward, const Desc& data,
    float epsilon, dnnl::normalization_flags flags) {
  constexpr auto kKind = dnnl::prop_kind::backward;
#if DNNL_VERSION_MAJOR >= 3
  return describe_backward<dnnl::batch_normalization_backward>(forward, kKind, data, data, data,
                                                               epsilon, flags);
#else
  return describe_backward<dnnl::batch_normalization_backward>(forward, kKind, data, data, epsilon,
                                                               flags);
#endif
}

dnnl::eltwise_forward::primitive_desc eltwise(dnnl::algorithm algorithm, const Desc& data) {
  constexpr auto kKind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return describe<dnnl::eltwise_forward>(kKind, algorithm, data, data, 0.0f, 0.0f);
#else
  return describe<dnnl::eltwise_forward>(kKind, algorithm, data, 0.0f, 0.0f);
#endif
}

dnnl::eltwise_backward::primitive_desc eltwise_backward(
    const dnnl::eltwise_forward::primitive_desc& forward, dnnl::algorithm algorithm,
    const Desc& data) {
#if DNNL_VERSION_MAJOR >= 3
  return describe_backward<dnnl::eltwise_backward>(forward, algorithm, data, data, data, 0.0f,
                                                   0.0f);
#else
  return describe_backward<dnnl::eltwise_backward>(forward, algorithm, data, data, 0.0f, 0.0f);
#endif
}

Primitive Primitive::reorder(const Desc& from, const Desc& to) {
  return make<dnnl::reorder>(
      dnnl::reorder::primitive_desc(engine(), from, engine(), to, attributes()));
}

void Primitive::run(Arguments arguments) const {
  try {
    Tensor scratchpad;  // from the tensors' pool; lives until the work is done
    if (scratchpad_.get_size() > 0) {
      scratchpad = opaque(scratchpad_);
      arguments.emplace(DNNL_ARG_SCRATCHPAD, opaque_memory(scratchpad, scratchpad_));
    }
    primitive_.execute(stream(), arguments);
    stream().wait();
  } catch (const dnnl::error& e) {
    fail(e);
  }
}

Key key(std::initializer_list<std::span<const std::int64_t>> parts) {
  Key key;
  for (const auto part : parts) {
    key.push_back(static_cast<std::int64_t>(part.size()));
    key.insert(key.end(), part.begin(), part.end());
  }
  return key;
}

}  // namespace espalier::dnn
