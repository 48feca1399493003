#include "node/config/step_reader.h"

#include <set>
#include <utility>

#include "node/config/detect_reader.h"
#include "node/config/join_reader.h"
#include "node/config/pattern_reader.h"
#include "node/config/window_reader.h"

namespace rivulet {
namespace {

using Assignments = std::vector<std::pair<MarkedText, MarkedText>>;

constexpr std::string_view kExpression = "an expression such as (fahrenheit - 32) * 5 / 9";
constexpr std::string_view kStepExpected =
    "a step: { explode: .. }, { set: .. }, { where: .. }, { key: .. } or { window: .., aggregate: .. }";

void ReadAssignmentMap(const Setting& setting, std::string_view expected, Faults* faults,
                       Assignments* out) {
  for (const YamlEntry& entry : setting.node->entries) {
    if (entry.key.text.empty()) continue;  // reported when the tree was built
    MarkedText text;
    const Setting value{&entry.value, QuoteForMessage(entry.key.text) + " in " + setting.label,
                        entry.key.mark};
    // { m: max(a, b) } is for YAML the two entries "m: max(a" and "b)".
    if (entry.value.is_null() && entry.key.text.ends_with(')')) {
      faults->Add(entry.key.mark, ErrorCode::kWrongSettingType,
                  value.label + " has no expression; inside { }, quote one that holds a comma");
      continue;
    }
    if (TakeText(value, expected, &text, faults)) out->emplace_back(entry.key, std::move(text));
  }
}

// `{ a: x, b: y }`, or a list of such maps for those who want the order to be seen.
void ReadAssignments(const Setting& setting, std::string_view expected, Faults* faults,
                     Assignments* out) {
  const auto take = [&](const Setting& item) {
    if (item.node->is_map() && !item.node->entries.empty()) {
      ReadAssignmentMap(item, expected, faults, out);
      return;
    }
    faults->Add(item.mark(), ErrorCode::kWrongSettingType,
                item.label + " is " + (item.node->is_map() ? "empty" : Describe(*item.node)) +
                    "; expected a map from names to " + std::string(expected));
  };
  TakeOneOrMore(setting, "a map from names to expressions", take, faults);
}

// Names given twice across the maps of a list; within one map the tree has found them already.
void CheckNamesOnce(const Assignments& assignments, std::string_view setting, Faults* faults) {
  std::set<std::string_view> seen;
  for (const auto& [name, text] : assignments) {
    if (seen.insert(name.text).second) continue;
    faults->Add(name.mark, ErrorCode::kDuplicateSetting,
                QuoteForMessage(name.text) + " in '" + std::string(setting) +
                    "' was already given; rename one");
  }
}

}  // namespace

SetStep ReadSet(const Setting& setting, Faults* faults) {
  SetStep step;
  ReadAssignments(setting, kExpression, faults, &step.assignments);
  return step;
}

WhereStep ReadWhere(const Setting& setting, Faults* faults) {
  WhereStep step;
  TakeText(setting, "a condition such as speed > 5 and speed < 200", &step.condition, faults);
  return step;
}

namespace {

ExplodeStep ReadExplode(const Setting& setting, Faults* faults) {
  ExplodeStep step;
  const SettingReader reader(*setting.node, settings::kExplode, faults);
  constexpr std::string_view kField = "the field that holds the array, such as readings";
  constexpr std::string_view kAs = "a name for its elements, such as r";
  if (const auto field = reader.Require("field", kField)) {
    TakeText(*field, kField, &step.field, faults);
  }
  if (const auto as = reader.Require("as", kAs)) TakeText(*as, kAs, &step.as, faults);
  return step;
}

// `[a, b]`, each once; `name` is the setting's.
void ReadFields(const Setting& setting, std::string_view name, Faults* faults,
                std::vector<MarkedText>* fields) {
  std::set<std::string> seen;
  constexpr std::string_view kExpected = "a field's name or a list of them";
  const auto take = [&](const Setting& item) {
    MarkedText field;
    if (!TakeText(item, kExpected, &field, faults)) return;
    if (!seen.insert(field.text).second) {
      faults->Add(field.mark, ErrorCode::kDuplicateSetting,
                  QuoteForMessage(field.text) + " in '" + std::string(name) +
                      "' was already given; remove one");
      return;
    }
    fields->push_back(std::move(field));
  };
  TakeOneOrMore(setting, kExpected, take, faults);
}

KeyStep ReadKey(const Setting& setting, Faults* faults) {
  KeyStep step;
  ReadFields(setting, "key", faults, &step.fields);
  return step;
}

DedupStep ReadDedup(const Setting& setting, Faults* faults) {
  DedupStep step;
  step.mark = setting.mark();
  const SettingReader reader(*setting.node, settings::kDedup, faults);
  if (!reader.usable()) return step;
  if (const auto by = reader.Find("by")) ReadFields(*by, "by", faults, &step.fields);
  if (reader.Require("within", "how far apart in time duplicates are, such as within: 10m")) {
    reader.DurationOf("within", kOneMicro, kMaxDuration, &step.within);
  }
  return step;
}

WindowStep ReadWindow(const Setting& window, const SettingReader& step_reader, Faults* faults) {
  WindowStep step;
  step.mark = window.mark();
  const SettingReader reader(*window.node, settings::kWindow, faults);
  ReadWindowSettings(reader, faults, &step);
  constexpr std::string_view kAggregate = "an aggregate such as avg(celsius) or count()";
  const auto aggregate =
      step_reader.Require("aggregate", "what to compute in the window, such as { n: count() }");
  if (aggregate) {
    ReadAssignments(*aggregate, kAggregate, faults, &step.aggregates);
    CheckNamesOnce(step.aggregates, "aggregate", faults);
  }
  return step;
}

PatternStep ReadPatternStep(const Setting& setting, const SettingReader& step_reader, Faults* faults) {
  PatternStep step = ReadPattern(setting, faults);
  constexpr std::string_view kField = "an expression over its elements such as brake.speed or count(brake)";
  if (const auto select = step_reader.Find("select")) {
    ReadAssignments(*select, kField, faults, &step.fields);
    CheckNamesOnce(step.fields, "select", faults);
  }
  return step;
}

// `[a, b]`, `{ a: x }`, or a list of both.
SelectStep ReadSelect(const Setting& setting, Faults* faults) {
  constexpr std::string_view kExpected = "field names, or names with expressions";
  SelectStep step;
  step.mark = setting.mark();
  const auto take = [&](const Setting& item) {
    if (item.node->is_map() && !item.node->entries.empty()) {
      ReadAssignmentMap(item, kExpression, faults, &step.fields);
      return;
    }
    MarkedText name;
    if (TakeText(item, kExpected, &name, faults)) step.fields.push_back({std::move(name), {}});
  };
  TakeOneOrMore(setting, kExpected, take, faults);
  CheckNamesOnce(step.fields, "select", faults);
  return step;
}

// The one setting that says what the step does; null and a fault when it is none or several.
std::optional<Setting> StepKind(const SettingReader& reader, Faults* faults) {
  std::optional<Setting> kind;
  for (const std::string_view name :
       {"explode", "set", "where", "key", "dedup", "detect", "join", "window", "pattern", "select"}) {
    const std::optional<Setting> setting = reader.Find(name);
    if (!setting || (name == "select" && reader.Find("pattern"))) continue;
    if (kind) {
      faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                  "'" + std::string(name) +
                      "' shares a step with another; put '- ' before it: each is its own step");
      return std::nullopt;
    }
    kind = setting;
  }
  if (!kind) {
    if (const auto aggregate = reader.Find("aggregate")) {
      faults->Add(aggregate->name_mark, ErrorCode::kMissingSetting,
                  "'window' beside 'aggregate'; expected both in one step");
      return std::nullopt;
    }
    if (!reader.empty()) return std::nullopt;  // unknown names, which have been reported
    faults->Add(reader.mark(), ErrorCode::kMissingSetting,
                "the step does nothing; expected " + std::string(kStepExpected));
  }
  return kind;
}

void ReadStep(const Setting& setting, Faults* faults, std::vector<Step>* steps) {
  if (!setting.node->is_map()) {
    faults->Add(setting.mark(), ErrorCode::kWrongSettingType,
                setting.label + " is " + Describe(*setting.node) + "; expected " +
                    std::string(kStepExpected));
    return;
  }
  const SettingReader reader(*setting.node, settings::kStep, faults);
  const std::optional<Setting> kind = StepKind(reader, faults);
  if (!kind) return;
  Step step;
  step.mark = setting.mark();
  const bool is_window = reader.Find("window").has_value();
  if (is_window) {
    step.what = ReadWindow(*kind, reader, faults);
  } else if (reader.Find("explode")) {
    step.what = ReadExplode(*kind, faults);
  } else if (reader.Find("set")) {
    step.what = ReadSet(*kind, faults);
  } else if (reader.Find("where")) {
    step.what = ReadWhere(*kind, faults);
  } else if (reader.Find("dedup")) {
    step.what = ReadDedup(*kind, faults);
  } else if (reader.Find("pattern")) {
    step.what = ReadPatternStep(*kind, reader, faults);
  } else if (reader.Find("select")) {
    step.what = ReadSelect(*kind, faults);
  } else if (reader.Find("detect")) {
    step.what = ReadDetect(*kind, faults);
  } else if (reader.Find("join")) {
    ReadJoin(*kind, faults, &step);
  } else {
    step.what = ReadKey(*kind, faults);
  }
  if (auto* key = std::get_if<KeyStep>(&step.what)) {
    reader.DurationOf("keep", kOneMicro, kMaxDuration, &key->keep);
  } else if (const auto keep = reader.Find("keep")) {
    faults->Add(keep->name_mark, ErrorCode::kBadSettingValue,
                "'keep' stands in a step without 'key'; expected both in one step");
  }
  if (const auto aggregate = reader.Find("aggregate"); aggregate && !is_window) {
    faults->Add(aggregate->name_mark, ErrorCode::kBadSettingValue,
                "'aggregate' stands in a step without 'window'; expected both in one step");
  }
  steps->push_back(std::move(step));
}

}  // namespace

void ReadSteps(const Setting& setting, Faults* faults, std::vector<Step>* steps) {
  if (setting.node->is_null()) return;
  TakeOneOrMore(
      setting, kStepExpected, [&](const Setting& item) { ReadStep(item, faults, steps); }, faults);
}

}  // namespace rivulet
