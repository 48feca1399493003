// The part of the planner that compiles steps with a memory for each key.
#include <algorithm>

#include "base/suggest.h"
#include "node/plan/planner.h"

namespace rivulet {

StepChain& Planner::Chain() {
  if (after_window_) return plan_->after;
  return plan_->keyed.empty() ? plan_->before : plan_->keyed.chain();
}

bool Planner::CheckKeyedPlace(SourceMark mark, const std::string& name) {
  if (keyed_ && !after_window_) return true;
  faults_.Add(mark, ErrorCode::kStepOrder,
              after_window_ ? "'" + name + "' behind the window; it works on the records of a key: "
                              "put it between 'key' and 'window'"
                            : "'" + name + "' before 'key'; it works on the records of a key: put a "
                              "step such as `- key: sensor` above it");
  return false;
}

std::string Planner::KeyedSignature(const std::string& name) const {
  std::string text = name + "\n";
  for (const std::string& key : plan_->key_names) text += key + "\n";
  // Several of a kind are told apart by their order.
  const auto same = std::count_if(
      plan_->keyed.steps.begin(), plan_->keyed.steps.end(),
      [&text](const KeyedPlanStep& step) { return step.signature.starts_with(text); });
  return text + std::to_string(same);
}

void Planner::PlanDedup(const DedupStep& step) {
  CheckKeyedPlace(step.mark, "dedup");
  DedupSpec dedup;
  std::string name = "dedup";
  for (const MarkedText& text : step.fields) {
    const std::optional<expr::Field> field = scope_.Resolve(text.text);
    TakeNewFields();
    if (!field) {
      Fault(text, ErrorCode::kUnknownName,
            "field '" + text.text + "' in 'by'" + DidYouMean(text.text, scope_.Names()));
      continue;
    }
    dedup.columns.push_back(field->column);
    name += " " + text.text;
  }
  dedup.within_us = step.within.us;
  const std::string signature = KeyedSignature(name);
  plan_->keyed.steps.push_back({std::move(dedup), signature, step.within.us});
}

}  // namespace rivulet
