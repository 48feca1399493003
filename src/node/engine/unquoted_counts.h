// UnquotedCounts: how many records have had the fields that expressions name without back quotes. Not state:
// nothing but figures and messages depends on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node/engine/source_task.h"
#include "node/plan/unquoted_name.h"

namespace rivulet {

// One thread.
class UnquotedCounts {
 public:
  // `names` must outlive the counts.
  explicit UnquotedCounts(const std::vector<UnquotedName>* names) : names_(names), counts_(names->size()) {}

  // Looks at the slot's first `rows` records. Returns how many of them have at least one of the fields.
  uint64_t Count(const SourceSlot& slot, uint32_t rows);

  const std::vector<UnquotedName>& names() const { return *names_; }
  // By name.
  const std::vector<uint64_t>& counts() const { return counts_; }
  // What there is to say of those that have come, with their counts.
  ConfigErrors Found(const std::string& pipeline) const;

 private:
  const std::vector<UnquotedName>* names_;
  std::vector<uint64_t> counts_;
};

}  // namespace rivulet
