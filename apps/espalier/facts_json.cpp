#include "apps/espalier/facts_json.hpp"

#include "compress/format/checksum.hpp"

namespace espalier::apps {

using nlohmann::json;

json facts_json(const std::string& file, std::int64_t file_bytes, const format::PackedModel& model,
                const ModelFacts& facts) {
  json layers = json::array();
  for (const auto& l : facts.layers)
    layers.push_back({{"name", l.name},
                      {"kind", l.kind},
                      {"output", l.output},
                      {"bits", l.bits},
                      {"integer", l.integer},
                      {"weights", l.weights},
                      {"sparsity", share(l.zeros, l.weights)},
                      {"file_bytes", l.file_bytes},
                      {"macs", l.macs},
                      {"activation_bytes", l.activation_bytes}});
  const auto scaling = [](const format::Scaling& s) -> json {
    return {{"mean", s.mean}, {"deviation", s.deviation}};
  };
  json columns = json::array();
  for (std::size_t c = 0; c < model.columns.size(); ++c) {
    columns.push_back(scaling(model.columns[c]));
    if (!model.column_names.empty()) columns.back()["name"] = model.column_names[c];
  }
  return {{"file", file},
          {"file_bytes", file_bytes},
          {"version", format::version_for(model)},
          {"header_bytes", facts.header_bytes},
          {"input_shape", model.input_shape},
          {"input_scale", model.input.scale},
          {"input_zero_point", model.input.zero_point},
          {"input_mean", model.input_mean},
          {"input_deviation", model.input_deviation},
          {"columns", columns},
          {"label_name", model.label_name},
          {"target", model.target ? scaling(*model.target) : json()},
          {"labels", model.labels},
          {"layers", layers},
          {"parameters", facts.parameters},
          {"sparsity", share(facts.zeros, facts.weights)},
          {"macs", facts.macs},
          {"dense_float_bytes", facts.dense_float_bytes},
          {"peak_activation_bytes", facts.peak_activation_bytes}};
}

json trace_json(const Trace& t) {
  json products = json::array();
  for (const auto& p : t.products)
    products.push_back(
        {{"y", p.y}, {"x", p.x}, {"channel", p.channel}, {"level", p.level}, {"weight", p.weight}});
  json all = {{"layer", t.layer},
              {"unit", t.unit},
              {"y", t.y},
              {"x", t.x},
              {"products", products},
              {"sum", t.sum},
              {"bias", t.bias},
              {"accumulator", t.accumulator},
              {"multiplier", t.multiplier},
              {"real", t.real}};
  if (!t.real_output)
    all.update({{"scaled", t.scaled},
                {"rounded", t.rounded},
                {"zero_point", t.output.zero_point},
                {"level", t.level}});
  return all;
}

}  // namespace espalier::apps
