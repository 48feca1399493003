// The part of the planner that compiles `detect`.
#include <algorithm>

#include "base/hash.h"
#include "node/plan/planner.h"

namespace rivulet {
namespace {

constexpr TypeMask kNumber = MaskOf(Type::kInt) | MaskOf(Type::kFloat);
constexpr TypeMask kCondition = MaskOf(Type::kBool);
constexpr TypeMask kNotNull = kAnyType & ~MaskOf(Type::kNull);

const char* Describe(TypeMask accepts) {
  return accepts == kCondition ? "a condition that is true or false" : "a number";
}

// A record that time alone has made meets tables as they are just then, and has no source of several; with
// per-key time there is no one time.
bool GoesByTime(const DetectSpec& detect, const PipelinePlan& plan, size_t step) {
  using Kind = DetectSpec::Kind;
  if (detect.hold_us == 0 || detect.kind == Kind::kGap || detect.kind == Kind::kChange) return false;
  if (plan.window.per_key.on || plan.joins()) return false;
  return std::none_of(plan.keyed.steps.begin() + static_cast<std::ptrdiff_t>(step),
                      plan.keyed.steps.end(), [](const KeyedPlanStep& behind) {
                        const auto* chain = std::get_if<StepChain>(&behind.what);
                        return chain != nullptr && chain->joins();
                      });
}

}  // namespace

// All that is read behind them is known.
void Planner::FinishDetects(const std::vector<uint32_t>& arguments) {
  for (size_t i = 0; i < plan_->keyed.steps.size(); ++i) {
    auto* detect = std::get_if<DetectSpec>(&plan_->keyed.steps[i].what);
    if (detect == nullptr || !GoesByTime(*detect, *plan_, i)) continue;
    detect->by_time = true;
    detect->event_times = plan_->event_times;
    for (const uint32_t column : plan_->keyed.ReadBehind(i + 1, plan_->arguments, arguments)) {
      if (column == detect->column || column == detect->since_column) continue;
      // What is made has a time of its own.
      if (IsEventTimeColumn(column)) continue;
      const auto& fields = scope_.fields();
      const auto field = std::find_if(fields.begin(), fields.end(),
                                      [column](const auto& f) { return f.column == column; });
      // One that has been given a new value since has no name.
      const std::string name = field == fields.end() ? "#" + std::to_string(column) : field->name;
      detect->carried.push_back({column, static_cast<uint32_t>(Hash64(name))});
    }
  }
}

std::optional<DetectInput> Planner::PlanDetectInput(const MarkedText& text, TypeMask accepts) {
  const std::optional<expr::Program> program = Compile(text);
  if (!program) return std::nullopt;
  if ((program->type() & accepts) == 0 && program->type() != MaskOf(Type::kNull)) {
    Fault(text, ErrorCode::kWrongArgumentType,
          std::string("'detect' needs ") + Describe(accepts) + " here, '" + program->canonical() +
              "' is not");
    return std::nullopt;
  }
  DetectInput input{*program, 0, accepts};
  if (program->column() >= 0) {
    input.column = static_cast<uint32_t>(program->column());
  } else {
    // Back quotes cannot be part of a plain name, so this can collide with none.
    input.column = scope_.Define("`" + program->canonical() + "`", program->type());
    known_fields_ = scope_.fields().size();
  }
  return input;
}

void Planner::PlanDetect(const DetectStep& step) {
  if (!CheckKeyedPlace(step.mark, "detect")) return;
  DetectSpec spec;
  spec.kind = static_cast<DetectSpec::Kind>(step.kind);
  spec.name = step.name.text;
  spec.hold_us = step.hold.us;
  spec.over = step.over;
  spec.all = step.all;
  using Kind = DetectSpec::Kind;
  const bool any = spec.kind == Kind::kStuck || (spec.kind == Kind::kChange && step.limit.text.empty());
  const TypeMask number = spec.kind == Kind::kWhen ? kCondition : kNumber;
  std::string signature = "detect " + spec.name + " " + std::to_string(static_cast<int>(spec.kind));
  if (!step.of.text.empty()) {
    spec.of = PlanDetectInput(step.of, any ? kNotNull : number);
    // A threshold may change while an episode goes on; what values are of may not.
    if (spec.of && spec.kind != Kind::kWhen) signature += " " + spec.of->program.canonical();
  }
  MarkedText limit = step.limit;
  if (limit.text.empty() && spec.kind == Kind::kAnomaly) limit = {"4", step.mark};
  if (!limit.text.empty()) spec.limit = PlanDetectInput(limit, number);
  if (!CheckNewName(step.name)) return;
  spec.column = scope_.Define(spec.name, kCondition);
  spec.since_column = scope_.Define(spec.name + "_since", MaskOf(Type::kInt) | MaskOf(Type::kNull));
  if (spec.kind == Kind::kAnomaly) {
    spec.score_column = scope_.Define(spec.name + "_score", MaskOf(Type::kFloat) | MaskOf(Type::kNull));
  }
  known_fields_ = scope_.fields().size();
  plan_->keyed.steps.push_back({std::move(spec), KeyedSignature(signature), keep_us_});
  EndHistory();
}

}  // namespace rivulet
