// The part of the planner that compiles `pattern`.
#include <algorithm>
#include <utility>

#include "base/suggest.h"
#include "node/plan/planner.h"

namespace rivulet {
namespace {

constexpr TypeMask kCondition = MaskOf(Type::kBool) | MaskOf(Type::kNull);
// Longer than any record lies behind another one, and far from the ends of int64.
constexpr int64_t kNoLimit = int64_t{1} << 61;

}  // namespace

// --- fields of elements ---

bool Planner::IsElement(std::string_view name) const {
  const auto& elements = plan_->pattern.elements;
  return std::any_of(elements.begin(), elements.end(),
                     [name](const PatternElement& e) { return !e.negated && e.name == name; });
}

bool Planner::IsAggregate(std::string_view name) const {
  const std::vector<std::string> names = AggregatePlan::Names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool Planner::TakeElement(const std::string& element, expr::AggregateCall call, size_t offset,
                          expr::Scope* scope, std::string* field, expr::Diagnostic* diagnostic) {
  if (over_records_) return TakeAggregate(std::move(call), scope, field, diagnostic);
  auto& elements = plan_->pattern.elements;
  const auto found = std::find_if(elements.begin(), elements.end(), [&element](const PatternElement& e) {
    return !e.negated && e.name == element;
  });
  const auto index = static_cast<size_t>(found - elements.begin());
  if (index > element_) {
    *diagnostic = {ErrorCode::kUnknownName, offset,
                   "'" + element + "' comes behind this element; expected a field of the record or of an "
                   "element that came before"};
    return false;
  }
  if (scope == &scope_) TakeNewFields();
  AggregatePlan& captures = found->captures;
  size_t output = 0;
  while (output < captures.outputs() && captures.output_name(output) != call.canonical) ++output;
  if (output == captures.outputs()) {
    size_t at = 0;
    const Status status = captures.Add(call.canonical, call, &at);
    if (!status.ok()) {
      *diagnostic = {status.code(), at, status.message()};
      return false;
    }
  }
  *field = element + "." + call.canonical;
  if (scope->Find(*field) == nullptr) {
    const auto type = static_cast<expr::StaticType>(captures.output_type(output) | MaskOf(Type::kNull));
    const uint32_t column = scope->Define(*field, type);
    element_fields_.push_back({column, {static_cast<uint32_t>(index), static_cast<uint32_t>(output)}});
  }
  if (scope == &scope_) known_fields_ = scope_.fields().size();
  return true;
}

// --- the sequence ---

bool Planner::CheckPatternPlace(const PatternStep& step) {
  if (after_window_) {
    faults_.Add(step.mark, ErrorCode::kUnsupportedYet,
                "a second 'window', 'pattern' or 'select' step in one pipeline");
    return false;
  }
  if (!keyed_) {
    faults_.Add(step.mark, ErrorCode::kStepOrder,
                "'pattern' before 'key'; expected a step such as `- key: sensor` above it");
  }
  if (!spec_.source.time.per.empty()) {
    Fault(spec_.source.time.per.front(), ErrorCode::kUnsupportedYet,
          "per-key time ('per') with a pattern; it works with tumbling, sliding and session windows");
  }
  if (step.timeouts && !step.within && std::none_of(step.sequence.begin(), step.sequence.end(),
                                                    [](const auto& e) { return e.within.has_value(); })) {
    faults_.Add(step.mark, ErrorCode::kBadPattern,
                "'timeouts' without a time that can run out; expected 'within' for the whole or for "
                "an element");
  }
  return true;
}

void Planner::CheckSequence(const PatternStep& step) {
  const auto& sequence = step.sequence;
  const auto fault = [&](const PatternElementSetting& e, std::string message) {
    faults_.Add(e.mark, ErrorCode::kBadPattern, std::move(message));
  };
  if (sequence.size() > kMaxPatternElements) {
    fault(sequence[kMaxPatternElements], "more than " + std::to_string(kMaxPatternElements) + " elements");
  }
  for (size_t i = 0; i < sequence.size(); ++i) {
    const PatternElementSetting& e = sequence[i];
    if (i == 0 && e.negated) {
      fault(e, "it begins with 'not'; expected an element with records in front, such as { name: last } "
               "for any record: what is not there can only be missing behind something");
    }
    if (i == 0 && e.optional) fault(e, "its first element is optional; expected one that must be there");
    if (i > 0 && e.negated && sequence[i - 1].negated) {
      fault(e, "'not' behind 'not'; expected one with both conditions, joined by 'or'");
    }
    if (e.negated && e.hold.us == 0 && i + 1 == sequence.size()) {
      fault(e, "it ends with a 'not' that never ends; expected 'for', such as for: 5m");
    }
    for (size_t j = 0; j < i && !e.negated; ++j) {
      if (sequence[j].name.text != e.name.text || e.name.text.empty()) continue;
      Fault(e.name, ErrorCode::kNameTaken, "'" + e.name.text + "' is the name of another element");
      break;
    }
    for (const expr::Field& field : scope_.fields()) {
      if (e.negated || (field.name != e.name.text && !field.name.starts_with(e.name.text + "."))) continue;
      Fault(e.name, ErrorCode::kNameTaken,
            "'" + e.name.text + "' is a field of the records; call the element something else");
      break;
    }
  }
}

void Planner::PlanElement(const PatternElementSetting& setting, size_t index) {
  PatternElement& e = plan_->pattern.elements[index];
  e.least = static_cast<uint32_t>(setting.least);
  e.most = setting.most == 0 ? kUnlimited : static_cast<uint32_t>(setting.most);
  e.optional = setting.optional;
  e.next = setting.next;
  e.reluctant = setting.reluctant;
  e.hold_us = setting.hold.us;
  // What never comes must not wait for ever.
  e.within_us = setting.within ? setting.within->us : keep_us_;
  if (!setting.where.text.empty()) PlanElementCondition(setting, index);
}

void Planner::PlanElementCondition(const PatternElementSetting& setting, size_t index) {
  PatternElement& e = plan_->pattern.elements[index];
  element_ = index;
  const std::optional<expr::Program> program = Compile(setting.where);
  if (!program) return;
  e.text = program->canonical();
  if ((program->type() & kCondition) == 0) {
    Fault(setting.where, ErrorCode::kWrongArgumentType,
          "a pattern's condition is true or false, '" + e.text + "' is not");
    return;
  }
  std::vector<uint32_t> read;
  program->AddColumns(&read);
  std::sort(read.begin(), read.end());
  read.erase(std::unique(read.begin(), read.end()), read.end());
  LinkedCondition linked{*program, {}};
  bool links = false;
  for (const uint32_t column : read) {
    const auto field = std::find_if(element_fields_.begin(), element_fields_.end(),
                                    [column](const ElementField& f) { return f.column == column; });
    if (field == element_fields_.end()) {
      linked.inputs.push_back({column, 0});
    } else {
      linked.inputs.push_back({column, -1, field->capture});
      links = true;
    }
  }
  if (links) {
    e.linked = std::move(linked);
    return;
  }
  e.condition = static_cast<int32_t>(plan_->argument_columns.size());
  PlanArgument(*program);
}

// --- what a record is kept as ---

// The same value is kept once.
uint32_t Planner::PatternValue(const expr::Program& program, TypeMask accepts) {
  PatternPlan& pattern = plan_->pattern;
  accepts |= MaskOf(Type::kNull);
  PlanArgument(program);
  auto& columns = plan_->argument_columns;
  const auto begin = columns.begin() + static_cast<std::ptrdiff_t>(pattern.first_value);
  const auto known = std::find(begin, columns.end() - 1, columns.back());
  const auto value = static_cast<size_t>(known - begin);
  if (known != columns.end() - 1) {
    columns.pop_back();
    pattern.accepts[value] &= accepts;
  } else {
    pattern.accepts.push_back(accepts);
  }
  return static_cast<uint32_t>(value);
}

void Planner::PlanPatternValues() {
  PatternPlan& pattern = plan_->pattern;
  for (PatternElement& e : pattern.elements) {
    for (size_t i = 0; i < e.captures.arguments().size(); ++i) {
      e.capture_values.push_back(
          PatternValue(e.captures.arguments()[i], e.captures.argument_accepts(i)));
    }
    if (!e.linked) continue;
    for (LinkedCondition::Input& input : e.linked->inputs) {
      if (input.value < 0) continue;
      auto& columns = plan_->argument_columns;
      const auto begin = columns.begin() + static_cast<std::ptrdiff_t>(pattern.first_value);
      const auto known = std::find(begin, columns.end(), input.column);
      input.value = static_cast<int32_t>(known - begin);
      if (known != columns.end()) continue;
      columns.push_back(input.column);
      pattern.accepts.push_back(kAnyType);
    }
  }
  pattern.Finish();
}

// --- results ---

void Planner::PlanPatternFields(const PatternStep& step) {
  expr::Scope results = ResultScope();
  results.SetHistory(nullptr, "results have none: use it in a condition");
  results.SetEventTime(nullptr, "of a match, name the element it is of: " +
                                    (plan_->pattern.elements.empty() ? "" : plan_->pattern.elements[0].name) +
                                    ".event_time(); results have window_start and window_end");
  results.SetElements(this);
  if (step.timeouts) {
    plan_->result_fields.push_back(
        {"timed_out", results.Define("timed_out", MaskOf(Type::kBool)), false});
  }
  element_ = plan_->pattern.elements.size();
  element_fields_.clear();
  std::vector<std::pair<std::string, expr::Program>> fields;
  for (const auto& [name, text] : step.fields) {
    if (!CheckNewName(name)) continue;
    if (results.Find(name.text) != nullptr) {
      Fault(name, ErrorCode::kNameTaken, "'" + name.text + "' is a field that every result has");
      continue;
    }
    expr::Diagnostic diagnostic;
    const std::vector<Hyphenated> hyphenated = FindHyphenated(text.text);
    Result<expr::Program> program = expr::Program::Compile(text.text, &results, &diagnostic);
    TakeNewFields();
    if (program.ok()) {
      fields.emplace_back(name.text, std::move(*program));
    } else {
      HintAtBackQuotes(hyphenated, &diagnostic);
      errors_->push_back(LocateDiagnostic(spec_.file, text, diagnostic));
    }
  }
  results.SetElements(nullptr);
  for (const ElementField& f : element_fields_) plan_->pattern.results.push_back(f.capture);
  PlanPatternValues();
  FinishRecords();
  for (auto& [name, program] : fields) {
    const int32_t read = program.column();
    const auto of = std::find_if(
        element_fields_.begin(), element_fields_.end(),
        [read](const ElementField& f) { return static_cast<int32_t>(f.column) == read; });
    const bool list = of != element_fields_.end() &&
                      plan_->pattern.elements[of->capture.element].captures.output_is_json(
                          of->capture.output);
    const uint32_t column = results.Define(name, program.type());
    plan_->result_fields.push_back({name, column, list});
    plan_->after.AddSet(column, std::move(program));
  }
  scope_ = std::move(results);
  known_fields_ = scope_.fields().size();
  after_window_ = true;
}

void Planner::PlanPattern(const PatternStep& step) {
  if (!CheckPatternPlace(step)) return;
  plan_->ending = PipelinePlan::Ending::kPattern;
  PatternPlan& pattern = plan_->pattern;
  pattern.within_us = step.within ? step.within->us : kNoLimit;
  pattern.to_next = step.to_next;
  pattern.timeouts = step.timeouts;
  CheckSequence(step);
  const size_t count = std::min(step.sequence.size(), kMaxPatternElements);
  pattern.elements.resize(count);
  for (size_t i = 0; i < count; ++i) {
    pattern.elements[i].negated = step.sequence[i].negated;
    pattern.elements[i].name = step.sequence[i].negated ? "not" : step.sequence[i].name.text;
  }
  element_fields_.clear();
  scope_.SetElements(this);
  for (size_t i = 0; i < count; ++i) PlanElement(step.sequence[i], i);
  scope_.SetElements(nullptr);
  pattern.first_value = plan_->argument_columns.size();
  PlanPatternFields(step);
}

}  // namespace rivulet
