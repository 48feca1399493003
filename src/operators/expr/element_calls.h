// Fields of a pattern's elements, and aggregates over their records: `brake.speed` (the last one's),
// `first(brake.speed)`, `count(brake)`, `avg(moving.speed * 3.6)`. An expression does not compute them: each
// is taken out of the tree and becomes a field that whoever follows the pattern fills. Likewise aggregates
// over the records of a window, in expressions over them: `sum(wh) / 1000`.
#pragma once

#include <string>
#include <string_view>

#include "operators/expr/ast.h"
#include "operators/expr/program.h"

namespace rivulet::expr {

// Takes them over; part of a Scope where there are elements.
class ElementCalls {
 public:
  virtual ~ElementCalls() = default;
  virtual bool IsElement(std::string_view name) const = 0;
  virtual bool IsAggregate(std::string_view name) const = 0;
  // Aggregates are over all records, without an element, which TakeElement is then told as "".
  virtual bool OverRecords() const { return false; }
  // Where the fields of the elements' records are.
  virtual Scope* Records() = 0;
  // `call` is over fields of the element's records. Defines a field of `scope` that will hold the value and
  // puts its name into `*field`. `offset`: of the element in the text. False with `*diagnostic` filled when
  // it cannot be.
  virtual bool TakeElement(const std::string& element, AggregateCall call, size_t offset, Scope* scope,
                           std::string* field, Diagnostic* diagnostic) = 0;
};

// Replaces all of them in the tree. False with `*diagnostic` filled. Does nothing where the scope has no
// ElementCalls.
bool LiftElements(NodePtr* root, Scope* scope, Diagnostic* diagnostic);

}  // namespace rivulet::expr
