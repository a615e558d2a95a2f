#include "compress/recipe/recipe.hpp"

#include "compress/prune/sensitivity.hpp"
#include "compress/recipe/fields.hpp"
#include "compress/recipe/order.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "layers/json_reader.hpp"

namespace espalier::recipe {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20, kMaxStages = 64, kMaxNames = 1024,
                      kMaxNameBytes = 256, kMaxPathBytes = 4096;

template <class E>
std::vector<std::string> words(const Names<E>& names) {
  std::vector<std::string> all;
  for (const auto& [word, _] : names) all.push_back(word);
  return all;
}

// Puts what an object says into the values, which hold the defaults.
class Reader {
 public:
  explicit Reader(const JsonReader& json) : json_(json) {}

  void number(const std::string& key, float& to, Range range, const char*) {
    if (const auto found = take(key)) to = number_of(*found, range);
  }
  template <class T>
  void integer(const std::string& key, T& to, std::int64_t min, std::int64_t max, const char*) {
    if (const auto found = take(key)) to = static_cast<T>(found->integer(min, max));
  }
  void flag(const std::string& key, bool& to, const char*) {
    if (const auto found = take(key)) to = found->flag();
  }
  template <class E>
  void choice(const std::string& key, E& to, const Names<E>& names, const char*) {
    const auto found = take(key);
    if (!found) return;
    const std::string word = found->choice(words(names));
    for (const auto& [name, value] : names)
      if (name == word) to = value;
  }
  void required_text(const std::string& key, std::string& to, const char*) {
    take(key);
    to = json_.at(key).text(kMaxPathBytes);
  }
  void texts(const std::string& key, std::vector<std::string>& to, const char*) {
    const auto found = take(key);
    if (!found) return;
    to.clear();
    for (const JsonReader& element : found->elements(0, kMaxNames))
      to.push_back(element.text(kMaxNameBytes));
  }
  void numbers(const std::string& key, std::map<std::string, float>& to, Range range, const char*) {
    each(key,
         [&](const std::string& name, const JsonReader& v) { to[name] = number_of(v, range); });
  }
  void integers(const std::string& key, std::map<std::string, int>& to, std::int64_t min,
                std::int64_t max, const char*) {
    each(key, [&](const std::string& name, const JsonReader& v) {
      to[name] = static_cast<int>(v.integer(min, max));
    });
  }
  void finish(std::vector<std::string> more = {}) {
    known_.insert(known_.end(), more.begin(), more.end());
    json_.allow_only(known_);
  }

 private:
  std::optional<JsonReader> take(const std::string& key) {
    known_.push_back(key);
    return json_.find(key);
  }
  // As float, which is what is kept: 0.99999999999 is 1.
  static float number_of(const JsonReader& json, Range range) {
    const bool is_number = json.value().is_number();
    const auto v = static_cast<float>(is_number ? json.value().get<double>() : 0);
    json.check(is_number && range.holds(double{v}), "wants a number ",
               range.above_min ? "above " : "from ", range.min,
               range.below_max ? " to below " : " to ", range.max, ", got ", json.shown());
    return v;
  }
  template <class Use>
  void each(const std::string& key, Use use) {
    const auto found = take(key);
    if (!found) return;
    found->allow_only(keys_of(*found));
    found->check(found->value().size() <= kMaxNames, "wants at most ", kMaxNames, " names, got ",
                 found->value().size());
    for (const auto& name : keys_of(*found)) use(name, found->at(name));
  }
  static std::vector<std::string> keys_of(const JsonReader& json) {
    std::vector<std::string> keys;
    json.check(json.value().is_object(), "wants an object {...}, got ", json.shown());
    for (const auto& [key, _] : json.value().items()) keys.push_back(key);
    return keys;
  }

