// The parts of Planner that concern the join of two streams. What each side must keep is what the steps
// behind the join name of it: `speed.v` is the field `v` of the records of source `speed`.
#include <algorithm>

#include "base/suggest.h"
#include "node/plan/planner.h"
#include "operators/expr/parser.h"

namespace rivulet {
namespace {

std::vector<std::string> NamesOfSources(const SourcePlan& first) {
  std::vector<std::string> names;
  for (size_t i = 0; i < first.sources(); ++i) names.push_back(first.at(i).name);
  return names;
}

// What an expression asks of records: a field, or with `unit_us` their event time.
struct Mention {
  std::string name;
  int64_t unit_us = 0;
};

void AddMentions(const expr::Node& node, std::vector<Mention>* mentions) {
  if (node.kind == expr::NodeKind::kField) mentions->push_back({node.name});
  std::string_view of;
  if (node.kind == expr::NodeKind::kCall && expr::IsEventTime(node.name, &of)) {
    expr::Diagnostic ignored;  // a fault comes up again when the text is compiled
    int64_t unit_us = 0;
    if (expr::ReadEventTimeUnit(node, &unit_us, &ignored)) {
      mentions->push_back({expr::EventTimeName(of, unit_us), unit_us});
    }
  }
  for (const expr::NodePtr& child : node.children) AddMentions(*child, mentions);
}

// In the order in which they are written.
std::vector<Mention> MentionsIn(const std::string& text) {
  std::vector<Mention> mentions;
  expr::Diagnostic ignored;  // likewise
  const expr::NodePtr root = expr::ParseExpression(text, &ignored);
  if (root != nullptr) AddMentions(*root, &mentions);
  return mentions;
}

}  // namespace

std::optional<uint8_t> Planner::FindSide(const MarkedText& name) {
  const std::vector<std::string> names = NamesOfSources(plan_->source);
  const auto found = std::find(names.begin(), names.end(), name.text);
  if (several() && found != names.end()) return static_cast<uint8_t>(found - names.begin());
  if (name.text.empty()) return std::nullopt;  // reported when it was read
  Fault(name, ErrorCode::kUnknownName,
        several() ? "source '" + name.text + "'" + DidYouMean(name.text, names)
                  : "a join needs two sources, each with a name: source: [{ name: " + name.text +
                        ", mqtt: .. }, ..]");
  return std::nullopt;
}

bool Planner::PlanSides(const StreamJoinStep& step) {
  const std::optional<uint8_t> left = FindSide(step.left), right = FindSide(step.right);
  if (!left || !right) return false;
  if (*left == *right) {
    Fault(step.right, ErrorCode::kUnsupportedYet,
          "a join of source '" + step.right.text + "' with itself; name two sources");
    return false;
  }
  plan_->join.left_source = *left;
  plan_->join.right_source = *right;
  for (size_t i = 0; i < plan_->source.sources(); ++i) {
    if (i == *left || i == *right) continue;
    Fault(spec_of(i).name, ErrorCode::kUnsupportedYet,
          "source '" + plan_->source.at(i).name + "' has no part in the join; read it with another "
          "pipeline");
  }
  return true;
}

void Planner::PlanJoinKey(const StreamJoinStep& step) {
  if (!keyed_) {
    if (step.on.empty()) {
      faults_.Add(step.mark, ErrorCode::kMissingSetting,
                  "'on' in 'join'; expected a field that both sides have, such as on: vehicle");
    }
    PlanKey({step.on}, step.mark);
  } else if (!step.on.empty()) {
    std::vector<std::string> names;
    for (const MarkedText& name : step.on) names.push_back(name.text);
    if (names != plan_->key_names) {
      Fault(step.on.front(), ErrorCode::kUnsupportedYet,
            "'on' differs from the key above; the records of a key are joined: leave one of them out");
    }
  }
  for (const MarkedText& name : step.on) {
    for (const uint8_t side : {plan_->join.left_source, plan_->join.right_source}) {
      if (SourceHas(side, name.text)) continue;
      Fault(name, ErrorCode::kUnknownName,
            "'" + name.text + "' is not a field of source '" + plan_->source.at(side).name + "'" +
                DidYouMean(name.text, OwnNames(plan_->source.at(side))) +
                "; give it one of that name with 'set'");
    }
  }
}

// Whether records of the source can have the field: it is read, or set, by the source or by a step for all.
bool Planner::SourceHas(uint8_t index, const std::string& name) {
  const SourcePlan& source = plan_->source.at(index);
  const expr::Field* field = scope_.Find(name);
  if (field == nullptr) return false;
  const auto is = [field](const CommonField& f) { return f.column == field->column; };
  const auto common = [field](const auto& pair) { return pair.second == field->column; };
  const bool read = std::any_of(read_fields_.begin(), read_fields_.end(), is);
  bool met = false;
  for (size_t i = 0; i < plan_->source.sources(); ++i) {
    const auto& meeting = plan_->source.at(i).meeting;
    met = met || std::any_of(meeting.begin(), meeting.end(), common);
  }
  if (!read && !met) return true;
  const SourceSpec& spec = spec_of(index);
  return HasField(source, name) || IsOpenSource(spec, options_) ||
         std::any_of(source.meeting.begin(), source.meeting.end(), common);
}

// A field of a side that the text at `where` names, or with `unit_us` its event time; false when `name` is
// of no side.
bool Planner::TakeSideField(const MarkedText& where, const std::string& name, int64_t unit_us) {
  const bool sides[] = {true, false};
  for (const bool left : sides) {
    const uint8_t side = left ? plan_->join.left_source : plan_->join.right_source;
    const std::string prefix = plan_->source.at(side).name + ".";
    if (!name.starts_with(prefix)) continue;
    std::vector<SideField>& fields = left ? left_fields_ : right_fields_;
    const auto known = std::find_if(fields.begin(), fields.end(),
                                    [&name](const SideField& f) { return f.name == name; });
    if (known != fields.end()) return true;
    const std::string own = name.substr(prefix.size());
    if (unit_us != 0) {
      if (own != expr::EventTimeName("", unit_us)) return false;
      fields.push_back({name, EventTimeColumnOf(unit_us), MaskOf(Type::kInt) | MaskOf(Type::kNull)});
      return true;
    }
    const std::optional<expr::Field> field = scope_.Resolve(own);
    TakeNewFields();
    if (!field || !SourceHas(side, own)) {
      Fault(where, ErrorCode::kUnknownName,
            "'" + own + "' is not a field of source '" + plan_->source.at(side).name + "'" +
                DidYouMean(own, OwnNames(plan_->source.at(side))));
      // The name exists all the same, or every use of it would be a fault too.
      fields.push_back({name, 0, kAnyType});
      return true;
    }
    fields.push_back({name, field->column,
                      static_cast<expr::StaticType>(field->type | MaskOf(Type::kNull))});
    return true;
  }
  return false;
}

// Looks through what stands behind the join.
void Planner::FindSideFields(const StreamJoinStep& join) {
  bool behind = false;
  const auto look = [this](const MarkedText& text) {
    for (const Mention& m : MentionsIn(text.text)) TakeSideField(text, m.name, m.unit_us);
  };
  for (const Step& step : spec_.steps) {
    if (!behind) {
      behind = std::get_if<StreamJoinStep>(&step.what) == &join;
      continue;
    }
    if (const auto* select = std::get_if<SelectStep>(&step.what)) {
      for (const auto& [name, text] : select->fields) {
        if (!text.text.empty()) {
          look(text);
        } else if (RefuseEventTime(name)) {
          left_fields_.push_back({name.text, 0, kAnyType});  // or the name would be a fault once more
        } else {
          TakeSideField(name, name.text);
        }
      }
    }
    if (const auto* set = std::get_if<SetStep>(&step.what)) {
      for (const auto& [name, text] : set->assignments) look(text);
    }
    if (const auto* where = std::get_if<WhereStep>(&step.what)) look(where->condition);
  }
}

void Planner::PlanStreamJoin(const StreamJoinStep& step) {
  if (after_window_) {
    faults_.Add(step.mark, ErrorCode::kUnsupportedYet,
                "a 'join' behind a 'window', a 'select' or another 'join'");
    return;
  }
  JoinSpec& join = plan_->join;
  join.type = static_cast<JoinSpec::Type>(step.type);
  join.lower_us = step.lower.us;
  join.upper_us = step.upper.us;
  plan_->ending = PipelinePlan::Ending::kJoin;
  if (PlanSides(step)) {
    PlanJoinKey(step);
    FindSideFields(step);
  }
  std::vector<ResultOutput> outputs;
  for (const std::vector<SideField>* fields : {&left_fields_, &right_fields_}) {
    for (const SideField& f : *fields) {
      plan_->argument_columns.push_back(f.column);
      plan_->join_fields.push_back(f.name);
      outputs.push_back({f.name, f.type});
    }
  }
  join.left_values = left_fields_.size();
  join.right_values = right_fields_.size();
  FinishRecords();
  BuildResultScope(outputs);
  awaits_select_ = true;
  const bool selected = std::any_of(spec_.steps.begin(), spec_.steps.end(), [](const Step& s) {
    return std::holds_alternative<SelectStep>(s.what);
  });
  if (selected) return;
  faults_.Add(step.mark, ErrorCode::kMissingSetting,
              "'select' behind 'join', which says what a pair becomes, such as - select: [" +
                  (step.left.text.empty() ? "left" : step.left.text) + ".field]");
}

// What the results of a join have besides its key and times.
void Planner::PlanJoinSelect(const SelectStep& step) {
  awaits_select_ = false;
  auto& fields = plan_->result_fields;
  fields.resize(plan_->key_names.size() + 2);
  for (const auto& [name, text] : step.fields) {
    const auto& keys = plan_->key_names;
    if (std::find(keys.begin(), keys.end(), name.text) != keys.end()) {
      Fault(name, ErrorCode::kNameTaken,
            "'" + name.text + "' is a key field, which every result has; leave it out");
      continue;
    }
    if (!CheckNewName(name)) continue;
    if (text.text.empty()) {
      if (const expr::Field* field = scope_.Find(name.text)) {
        fields.push_back({name.text, field->column, false});
        continue;
      }
      const SourcePlan& left = plan_->source.at(plan_->join.left_source);
      Fault(name, ErrorCode::kUnknownName,
            "field '" + name.text + "' in 'select'" + DidYouMean(name.text, scope_.Names()) +
                "; behind a join a field is named with its source, as in " + left.name + ".field");
      continue;
    }
    const std::optional<expr::Program> program = Compile(text);
    const uint32_t column = scope_.Define(name.text, program ? program->type() : kAnyType);
    known_fields_ = scope_.fields().size();
    if (program) plan_->after.AddSet(column, *program);
    fields.push_back({name.text, column, false});
  }
}

}  // namespace rivulet
