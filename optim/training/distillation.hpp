// Knowledge distillation: the network learns from a teacher's answers beside the labels (Hinton,
// Vinyals & Dean 2015, "Distilling the knowledge in a neural network", section 2).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/autograd/variable.hpp"
#include "datasets/dataset.hpp"

namespace espalier::training {

class Distillation {
 public:
  struct Options {
    float temperature = 3;  // > 0: divides both networks' logits; higher, softer answers
    float weight = 0.5f;    // of the teacher's part, 0 to 1; the labels have the rest
    // The teacher is asked once for an image that comes again with the same pixels, up to this
    // many images (44 bytes each for ten classes): whole epochs, where augmentation has few forms.
    std::size_t remembered_images = 1'000'000;
  };
  // Images [N H W C] to logits [N K]. It is not trained; a model in evaluation is one.
  using Teacher = std::function<Tensor(const Tensor& images)>;

  // Errors: kUsage for options out of range.
  Distillation(Teacher teacher, Options options);

  // (1 - weight) CE(labels, p) + weight T^2 CE(q_T, p_T): p of the logits, q of the teacher, each
  // softmax of logits / T; T^2 keeps the gradient's size. For FitOptions::loss. Errors: kUsage when
  // the teacher knows another number of classes.
  Variable loss(const Variable& logits, const datasets::Batch& batch);

  // q_T [N classes]. Errors: as above.
  Tensor softened(const Tensor& images, std::int64_t classes);
  // loss() of one image, without a gradient. softened: its row of q_T.
  double image_loss(std::span<const float> logits, std::int64_t label,
                    std::span<const float> softened) const;

  std::int64_t asked() const { return asked_; }  // images that the teacher has seen

 private:
  Tensor answers(const Tensor& images, std::int64_t classes);

  Teacher teacher_;
  Options options_;
  std::unordered_map<std::uint64_t, std::vector<float>> remembered_;  // by the pixels' hash
  std::int64_t asked_ = 0;
};

}  // namespace espalier::training