  const JsonReader& json_;
  std::vector<std::string> known_;
};

// What only the pass itself would refuse later, when a stage was trained already.
void check(const JsonReader& json, const Target& t) {
  if (t.schedule == Curve::kConstant) return;
  json.check(t.initial <= t.sparsity, "wants initial <= sparsity, got ", t.initial, " and ",
             t.sparsity);
  json.check(t.begin < t.end, "wants begin < end, got ", t.begin, " and ", t.end);
}
void check(const JsonReader& json, const Prune& p) {
  check(json, p.target);
  json.check(p.n_of_m.keep <= p.n_of_m.of, "wants keep <= of, got ", p.n_of_m.keep, " and ",
             p.n_of_m.of);
  json.check(p.sparsities.empty() || p.allocation == Sharing::kPerLayer,
             "sparsities want \"allocation\": \"per_layer\"");
  if (p.allocation != Sharing::kSensitivity) return;
  json.check(p.criterion == prune::Criterion::kMagnitude,
             "sensitivity is measured by magnitude; "
             "wants \"criterion\": \"magnitude\"");
  json.check(p.structure != Form::kNofM,
             "n_of_m has one sparsity, which sensitivity cannot share; "
             "wants another structure or allocation");
  const float most = prune::SensitivityOptions().sparsities.back();
  json.check(p.target.sparsity <= most, "sensitivity is measured up to a sparsity of ", most,
             ", got ", p.target.sparsity);
}
void check(const JsonReader& json, const Units& u) {
  check(json, u.target);
}
void check(const JsonReader&, const Cluster&) {}
void check(const JsonReader& json, const Quantize& q) {
  json.check(!q.learned_step || q.weights == quantize::WeightLevels::kUniform,
             "ternary and binary weights have scales by formula; leave learned_step out");
}
void check(const JsonReader& json, const Rate& r) {
  json.check(r.float_until < r.ramp_until && r.ramp_until <= r.freeze_at,
             "wants float_until < ramp_until <= freeze_at, got ", r.float_until, ", ", r.ramp_until,
             " and ", r.freeze_at);
}

void check(const JsonReader&, const Float16&) {}
void check(const JsonReader&, const DynamicRange&) {}
void check(const JsonReader&, const Augment&) {}
void check(const JsonReader&, const Distill&) {}

// Defaults that depend on the passes of the stage and of those before.
void suit(Stage& s, const Recipe& before) {
  if (s.prune || s.units) s.epochs = 4, s.learning_rate = 5e-3f;
  if (s.cluster || s.quantize) s.epochs = 2, s.learning_rate = 5e-4f;
  if (s.rate) s.epochs = 100, s.learning_rate = 0.05f;
  if (s.stores()) s.epochs = 0;
  if (s.cluster) s.cluster->preserve_sparsity = before.keeps_zeros(before.stages.size());
  bool clusters = s.cluster.has_value();
  for (const Stage& stage : before.stages) clusters = clusters || stage.cluster;
  if (s.quantize) s.quantize->per_channel = !clusters;
  if (s.dynamic_range) s.dynamic_range->per_channel = !clusters;
}

Stage read_stage(const JsonReader& json, const Recipe& before) {
  Stage stage;
  std::vector<std::string> keys;
  passes(stage, [&](const char* key, auto& pass, const char*) {
    keys.emplace_back(key);
    if (json.find(key)) pass.emplace();
  });
  suit(stage, before);
  Reader reader(json);
  fields(reader, stage);
  reader.finish(keys);
  if (stage.quantize && stage.epochs == 0)
    stage.quantize->observer = quantize::ObserverKind::kMinMax;
  passes(stage, [&](const char* key, auto& pass, const char*) {
    if (!pass) return;
    const JsonReader object = json.at(key);
    Reader own(object);
    fields(own, *pass);
    own.finish();
    check(object, *pass);
  });
  return stage;
}

class Writer {
 public:
  explicit Writer(Json& json) : json_(json) { json_ = Json::object(); }
  void number(const std::string& key, float v, Range, const char*) {
    json_[key] = shortest_decimal(v);
  }
  template <class T>
  void integer(const std::string& key, T v, std::int64_t, std::int64_t, const char*) {
    json_[key] = v;
  }
  void flag(const std::string& key, bool v, const char*) { json_[key] = v; }
  template <class E>
  void choice(const std::string& key, E v, const Names<E>& names, const char*) {
    for (const auto& [word, value] : names)
      if (value == v) json_[key] = word;
  }
  void required_text(const std::string& key, const std::string& v, const char*) { json_[key] = v; }
  void texts(const std::string& key, const std::vector<std::string>& v, const char*) {
    json_[key] = v;
  }
  void numbers(const std::string& key, const std::map<std::string, float>& v, Range, const char*) {
    json_[key] = Json::object();
    for (const auto& [name, value] : v) json_[key][name] = shortest_decimal(value);
  }
  void integers(const std::string& key, const std::map<std::string, int>& v, std::int64_t,
                std::int64_t, const char*) {
    json_[key] = Json::object();
    for (const auto& [name, value] : v) json_[key][name] = value;
  }

