#include "apps/smallest/networks.hpp"

#include <doctest/doctest.h>

using namespace espalier;
using namespace espalier::apps;

TEST_CASE("mlp and tabular take pixels and columns, with any number of outputs") {
  for (const char* name : {"mlp", "tabular"})
    for (const Task& task : {Task{{28, 28, 1}, 10}, Task{{1, 1, 5}, 3}, Task{{1, 1, 2}, 1}}) {
      const NetworkKind& kind = network_kind(name);
      Rng rng(1, "init");
      const Sequential model = make_network(kind, kind.widths, task, rng);
      CHECK(model.output_shape(task.image) == Shape{task.classes});
    }
  Rng rng(1, "init");
  const NetworkKind& tabular = network_kind("tabular");
  Sequential five = make_network(tabular, tabular.widths, {{1, 1, 5}, 3}, rng);
  std::int64_t parameters = 0;
  five.visit({.parameter = [&](const std::string&, Parameter& p) {
    parameters += p.latent().shape().elements();
  }});
  CHECK(parameters == 5 * 64 + 64 + 64 * 32 + 32 + 32 * 3 + 3);
}
