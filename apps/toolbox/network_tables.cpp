#include "apps/toolbox/network_tables.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/smallest/networks.hpp"
#include "apps/toolbox/chosen.hpp"
#include "compress/pack/weight_types.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/median.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/tutorial_models.hpp"

namespace espalier::apps {
namespace {

struct Sparsity {
  std::string name;
  prune::PrunerOptions options;
};

const std::vector<Sparsity>& sparsities() {
  static const std::vector<Sparsity> all = [] {
    std::vector<Sparsity> list;
    for (const double share : {0.5, 0.75, 0.875, 0.9, 0.95})
      list.push_back(
          {fixed(100 * share, share == 0.875 ? 1 : 0) + " %", pruning(static_cast<float>(share))});
    list.push_back({"2 of 4", pruning(0.5f)});
    list.back().options.structure = prune::NofM{.keep = 2, .of = 4};
    return list;
  }();
  return all;
}

Outcome after_training(const Start& start, bool half) {
  Sequential model = start.trained_model();
  Outcome outcome = floats(model, start);
  if (half)
    pack::to_float16(outcome.packed);
  else
    pack::to_dynamic_range(outcome.packed);
  return outcome;
}

TableNetwork lenet(const std::string& name, const std::string& kind) {
  return {.name = name,
          .make =
              [kind](std::uint64_t seed) {
                const NetworkKind& k = network_kind(kind);
                Rng rng(seed, "init");
                return make_network(k, k.widths, {Shape{28, 28, 1}, 10}, rng);
              },
          .rates = {.pruning = 1e-3f, .quantizing = 2e-4f},
          .baseline = {.epochs = 6, .batch_size = 128, .schedule = optim::cosine()}};
}

double latency_of(const Outcome& outcome) {
  runtime::Session session(runtime::Model(outcome.packed), {.batch = 1});
  return runtime::latency_us(session);
}

}  // namespace

const std::vector<TableNetwork>& table_networks() {
  static const std::vector<TableNetwork> all = {
      {.name = "small", .make = small_model, .rates = {}, .baseline = {}},
      {.name = "large",
       .make = large_model,
       .rates = {.pruning = 1e-3f, .quantizing = 2e-4f},
       .baseline = {.epochs = 4, .batch_size = 128, .schedule = optim::cosine()},
       .pruning_epochs = 1},
      lenet("LeNet-5", "lenet5"),
      lenet("LeNet-300-100", "lenet300"),
  };
  return all;
}

const std::vector<Technique>& techniques() {
  static const std::vector<Technique> all = {
      {"float32", "none", "any",
       [](const Start& start, const TableNetwork&) {
         Sequential model = start.trained_model();
         return floats(model, start);
       }},
      {"float16", "none", "any; half the flash",
       [](const Start& start, const TableNetwork&) { return after_training(start, true); }},
      {"dynamic range", "none", "CPUs with float",
       [](const Start& start, const TableNetwork&) { return after_training(start, false); }},
      {"full integer", "1,000 images", "CPUs, microcontrollers",
       [](const Start& start, const TableNetwork&) {
         Sequential model = start.trained_model();
         return integers_after_training(model, start);
       }},
      {"quantization-aware", "labelled", "CPUs, microcontrollers",
       [](const Start& start, const TableNetwork& network) {
         Sequential model = start.trained_model();
         return quantization_aware(model, start, {.epochs = network.quantizing_epochs});
       }},
      {"80 % zeros, aware", "labelled", "CPUs, microcontrollers",
       [](const Start& start, const TableNetwork& network) {
         Sequential model = start.trained_model();
         prune(model, start, pruning(0.8f), network.pruning_epochs);
         return quantization_aware(model, start, {.epochs = network.quantizing_epochs});
       }},
  };
  return all;
}

std::vector<TableNetwork> chosen_networks(const std::vector<std::string>& only) {
  return chosen_of(table_networks(), only, "network");
}

NetworkTables::NetworkTables(ToolboxOptions options, TrainingData data)
    : options_(std::move(options)),
      data_(std::move(data)),
      networks_(chosen_networks(options_.only)) {
  for (const TableNetwork& n : networks_) {
    for (const Technique& t : techniques())
      by_technique_.push_back({n.name, t.name, t.data, t.hardware, {}, {}});
    by_sparsity_.push_back({n.name, "dense", {}, {}, {}, {}});
    for (const Sparsity& s : sparsities()) by_sparsity_.push_back({n.name, s.name, {}, {}, {}, {}});
  }
}

void NetworkTables::run() {
  for (std::size_t i = 0; i < networks_.size(); ++i)
    for (const std::uint64_t seed : options_.seeds) run_seed(networks_[i], i, seed);
}

void NetworkTables::run_seed(const TableNetwork& network, std::size_t index, std::uint64_t seed) {
  const auto say = [&](const std::string& row) {
    if (!options_.quiet) std::cerr << network.name << ", seed " << seed << ": " << row << '\n';
  };
  Start start{.seed = seed,
              .train = data_.data.train,
              .new_model = [&] { return network.make(seed); },
              .trained_model = nullptr,
              .rates = network.rates,
              .quiet = options_.quiet};
  say("baseline");
  Sequential baseline = train_baseline(start, network.baseline);
  start.trained_model = [&] {
    Sequential copy = network.make(seed);
    copy_parameters(baseline, copy);
    return copy;
  };
  const Outcome whole = floats(baseline, start);
  Baseline known{.deflate_bytes = static_cast<double>(whole.deflate_bytes)};
  Measured dense = measure(whole, *data_.data.test, known);
  known.accuracy = dense.accuracy;
  dense.drop = 0;
  for (std::size_t i = 0; i < techniques().size(); ++i) {
    say(techniques()[i].name);
    const Outcome outcome = techniques()[i].run(start, network);
    Row& row = by_technique_[index * techniques().size() + i];
    row.seeds.push_back(measure(outcome, *data_.data.test, known));
    row.latency_us.push_back(latency_of(outcome));
  }
  const std::size_t first = index * (sparsities().size() + 1);
  by_sparsity_[first].seeds.push_back(dense);
  for (std::size_t i = 0; i < sparsities().size(); ++i) {
    say(sparsities()[i].name);
    Sequential model = start.trained_model();
    prune(model, start, sparsities()[i].options, network.pruning_epochs);
    by_sparsity_[first + 1 + i].seeds.push_back(
        measure(floats(model, start), *data_.data.test, known));
  }
}

void NetworkTables::print() const {
  if (options_.json) return print_json();
  Column network{.header = "network", .left = true}, technique{.header = "technique", .left = true},
      wants{.header = "data", .left = true}, accuracy{"accuracy"}, bytes{".esp bytes"},
      smaller{"smaller"}, latency{"latency"}, suits{.header = "suits", .left = true};
  for (const Row& row : by_technique_) {
    const Measured m = middle(row.seeds);
    network.cells.push_back(row.network);
    technique.cells.push_back(row.name);
    wants.cells.push_back(row.data);
    accuracy.cells.push_back(percent(m.accuracy));
    bytes.cells.push_back(with_commas(m.file_bytes));
    smaller.cells.push_back(fixed(m.smaller, 1) + "x");
    latency.cells.push_back(fixed(median(row.latency_us), 1) + " us");
    suits.cells.push_back(row.hardware);
  }
  std::cout << table({network, technique, wants, accuracy, bytes, smaller, latency, suits},
                     terminal_width(1))
            << '\n';
  Column net{.header = "network", .left = true}, zeros{.header = "zeros", .left = true},
      right{"accuracy"}, file{".esp bytes"}, by_file{"smaller"}, deflate{"DEFLATE"};
  for (const Row& row : by_sparsity_) {
    const Measured m = middle(row.seeds);
    net.cells.push_back(row.network);
    zeros.cells.push_back(row.name);
    right.cells.push_back(percent(m.accuracy));
    file.cells.push_back(with_commas(m.file_bytes));
    by_file.cells.push_back(fixed(m.smaller, 1) + "x");
    deflate.cells.push_back(fixed(m.deflate, 2) + "x");
  }
  std::cout << table({net, zeros, right, file, by_file, deflate}, terminal_width(1))
            << "\nMedians of " << options_.seeds.size() << " seeds, "
            << ("on the test images of " + data_.name)
            << ". smaller: the baseline's DEFLATE bytes by the .esp file's; DEFLATE: by\n"
               "the DEFLATE bytes of the float parameters. latency: one image, one thread. Pruned "
               "weights of the second\n"
               "table are float32; tensors of fewer than 1,000 weights stay whole.\n";
}

void NetworkTables::print_json() const {
  nlohmann::json all{{"synthetic", data_.synthetic}, {"seeds", options_.seeds}};
  const auto add = [&](const char* key, const Row& row) {
    const Measured m = middle(row.seeds);
    nlohmann::json json{{"network", row.network}, {"name", row.name},
                        {"accuracy", m.accuracy}, {"file_bytes", m.file_bytes},
                        {"smaller", m.smaller},   {"deflate", m.deflate}};
    if (!row.latency_us.empty()) {
      json["latency_us"] = median(row.latency_us);
      json["data"] = row.data;
      json["suits"] = row.hardware;
    }
    all[key].push_back(json);
  };
  for (const Row& row : by_technique_) add("techniques", row);
  for (const Row& row : by_sparsity_) add("sparsities", row);
  std::cout << all.dump() << '\n';
}

}  // namespace espalier::apps
