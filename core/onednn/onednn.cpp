#include "core/onednn/onednn.hpp"

#include <algorithm>

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
  require(desc.get_size() == tensor.bytes(), ErrorKind::kInternal, "oneDNN", "reads ",
          desc.get_size(), " bytes from a tensor of ", tensor.bytes());
  return dnnl::memory(desc, engine(), const_cast<float*>(tensor.data()));
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

Primitive::Primitive(dnnl::primitive primitive, Desc scratchpad, Signature signature)
    : primitive_(std::move(primitive)),
      scratchpad_(std::move(scratchpad)),
      signature_(std::move(signature)) {
  if (scratchpad_.get_size() > 0) signature_.emplace_back(DNNL_ARG_SCRATCHPAD, scratchpad_);
}

Primitive Primitive::reorder(const Desc& from, const Desc& to) {
  return make<dnnl::reorder>(
      dnnl::reorder::primitive_desc(engine(), from, engine(), to, attributes()),
      {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

Primitive::Arguments Primitive::take() const {
  {
    const std::lock_guard lock(idle_->mutex);
    if (!idle_->arguments.empty()) {
      Arguments arguments = std::move(idle_->arguments.back());
      idle_->arguments.pop_back();
      return arguments;
    }
  }
  Arguments arguments;
  for (const auto& [argument, desc] : signature_) {
    arguments.memories.emplace_back(desc, engine(), nullptr);
    arguments.list.push_back({argument, arguments.memories.back().get()});
  }
  return arguments;
}

void Primitive::run(std::initializer_list<const Tensor*> tensors) const {
  Tensor scratchpad;  // from the tensors' pool; lives until the work is done
  if (scratchpad_.get_size() > 0) scratchpad = opaque(scratchpad_);
  require(tensors.size() + scratchpad.defined() == signature_.size(), ErrorKind::kInternal,
          "oneDNN", "wants ", signature_.size() - scratchpad.defined(), " tensors, got ",
          tensors.size());
  try {
    Arguments arguments = take();
    std::size_t i = 0;
    const auto bind = [&](const Tensor& tensor) {
      const std::size_t wanted = signature_[i].second.get_size();
      require(wanted == tensor.bytes(), ErrorKind::kInternal, "oneDNN", "reads ", wanted,
              " bytes from a tensor of ", tensor.bytes());
      // oneDNN takes no const, and only reads its inputs.
      arguments.memories[i++].set_data_handle(
          tensor.dtype() == DType::kFloat32
              ? static_cast<void*>(const_cast<float*>(tensor.data()))
              : const_cast<std::uint8_t*>(tensor.data<std::uint8_t>()));
    };
    for (const Tensor* tensor : tensors) bind(*tensor);
    if (scratchpad.defined()) bind(scratchpad);
    execute(primitive_, arguments.list);
    const std::lock_guard lock(idle_->mutex);
    idle_->arguments.push_back(std::move(arguments));
  } catch (const dnnl::error& e) {
    fail(e);
  }
}

void execute(const dnnl::primitive& primitive, std::span<const dnnl_exec_arg_t> arguments) {
  dnnl::stream& on = stream();
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(primitive.get(), on.get(), static_cast<int>(arguments.size()),
                             arguments.data()),
      "could not execute a primitive");
  dnnl::error::wrap_c_api(dnnl_stream_wait(on.get()), "could not wait for a primitive");
}

void Key::append(std::span<const std::int64_t> numbers) {
  require(size_ + numbers.size() <= numbers_.size(), ErrorKind::kInternal, "oneDNN",
          "a key has more than ", numbers_.size(), " numbers");
  std::ranges::copy(numbers, numbers_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += numbers.size();
}

Key key(std::initializer_list<std::span<const std::int64_t>> parts) {
  Key key;
  for (const auto part : parts) {
    const auto size = static_cast<std::int64_t>(part.size());
    key.append({&size, 1});
    key.append(part);
  }
  return key;
}

}  // namespace espalier::dnn
