// The part of the planner that compiles steps with a memory for each key.
#include <algorithm>

#include "base/suggest.h"
#include "node/plan/planner.h"

namespace rivulet {

StepChain& Planner::Chain() {
  if (after_window_) return plan_->after;
  if (!plan_->keyed.empty()) return plan_->keyed.chain();
  return keyed_ ? plan_->between : plan_->before;
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
    if (RefuseEventTime(text)) continue;
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
  EndHistory();
}

bool Planner::KnownAtHistory(const expr::Program& argument) const {
  std::vector<uint32_t> read, unread, later;
  argument.AddColumns(&read);
  const auto& steps = plan_->keyed.steps;
  for (const HistoryItem& item : std::get<HistorySpec>(steps[history_].what).items) {
    later.push_back(item.column);
  }
  for (size_t i = history_ + 1; i < steps.size(); ++i) {
    if (const auto* chain = std::get_if<StepChain>(&steps[i].what)) chain->AddColumns(&unread, &later);
  }
  return std::none_of(read.begin(), read.end(), [&later](uint32_t column) {
    return std::find(later.begin(), later.end(), column) != later.end();
  });
}

// Calls share a step, and with it what it costs to remember a key, as long as they see the same records.
std::string Planner::Take(expr::HistoryCall call) {
  TakeNewFields();
  if (history_ != kNoStep && !KnownAtHistory(call.argument)) EndHistory();
  if (history_ != kNoStep) {
    std::vector<uint32_t> wanted, has;
    call.argument.AddColumns(&wanted);
    for (const HistoryItem& item : std::get<HistorySpec>(plan_->keyed.steps[history_].what).items) {
      const expr::Field* field = scope_.Find(call.canonical);
      if (field == nullptr || field->column != item.column) continue;
      has.clear();
      item.argument.AddColumns(&has);
      if (has == wanted) return call.canonical;  // asked for before
    }
  }
  if (history_ == kNoStep) {
    history_ = plan_->keyed.steps.size();
    plan_->keyed.steps.push_back({HistorySpec(), "", keep_us_});
  }
  const int32_t plain = call.argument.column();
  const uint32_t argument =
      plain >= 0 ? static_cast<uint32_t>(plain)
                 : scope_.Define("`" + call.argument.canonical() + "`", call.argument.type());
  const uint32_t column = scope_.Define(call.canonical, call.type);
  known_fields_ = scope_.fields().size();
  std::get<HistorySpec>(plan_->keyed.steps[history_].what)
      .items.push_back({call.function, std::move(call.argument), call.records, argument, column,
                        call.canonical});
  return call.canonical;
}

void Planner::PlanSelect(const SelectStep& step) {
  if (awaits_select_) return PlanJoinSelect(step);
  if (after_window_) {
    faults_.Add(step.mark, ErrorCode::kUnsupportedYet,
                "a second 'window', 'pattern' or 'select' step in one pipeline");
    return;
  }
  if (!keyed_) {
    faults_.Add(step.mark, ErrorCode::kStepOrder,
                "'select' before 'key'; expected a step such as `- key: sensor` above it");
  }
  if (!spec_.source.time.per.empty()) {
    Fault(spec_.source.time.per.front(), ErrorCode::kUnsupportedYet,
          "per-key time ('per') without a window: results that are records wait for no time");
  }
  plan_->ending = PipelinePlan::Ending::kSelect;
  std::vector<ResultOutput> outputs;
  for (const auto& [name, text] : step.fields) {
    const auto& keys = plan_->key_names;
    if (std::find(keys.begin(), keys.end(), name.text) != keys.end()) {
      Fault(name, ErrorCode::kNameTaken,
            "'" + name.text + "' is a key field, which every result has; leave it out");
      continue;
    }
    if (!CheckNewName(name)) continue;
    if (text.text.empty()) {
      if (RefuseEventTime(name)) continue;
      const std::optional<expr::Field> field = scope_.Resolve(name.text);
      TakeNewFields();
      if (!field) {
        Fault(name, ErrorCode::kUnknownName,
              "field '" + name.text + "' in 'select'" + DidYouMean(name.text, scope_.Names()));
        continue;
      }
      plan_->argument_columns.push_back(field->column);
      outputs.push_back({name.text, field->type});
      continue;
    }
    const std::optional<expr::Program> program = Compile(text);
    if (!program) continue;
    PlanArgument(*program);
    outputs.push_back({name.text, program->type()});
  }
  FinishRecords();
  BuildResultScope(outputs);
}

}  // namespace rivulet
