#include "operators/expr/event_time_call.h"

#include <utility>

#include "operators/expr/function_registry.h"

namespace rivulet::expr {
namespace {

constexpr std::string_view kName = "event_time";
constexpr int64_t kMilli = 1000;
// Nanoseconds are not among them: 64 bits of these reach no further than 2262.
constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"s", 1'000'000}, {"ms", kMilli}, {"us", 1}};

bool Fail(Diagnostic* diagnostic, ErrorCode code, size_t offset, std::string message) {
  *diagnostic = {code, offset, std::move(message)};
  return false;
}

bool Lift(NodePtr* node, std::string_view of, Scope* scope, Diagnostic* diagnostic) {
  const size_t offset = (*node)->offset;
  EventTimeCall call{std::string(of), 0, "", offset};
  if (!ReadEventTimeUnit(**node, &call.unit_us, diagnostic)) return false;
  if (scope->event_times() == nullptr) {
    return Fail(diagnostic, ErrorCode::kStepOrder, offset,
                "'" + (*node)->name + "' is the time of a record; " + scope->event_time_advice());
  }
  call.canonical = EventTimeName(of, call.unit_us);
  Field field{call.canonical, kIntMask};
  if (!scope->event_times()->TakeEventTime(call, &field, diagnostic)) return false;
  *node = std::make_unique<Node>(NodeKind::kField, offset);
  (*node)->placed = true;
  (*node)->name = std::move(field.name);
  (*node)->type = field.type;
  (*node)->column = field.column;
  return true;
}

}  // namespace

bool ReadEventTimeUnit(const Node& call, int64_t* unit_us, Diagnostic* diagnostic) {
  *unit_us = kMilli;
  if (call.children.empty()) return true;
  if (call.children.size() > 1) {
    return Fail(diagnostic, ErrorCode::kWrongArgumentCount, call.offset,
                call.name + " takes 0 to 1 arguments, found " + std::to_string(call.children.size()));
  }
  const Node& unit = call.child(0);
  const Value value = unit.kind == NodeKind::kLiteral ? unit.constant_value() : Value::Null();
  for (const auto& [name, us] : kUnits) {
    if (value.type != Type::kString || value.s != name) continue;
    *unit_us = us;
    return true;
  }
  return Fail(diagnostic, ErrorCode::kBadArgument, unit.offset,
              call.name + " needs its unit as argument: 's', 'ms' (as without one) or 'us'");
}

std::string EventTimeName(std::string_view of, int64_t unit_us) {
  std::string name(of);
  if (!name.empty()) name += '.';
  name += kName;
  name += '(';
  for (const auto& [unit, us] : kUnits) {
    if (us == unit_us && us != kMilli) name.append("'").append(unit).append("'");
  }
  return name + ')';
}

bool IsEventTime(std::string_view call, std::string_view* of) {
  const size_t dot = call.rfind('.');
  if (call.substr(dot == std::string_view::npos ? 0 : dot + 1) != kName) return false;
  *of = call.substr(0, dot == std::string_view::npos ? 0 : dot);
  return true;
}

bool LiftEventTime(NodePtr* root, Scope* scope, Diagnostic* diagnostic) {
  std::string_view of;
  if ((*root)->kind == NodeKind::kCall && IsEventTime((*root)->name, &of)) {
    return Lift(root, of, scope, diagnostic);
  }
  for (NodePtr& child : (*root)->children) {
    if (!LiftEventTime(&child, scope, diagnostic)) return false;
  }
  return true;
}

}  // namespace rivulet::expr
