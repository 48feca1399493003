// Planning of a source's event time, and of what its fields take for a value.
#include <algorithm>
#include <limits>

#include "base/suggest.h"
#include "node/plan/planner.h"

namespace rivulet {
namespace {

// Keeps every sum of times far from the ends of int64.
constexpr Duration kLongestDelay{int64_t{10} * 366 * 24 * 3600 * 1'000'000};

}  // namespace

void Planner::PlanTime() {
  SourcePlan& source = *source_;
  const TimeSpec& time = source_spec_->time;
  source.arrival_time = time.arrival;
  source.delay = time.delay;
  source.idle = time.idle;
  // The times of results do not move W, so none is too far ahead.
  source.max_ahead =
      source.pipeline.empty() ? time.max_ahead : Duration{std::numeric_limits<int64_t>::max()};
  if (time.delay > kLongestDelay) {
    Fault(spec_.name, ErrorCode::kBadSettingValue, "delay is longer than ten years");
  }
  if (time.arrival) return options_.replay ? ReadObjects() : void();
  if (!spec_.source.pipeline.text.empty() && time.field.text.empty() && time.value.text.empty()) {
    return PlanResultTime();
  }
  PlanTimeValue(time);
}

void Planner::PlanTimeValue(const TimeSpec& time) {
  SourcePlan& source = *source_;
  const bool computed = !time.value.text.empty();
  source.time.unit = time.unit;
  source.time.name = computed ? time.value.text : time.field.text;
  expr::StaticType type = kAnyType;
  if (computed ? PlanComputedTime(time.value, &type) : PlanTimeField(time.field, &type)) {
    PlanTimeText(time, type);
  }
}

bool Planner::PlanTimeField(const MarkedText& name, expr::StaticType* type) {
  const bool known = scope_.Find(name.text) != nullptr;
  const bool reads_as_expression =
      name.text.find('(') != std::string::npos || name.text.find("||") != std::string::npos;
  if (!known && reads_as_expression) {
    Fault(name, ErrorCode::kUnknownName,
          "time field '" + name.text + "' reads like an expression; write time: { value: \"" + name.text +
              "\" }");
    return false;
  }
  const std::optional<expr::Field> field = scope_.Resolve(name.text);
  TakeNewFields();
  if (!field || (several() && !OwnsColumn(*source_, field->column))) {
    Fault(name, ErrorCode::kUnknownName,
          "time field '" + name.text + "'" +
              DidYouMean(name.text, several() ? OwnNames(*source_) : scope_.Names()));
    return false;
  }
  source_->time_column = field->column;
  *type = field->type;
  return true;
}

// Compiled twice: among all fields, to find its own, and among these alone, by whose numbers it then goes.
bool Planner::PlanComputedTime(const MarkedText& text, expr::StaticType* type) {
  scope_.SetEventTime(nullptr, "'time' is what says it; use fields of the record");
  const std::optional<expr::Program> program = Compile(text);
  scope_.SetEventTime(this, "");
  if (!program) return false;
  if (several()) CheckOwnFields(*source_, text, *program);
  std::vector<uint32_t> inputs;
  program->AddColumns(&inputs);
  std::sort(inputs.begin(), inputs.end());
  inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
  expr::Scope own(false);
  for (const uint32_t column : inputs) {
    const auto field = std::find_if(scope_.fields().begin(), scope_.fields().end(),
                                    [column](const expr::Field& f) { return f.column == column; });
    own.Define(field->name, field->type);
  }
  expr::Diagnostic diagnostic;
  Result<expr::Program> compiled = expr::Program::Compile(text.text, &own, &diagnostic);
  if (!compiled.ok()) return false;  // not so: it compiled above
  *type = compiled->type();
  source_->computed_time = ComputedTime{std::move(*compiled), std::move(inputs)};
  return true;
}

// `format` and `zone`, for values of this type.
void Planner::PlanTimeText(const TimeSpec& time, expr::StaticType type) {
  TimeReading& reading = source_->time;
  const bool text = (type & MaskOf(Type::kString)) != 0;
  const bool number = (type & (MaskOf(Type::kInt) | MaskOf(Type::kFloat))) != 0;
  const MarkedText& what = time.value.text.empty() ? time.field : time.value;
  if (!text && !number) {
    Fault(what, ErrorCode::kWrongArgumentType,
          "'" + what.text + "' in 'time' is neither a number nor text; expected a time");
  }
  std::string error;
  for (const MarkedText* setting : {&time.format, &time.zone}) {
    if (setting->text.empty() || text || !number) continue;
    Fault(*setting, ErrorCode::kWrongArgumentType,
          "'" + setting->text + "' is about times that are text, but '" + what.text +
              "' is a number; remove it");
  }
  if (!time.format.text.empty()) {
    reading.format =
        expr::TimeFormat::Compile(time.format.text, expr::TimeFormat::Use::kParse, &error);
    if (!reading.format) Fault(time.format, ErrorCode::kBadArgument, error);
  }
  if (!time.zone.text.empty()) {
    reading.zone = TimeZone::Find(time.zone.text, &error);
    if (!reading.zone) Fault(time.zone, ErrorCode::kBadArgument, "'" + time.zone.text + "' " + error);
  }
}

// What each field takes for null, and what becomes of a bad value: as declared of it, or else of its source.
void Planner::PlanValueRules(const SourceSpec& spec, SourcePlan* source) {
  const auto apply = [&spec](DecodedField* field) {
    if (field->as_text) return;  // the level of a topic
    field->nulls = spec.nulls;
    field->bad_is_null = spec.bad_is_null;
    for (const FieldDeclaration& declared : spec.fields) {
      if (declared.name.text != field->name) continue;
      if (declared.nulls) field->nulls = *declared.nulls;
      if (declared.bad_is_null) field->bad_is_null = *declared.bad_is_null;
    }
  };
  for (DecodedField& field : source->payload_fields) apply(&field);
  apply(&source->value_field);
}

}  // namespace rivulet
