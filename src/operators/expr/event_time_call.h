// event_time(): when the record happened. An expression does not compute it: the call is taken out of the
// tree and reads a column that is filled where records get their times. `left.event_time()` is that of the
// record of a join's side, where there is a join.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "operators/expr/ast.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

struct EventTimeCall {
  std::string of;         // the side of a join; empty: the record itself
  int64_t unit_us = 0;    // how many microseconds the value's unit has
  std::string canonical;  // "event_time('us')"
  size_t offset = 0;      // in the text
};

// Of a call of it: its unit in microseconds. False with `*diagnostic` filled when the argument is none.
bool ReadEventTimeUnit(const Node& call, int64_t* unit_us, Diagnostic* diagnostic);
// How it is written: "left.event_time('us')"; without the unit where it is the usual one.
std::string EventTimeName(std::string_view of, int64_t unit_us);
// What is in front of ".event_time" in a call of this name; whether it is one of event_time at all.
bool IsEventTime(std::string_view call, std::string_view* of);

// Takes calls over; part of a Scope where there are records.
class EventTimeCalls {
 public:
  virtual ~EventTimeCalls() = default;
  // Fills in the column that will hold the time and its type: an int, and also null where a side of a join
  // may be missing. False with `*diagnostic` filled when there is none.
  virtual bool TakeEventTime(const EventTimeCall& call, Field* field, Diagnostic* diagnostic) = 0;
};

// Replaces every such call in the tree by the column that the scope's EventTimeCalls gives it. False with
// `*diagnostic` filled when there are calls and no such place (kStepOrder), or they are wrong.
bool LiftEventTime(NodePtr* root, Scope* scope, Diagnostic* diagnostic);

}  // namespace rivulet::expr
