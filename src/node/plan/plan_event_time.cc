// The parts of Planner that concern event_time() in expressions: one column for each unit that is asked for.
#include <algorithm>

#include "node/plan/planner.h"

namespace rivulet {

bool Planner::TakeEventTime(const expr::EventTimeCall& call, expr::Field* field,
                            expr::Diagnostic* diagnostic) {
  if (plan_->joins() && after_window_) return FindSideTime(call, field, diagnostic);
  if (!call.of.empty()) {
    *diagnostic = {ErrorCode::kUnknownFunction, call.offset,
                   "'" + call.of + ".event_time'; the time of the record is event_time()"};
    return false;
  }
  field->column = EventTimeColumnOf(call.unit_us);
  return true;
}

uint32_t Planner::EventTimeColumnOf(int64_t unit_us) {
  std::vector<EventTimeColumn>& times = plan_->event_times;
  const auto known = std::find_if(times.begin(), times.end(),
                                  [unit_us](const EventTimeColumn& t) { return t.unit_us == unit_us; });
  if (known != times.end()) return known->column;
  times.push_back({scope_.AddColumn(), unit_us});
  return times.back().column;
}

bool Planner::IsEventTimeColumn(uint32_t column) const {
  const auto is = [column](const EventTimeColumn& t) { return t.column == column; };
  return std::any_of(plan_->event_times.begin(), plan_->event_times.end(), is);
}

// Behind a join: what FindSideFields has had kept of a side.
bool Planner::FindSideTime(const expr::EventTimeCall& call, expr::Field* field,
                           expr::Diagnostic* diagnostic) const {
  if (const expr::Field* kept = scope_.Find(call.canonical)) {
    *field = *kept;
    return true;
  }
  const std::string& left = plan_->source.at(plan_->join.left_source).name;
  const std::string& right = plan_->source.at(plan_->join.right_source).name;
  *diagnostic = {ErrorCode::kUnknownFunction, call.offset,
                 (call.of.empty() ? "'event_time' of a pair, which has two"
                                  : "'" + call.of + ".event_time', which is no side of the join") +
                     "; expected " + left + ".event_time() or " + right + ".event_time()"};
  return false;
}

// As a name it would be that of a field that nothing has.
bool Planner::RefuseEventTime(const MarkedText& name) {
  std::string_view of;
  const size_t open = name.text.find('(');
  if (open == std::string::npos || !expr::IsEventTime(name.text.substr(0, open), &of)) return false;
  Fault(name, ErrorCode::kUnknownName,
        "'" + name.text + "' where the name of a field is expected; give it one, such as at: " + name.text);
  return true;
}

}  // namespace rivulet
