// Scope: which names an expression may use, and the column each lives in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace rivulet::expr {

// What is known of a value before anything runs: the set of types it can have. A single bit (plus
// null) is a statically typed value; kAnyType is a payload field nobody declared.
using StaticType = TypeMask;

struct Field {
  std::string name;
  StaticType type = kAnyType;
  uint32_t column = 0;
};

// Field names in order of definition. A scope that is `open` (a source whose payload fields are not
// declared) accepts any new name: it becomes a payload field of any type with the next column.
class Scope {
 public:
  explicit Scope(bool open = false) : open_(open) {}

  // The field called `name`; in an open scope a missing one is defined on the spot.
  std::optional<Field> Resolve(std::string_view name);
  // Looks without defining.
  const Field* Find(std::string_view name) const;
  // Defines `name`, or gives an existing field a new column and type (a `set` that overwrites).
  // Returns the new column.
  uint32_t Define(std::string_view name, StaticType type);

  // Narrows the type of an existing field.
  void SetType(std::string_view name, StaticType type);

  bool open() const { return open_; }
  const std::vector<Field>& fields() const { return fields_; }
  uint32_t column_count() const { return next_column_; }
  std::vector<std::string> Names() const;

 private:
  std::vector<Field> fields_;
  uint32_t next_column_ = 0;
  bool open_;
};

}  // namespace rivulet::expr