 private:
  Json& json_;
};

}  // namespace

std::string Stage::name() const {
  std::string all;
  const auto add = [&](bool there, const char* key) {
    if (there) all += (all.empty() ? "" : " + ") + std::string(key);
  };
  add(prune.has_value(), "prune");
  add(units.has_value(), "units");
  add(cluster.has_value(), "cluster");
  add(quantize.has_value(), "quantize");
  add(rate.has_value(), "rate");
  add(float16.has_value(), "float16");
  add(dynamic_range.has_value(), "dynamic range");
  return all.empty() ? "train" : all;
}

Target Target::for_run(std::int64_t total_steps) const {
  constexpr std::int64_t kUsual = 100, kShort = 1000, kMasks = 20;
  constexpr float kRecovery = 0.25f;
  Target t = *this;
  if (frequency_steps > 0) return t;
  t.frequency_steps = kUsual;
  if (total_steps >= kShort) return t;
  t.frequency_steps = std::max<std::int64_t>(1, total_steps / kMasks);
  if (end == 1) t.end = 1 - kRecovery * (1 - begin);
  return t;
}

bool Recipe::keeps_zeros(std::size_t index) const {
  for (std::size_t i = 0; i < index; ++i)
    if (stages[i].prune) return true;
  return false;
}

bool Recipe::folds_batch_norm(std::size_t index) const {
  const auto first =
      std::ranges::find_if(stages, [](const Stage& s) { return s.cluster.has_value(); });
  return first == stages.begin() + static_cast<std::ptrdiff_t>(index) &&
         std::any_of(first, stages.end(), [](const Stage& s) { return s.quantize.has_value(); });
}

Recipe parse_recipe(std::string_view text, const std::string& file) {
  require(text.size() <= kMaxFileBytes, ErrorKind::kCorrupt, file, "has ", text.size(),
          " bytes, more than ", kMaxFileBytes);
  const Json json = parse_json(text, file);
  Recipe recipe;
  for (const JsonReader& stage : JsonReader(json, file).elements(1, kMaxStages)) {
    recipe.stages.push_back(read_stage(stage, recipe));
    recipe.stages.back().place = file + ": /" + std::to_string(recipe.stages.size() - 1);
    stage.check(recipe.stages.back().epochs > 0 || recipe.stages.back().name() != "train",
                "has neither a pass nor epochs: nothing would be done");
  }
  check_order(recipe, file);
  return recipe;
}

Recipe load_recipe(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path, kMaxFileBytes);
  return parse_recipe({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

std::string format_recipe(const Recipe& recipe) {
  Json all = Json::array();
  for (Stage stage : recipe.stages) {
    Json json, own;
    Writer writer(own);
    fields(writer, stage);
    passes(stage, [&](const char* key, auto& pass, const char*) {
      if (!pass) return;
      Writer inner(json[key]);
      fields(inner, *pass);
    });
    json.update(own);
    all.push_back(json);
  }
  return all.dump(1) + "\n";
}

}  // namespace espalier::recipe
