// Four networks by technique, as TensorFlow Lite's page on post-training quantization has it, and by
// sparsity, as the pruning pages have it.
#pragma once

#include <string>
#include <vector>

#include "apps/toolbox/experiment_table.hpp"

namespace espalier::apps {

// How one of the tables' networks is made and trained.
struct TableNetwork {
  std::string name;  // "LeNet-5"
  std::function<Sequential(std::uint64_t seed)> make;
  Rates rates;
  BaselineOptions baseline;
  int pruning_epochs = 2, quantizing_epochs = 1;
};

struct Technique {
  std::string name, data, hardware;  // what it wants; what it suits
  std::function<Outcome(const Start&, const TableNetwork&)> run;
};

const std::vector<TableNetwork>& table_networks();
const std::vector<Technique>& techniques();
// Errors: kUsage, as chosen().
std::vector<TableNetwork> chosen_networks(const std::vector<std::string>& only);

class NetworkTables {
 public:
  NetworkTables(ToolboxOptions options, TrainingData data);
  void run();          // progress on standard error
  void print() const;  // on standard output

 private:
  struct Row {
    std::string network, name, data, hardware;
    std::vector<Measured> seeds;
    std::vector<double> latency_us;
  };
  void run_seed(const TableNetwork& network, std::size_t index, std::uint64_t seed);
  void print_json() const;

  ToolboxOptions options_;
  TrainingData data_;
  std::vector<TableNetwork> networks_;
  std::vector<Row> by_technique_, by_sparsity_;  // network by network
};

}  // namespace espalier::apps
