// Scope: which names an expression may use, and the column each lives in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

class HistoryCalls;
class ElementCalls;
class EventTimeCalls;

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

  // A column without a name.
  uint32_t AddColumn() { return next_column_++; }

  // Narrows the type of an existing field.
  void SetType(std::string_view name, StaticType type);

  // Who takes calls of prev, changed and since; null: nobody, and `advice` is what the message goes on with.
  void SetHistory(HistoryCalls* calls, std::string advice) {
    history_ = calls;
    history_advice_ = std::move(advice);
  }
  HistoryCalls* history() const { return history_; }
  const std::string& history_advice() const { return history_advice_; }

  // Who takes calls of event_time, likewise.
  void SetEventTime(EventTimeCalls* calls, std::string advice) {
    event_times_ = calls;
    event_time_advice_ = std::move(advice);
  }
  EventTimeCalls* event_times() const { return event_times_; }
  const std::string& event_time_advice() const { return event_time_advice_; }

  // Who takes fields of a pattern's elements; null: there are none.
  void SetElements(ElementCalls* calls) { elements_ = calls; }
  ElementCalls* elements() const { return elements_; }

  bool open() const { return open_; }
  const std::vector<Field>& fields() const { return fields_; }
  uint32_t column_count() const { return next_column_; }
  std::vector<std::string> Names() const;

 private:
  std::vector<Field> fields_;
  uint32_t next_column_ = 0;
  bool open_;
  HistoryCalls* history_ = nullptr;
  ElementCalls* elements_ = nullptr;
  std::string history_advice_ = "there are no keys here";
  EventTimeCalls* event_times_ = nullptr;
  std::string event_time_advice_ = "there are no records here";
};

}  // namespace rivulet::expr
