// PaneLayouts: which accumulators a stored pane holds. A pipeline's aggregates may change while windows
// are open; rows written before carry the number of their layout, and what both layouts have in
// common is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "operators/aggregate/aggregate_plan.h"

namespace rivulet {

// Every layout an operator's rows were ever written with, by number; the last is the current one.
class PaneLayouts {
 public:
  // `previous` are the layouts known so far, as Describe gave them. The plan's own is appended when it
  // is not the last of them.
  PaneLayouts(const AggregatePlan* plan, std::vector<std::string> previous);

  // The layout of a plan as text: one accumulator signature a line.
  static std::string Describe(const AggregatePlan& plan);

  const std::vector<std::string>& descriptions() const { return descriptions_; }

  // Appends the stored form of a pane, in the current layout.
  void Encode(uint32_t revision, const char* block, std::string* out) const;
  // Reads a stored pane of any known layout into an uninitialised block of the plan. Accumulators the
  // old layout did not have start empty. Errors: kCorrupt.
  Status Decode(std::string_view row, uint32_t* revision, char* block) const;

 private:
  // For each accumulator of an old layout: itself, and the plan's slot it goes to or -1.
  struct Source {
    std::shared_ptr<const Accumulator> accumulator;
    int32_t slot;
  };
  // What the lines of `description` are; empty when one of them is not known.
  std::vector<Source> ParseLayout(const std::string& description) const;

  const AggregatePlan* plan_;
  std::vector<std::string> descriptions_;
  // By layout. Empty for the current one, and for one of a version that knew accumulators this one does
  // not: its rows cannot be read.
  std::vector<std::vector<Source>> sources_;
};

}  // namespace rivulet
