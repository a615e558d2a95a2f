// Reverse-mode differentiation on a tape that is defined by running (Baydin et al. 2018,
// section 3.2). An op computes its value and records a rule; backward() walks the record from the
// loss to the leaves. Rules return gradients; the engine alone checks and accumulates them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/recycled.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier {

class Variable;
class LeafGradients;
enum class GraphFormat { kText, kDot };  // graph_dump
using Inputs = RecycledVector<Variable>;
using Gradients = RecycledVector<Tensor>;  // one an input; undefined where needs(i) is false

// What a rule may look at: the output's gradient, the inputs' values and the output's own value.
class BackwardContext {
 public:
  BackwardContext(const Tensor& gradient, const Tensor& output, const Inputs& inputs)
      : gradient_(gradient), output_(output), inputs_(inputs) {}
  const Tensor& gradient() const { return gradient_; }
  const Tensor& output() const { return output_; }
  const Tensor& input(std::size_t i) const;
  bool needs(std::size_t i) const;

 private:
  const Tensor& gradient_;
  const Tensor& output_;
  const Inputs& inputs_;
};

// What an op records: any callable from a BackwardContext to Gradients. (As std::function, but what
// the callable holds lies in a recycled block.)
class Rule {
 public:
  Rule() = default;
  template <class F>
  Rule(F f)
      : held_(std::allocate_shared<F>(Recycled<F>(), std::move(f))),
        call_([](void* held, const BackwardContext& context) -> Gradients {
          return (*static_cast<F*>(held))(context);
        }) {}
  explicit operator bool() const { return held_ != nullptr; }
  Gradients operator()(const BackwardContext& context) const { return call_(held_.get(), context); }

 private:
  std::shared_ptr<void> held_;
  Gradients (*call_)(void*, const BackwardContext&) = nullptr;
};

// A tensor that may have a history. Copies share value, gradient and history.
class Variable {
 public:
  Variable() = default;
  // A leaf: a parameter when needs_gradient, else a constant.
  explicit Variable(Tensor value, bool needs_gradient = false);

  bool defined() const { return node_ != nullptr; }
  const Tensor& value() const;
  Tensor& mutable_value();
  const Shape& shape() const { return value().shape(); }
  bool needs_gradient() const;
  // Leaves: the sum over backward() calls since clear_gradient(); undefined before the first. Read
  // only: its memory may be another gradient's too.
  const Tensor& gradient() const;
  void clear_gradient();

 private:
  struct Node;
  // Every node that `root` was computed from and its own, inputs before the nodes that use them.
  static RecycledVector<Node*> inputs_first(const Variable& root);
  // `total_of` says where the gradient of a leaf goes.
  template <class TotalOf>
  static void walk_back(const Variable& loss, float weight, const TotalOf& total_of);

  std::shared_ptr<Node> node_;
  friend Variable record(std::string, Tensor, Inputs, Rule);
  friend class LeafGradients;
  friend void backward(const Variable&);
  friend void backward(const Variable&, float, LeafGradients&);
  friend std::string graph_dump(const Variable&, GraphFormat);
};

// The result of the op `name`: `value`, computed from `inputs`, with the rule for its gradients.
// Drops inputs and rule when no input needs a gradient or NoGradient is in force.
Variable record(std::string name, Tensor value, Inputs inputs, Rule rule);

// Adds d loss / d leaf to the gradient of every leaf that needs one. Errors: the loss is no scalar,
// or needs no gradient; a rule returned a wrong number or shape of gradients (internal, naming the
// op).
void backward(const Variable& loss);

// Gradients of leaves, kept beside them: threads that each have one may run backward() to the same
// leaves at once.
class LeafGradients {
 public:
  // Errors: one of them needs no gradient.
  explicit LeafGradients(std::span<const Variable> leaves);
  // Adds them to the leaves' own, as if backward() had, and forgets them here.
  void give_to_leaves();
  void clear();                                         // forgets them
  std::size_t size() const { return entries_.size(); }  // leaves
  // Of leaf number i; undefined: there is none.
  const Tensor& of(std::size_t i) const { return entries_.at(i).gradient; }
  Tensor& own(std::size_t i);  // the same, to be changed: nobody else holds it

 private:
  struct Entry {
    Variable leaf;
    Tensor gradient;
  };
  Tensor& total_of(const Variable::Node& leaf);
  std::vector<Entry> entries_;
  friend void backward(const Variable&, float, LeafGradients&);
};

// Adds weight * d loss / d leaf to `gradients`; the leaves' own stay as they are. Errors: as above; the
// loss depends on a leaf that needs a gradient and is none of these.
void backward(const Variable& loss, float weight, LeafGradients& gradients);

// The recorded history, inputs first. Text has one node a line: "%2 = matmul(%0, %1) [2x3]"; dot is
// for Graphviz (dot -Tsvg). Leaves print as parameter or constant. For people and for structural
// tests.
std::string graph_dump(const Variable& root, GraphFormat format = GraphFormat::kText);

// While one lives, this thread records nothing: evaluation costs no memory for history.
class NoGradient {
 public:
  NoGradient();
  ~NoGradient();
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;

 private:
  bool before_;
};

}  // namespace espalier
