#include "core/autograd/variable.hpp"

#include <functional>
#include <iomanip>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace espalier {

struct Variable::Node {
  Tensor value, gradient;
  bool needs_gradient = false;
  std::string name;
  Inputs inputs;
  Rule rule;  // empty: a leaf

  // A chain of a million ops would overflow the stack if each node destroyed the one before it.
  ~Node() {
    RecycledVector<std::shared_ptr<Node>> waiting;
    const auto take = [&](Inputs& from) {
      for (auto& input : from)
        if (input.node_ && input.node_.use_count() == 1) waiting.push_back(std::move(input.node_));
    };
    take(inputs);
    while (!waiting.empty()) {
      const auto node = std::move(waiting.back());
      waiting.pop_back();
      take(node->inputs);
    }
  }
};

namespace {
thread_local bool recording = true;

// A rule may return a tensor that others hold too: the first addend is shared, not copied, and a
// sum is written in place only where nobody else would see it.
void add_to(Tensor& total, const Tensor& addend) {
  if (!total.defined()) {
    total = addend;
    return;
  }
  if (total.shared()) total = total.clone();
  const auto a = addend.values();
  const auto t = total.mutable_values();
  for (std::size_t i = 0; i < t.size(); ++i) t[i] += a[i];
}
}  // namespace

const Tensor& BackwardContext::input(std::size_t i) const {
  return inputs_.at(i).value();
}
bool BackwardContext::needs(std::size_t i) const {
  return inputs_.at(i).needs_gradient();
}

Variable::Variable(Tensor value, bool needs_gradient)
    : node_(std::allocate_shared<Node>(Recycled<Node>())) {
  node_->value = std::move(value);
  node_->needs_gradient = needs_gradient;
}

const Tensor& Variable::value() const {
  require(defined(), "Variable", "is read before it was given a value");
  return node_->value;
}
Tensor& Variable::mutable_value() {
  return const_cast<Tensor&>(value());
}
bool Variable::needs_gradient() const {
  return defined() && node_->needs_gradient;
}

const Tensor& Variable::gradient() const {
  require(defined(), "Variable", "is read before it was given a value");
  return node_->gradient;
}
void Variable::clear_gradient() {
  if (defined()) node_->gradient = {};
}

Variable record(std::string name, Tensor value, Inputs inputs, Rule rule) {
  Variable result(std::move(value));
  bool needed = false;
  for (const auto& input : inputs) needed |= input.needs_gradient();
  if (!recording || !needed) return result;
  auto& node = *result.node_;
  node.needs_gradient = true;
  node.name = std::move(name);
  node.inputs = std::move(inputs);
  node.rule = std::move(rule);
  return result;
}

// Depth-first, iteratively: a deep graph must not overflow the stack.
RecycledVector<Variable::Node*> Variable::inputs_first(const Variable& root) {
  RecycledVector<Node*> order;
  std::unordered_set<Node*, std::hash<Node*>, std::equal_to<>, Recycled<Node*>> seen = {
      root.node_.get()};
  RecycledVector<std::pair<Node*, std::size_t>> path = {{root.node_.get(), 0}};
  while (!path.empty()) {
    auto& [node, next] = path.back();
    if (next == node->inputs.size()) {
      order.push_back(node);
      path.pop_back();
      continue;
    }
    Node* input = node->inputs[next++].node_.get();
    if (input && seen.insert(input).second) path.emplace_back(input, 0);
  }
  return order;
}

