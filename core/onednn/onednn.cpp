#include "core/onednn/onednn.hpp"

namespace espalier::dnn {
namespace {

using Tag = dnnl::memory::format_tag;

dnnl::memory::data_type type_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return dnnl::memory::data_type::f32;
    case DType::kInt32:
      return dnnl::memory::data_type::s32;
    case DType::kInt8:
      return dnnl::memory::data_type::s8;
    case DType::kUint8:
      return dnnl::memory::data_type::u8;
  }
  espalier::fail(ErrorKind::kInternal, "oneDNN", "unknown dtype");
}

Desc tagged(const Shape& shape, int rank, std::initializer_list<int> axes, Tag tag, DType dtype) {
  require(shape.rank() == rank, ErrorKind::kInternal, "oneDNN", "wants ", rank, " axes, got ",
          shape);
  dnnl::memory::dims sizes;
  for (const int axis : axes) sizes.push_back(shape[axis]);
  return Desc(sizes, type_of(dtype), tag);
}

dnnl::memory floats(const Tensor& tensor, const Desc& desc) {
  require(desc.get_size() == tensor.bytes(), ErrorKind::kInternal, "oneDNN", "reads ",
          desc.get_size(), " bytes from a tensor of ", tensor.bytes());
  return dnnl::memory(desc, engine(), const_cast<float*>(tensor.data()));
}

}  // namespace

dnnl::engine& engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& stream() {
  static thread_local dnnl::stream stream(engine());
  return stream;
}

const dnnl::primitive_attr& attributes() {
  static const dnnl::primitive_attr attributes = [] {
    dnnl::primitive_attr a;
    a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return a;
  }();
  return attributes;
}

const dnnl::primitive_attr& relu_after() {
  static const dnnl::primitive_attr attributes = [] {
    dnnl::post_ops after;
#if DNNL_VERSION_MAJOR >= 3
    after.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
#else
    after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
#endif
    dnnl::primitive_attr a;
    a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    a.set_post_ops(after);
    return a;
  }();
  return attributes;
}

void fail(const dnnl::error& e) {
  espalier::fail(ErrorKind::kInternal, "oneDNN", e.what(), " (status ", static_cast<int>(e.status),
                 ")");
}

Desc rows(const Shape& shape, DType dtype) {
  return tagged(shape, 2, {0, 1}, Tag::ab, dtype);
}
Desc columns(const Shape& shape, DType dtype) {
  return tagged(shape, 2, {1, 0}, Tag::ba, dtype);
}
Desc vector(std::int64_t size) {
  return tagged({size}, 1, {0}, Tag::a, DType::kFloat32);
}
Desc image(const Shape& nhwc, DType dtype) {
  return tagged(nhwc, 4, {0, 3, 1, 2}, Tag::nhwc, dtype);
}
Desc weights(const Shape& ohwi, DType dtype) {
  return tagged(ohwi, 4, {0, 3, 1, 2}, Tag::ohwi, dtype);
}
Desc any_weights(const Shape& ohwi, DType dtype) {
  return tagged(ohwi, 4, {0, 3, 1, 2}, Tag::any, dtype);
}
Desc depthwise_weights(const Shape& chw1, DType dtype) {
  return tagged(chw1, 4, {0, 3, 3, 1, 2}, Tag::goihw, dtype);
}
Desc any_depthwise_weights(const Shape& chw1, DType dtype) {
  return tagged(chw1, 4, {0, 3, 3, 1, 2}, Tag::any, dtype);
}
Desc any_columns(const Shape& shape, DType dtype) {
  return tagged(shape, 2, {1, 0}, Tag::any, dtype);
}
Desc flat(std::int64_t elements) {
  return vector(elements);
}
Desc channels_last(const Shape& any) {
  return image({any.elements() / any[-1], 1, 1, any[-1]});
}

Desc any(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return Desc(desc.get_dims(), desc.get_data_type(), Tag::any);
#else
  return Desc(desc.dims(), desc.data_type(), Tag::any);
#endif
}

Desc bf16(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  constexpr auto kType = dnnl::memory::data_type::bf16;
  if (desc.get_format_kind() == dnnl::memory::format_kind::any)
    return Desc(desc.get_dims(), kType, Tag::any);
  return Desc(desc.get_dims(), kType, desc.get_strides());
#else
  Desc result = desc;
  result.data.data_type = dnnl_bf16;
  return result;
#endif
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
