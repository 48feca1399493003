// prev, changed and since: functions of a key's records before this one. An expression does not compute them:
// each call is taken out of the tree, becomes a column that a step with a memory fills, and the expression
// reads that column.
#pragma once

#include <cstdint>
#include <string>

#include "operators/expr/ast.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

enum class HistoryFunction : uint8_t { kPrev, kChanged, kSince };

// How far back prev can look.
inline constexpr int64_t kMaxPrevRecords = 100;

struct HistoryCall {
  HistoryFunction function;
  Program argument;
  uint32_t records;       // kPrev: how many records back
  StaticType type;        // of the call
  std::string canonical;  // "prev(speed, 2)"
};

// Takes calls over; part of a Scope where there are keys.
class HistoryCalls {
 public:
  virtual ~HistoryCalls() = default;
  // Defines a field of the scope that will hold the call's value, and returns its name.
  virtual std::string Take(HistoryCall call) = 0;
};

// Replaces every such call in the tree, innermost first, by the field that the scope's HistoryCalls gives it.
// False with `*diagnostic` filled when there are calls and no such place (kStepOrder), or they are wrong.
bool LiftHistory(NodePtr* root, Scope* scope, Diagnostic* diagnostic);

}  // namespace rivulet::expr