template <class TotalOf>
void Variable::walk_back(const Variable& loss, float weight, const TotalOf& total_of) {
  require(loss.defined() && loss.value().elements() == 1, "backward",
          "wants a scalar loss; take its sum or mean");
  require(loss.needs_gradient(), "backward", "the loss depends on nothing that needs a gradient");

  const RecycledVector<Node*> order = inputs_first(loss);
  const auto total = [&](Node& node) -> Tensor& {
    return node.rule ? node.gradient : total_of(node);
  };
  add_to(total(*loss.node_), Tensor::full(loss.shape(), weight));
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node& node = **it;
    if (!node.rule) continue;  // a leaf: a parameter's gradient stays, a constant has none
    const Tensor gradient = std::exchange(node.gradient, {});
    if (!gradient.defined()) continue;
    const Gradients grads = node.rule(BackwardContext(gradient, node.value, node.inputs));
    require(grads.size() == node.inputs.size(), ErrorKind::kInternal, node.name,
            "its rule returned ", grads.size(), " gradients for ", node.inputs.size(), " inputs");
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!node.inputs[i].needs_gradient()) continue;
      const Shape& wanted = node.inputs[i].shape();
      require(grads[i].defined() && grads[i].shape() == wanted, ErrorKind::kInternal, node.name,
              "its rule returned ", grads[i], " as the gradient of input ", i, " of shape ",
              wanted);
      add_to(total(*node.inputs[i].node_), grads[i]);
    }
  }
}

void backward(const Variable& loss) {
  Variable::walk_back(loss, 1, [](Variable::Node& leaf) -> Tensor& { return leaf.gradient; });
}

void backward(const Variable& loss, float weight, LeafGradients& gradients) {
  Variable::walk_back(loss, weight,
                      [&](Variable::Node& leaf) -> Tensor& { return gradients.total_of(leaf); });
}

LeafGradients::LeafGradients(std::span<const Variable> leaves) {
  for (const Variable& leaf : leaves) {
    require(leaf.needs_gradient(), "LeafGradients", "a leaf of shape ", leaf.shape(),
            " needs no gradient");
    entries_.push_back({leaf, {}});
  }
}

Tensor& LeafGradients::total_of(const Variable::Node& leaf) {
  for (Entry& entry : entries_)
    if (entry.leaf.node_.get() == &leaf) return entry.gradient;
  fail(ErrorKind::kUsage, "backward", "the loss depends on a leaf of shape ", leaf.value.shape(),
       " that needs a gradient and is none of those that it is wanted of");
}

void LeafGradients::give_to_leaves() {
  for (Entry& entry : entries_)
    if (const Tensor gradient = std::exchange(entry.gradient, {}); gradient.defined())
      add_to(entry.leaf.node_->gradient, gradient);
}

Tensor& LeafGradients::own(std::size_t i) {
  Tensor& gradient = entries_.at(i).gradient;
  if (gradient.defined() && gradient.shared()) gradient = gradient.clone();
  return gradient;
}

void LeafGradients::clear() {
  for (Entry& entry : entries_) entry.gradient = {};
}

std::string graph_dump(const Variable& root, GraphFormat format) {
  require(root.defined(), "graph_dump", "wants a variable that was given a value");
  const bool dot = format == GraphFormat::kDot;
  std::ostringstream out;
  if (dot) out << "digraph {\n";
  std::unordered_map<const Variable::Node*, std::size_t> numbers;
  for (const auto* node : Variable::inputs_first(root)) {
    const std::size_t number = numbers.emplace(node, numbers.size()).first->second;
    const bool leaf = !node->rule;
    const std::string name = !leaf ? node->name : node->needs_gradient ? "parameter" : "constant";
    std::vector<std::size_t> inputs;
    for (const Variable& input : node->inputs) inputs.push_back(numbers.at(input.node_.get()));
    if (dot) {
      std::ostringstream label;
      label << name << ' ' << node->value.shape();
      out << "  n" << number << (leaf ? " [shape=box, label=" : " [label=")
          << std::quoted(label.str()) << "];\n";
      for (const std::size_t input : inputs) out << "  n" << input << " -> n" << number << ";\n";
    } else {
      out << '%' << number << " = " << name;
      for (std::size_t i = 0; i < inputs.size(); ++i) out << (i ? ", %" : "(%") << inputs[i];
      out << (leaf ? " " : ") ") << node->value.shape() << '\n';
    }
  }
  if (dot) out << "}\n";
  return out.str();
}

NoGradient::NoGradient() : before_(std::exchange(recording, false)) {}
NoGradient::~NoGradient() {
  recording = before_;
}

}  // namespace espalier
