#include "node/engine/unquoted_counts.h"

#include <algorithm>

namespace rivulet {
namespace {

bool Has(const SourceSlot& slot, uint32_t row, const UnquotedName& name) {
  const std::vector<Column>& columns = slot.batch.columns;
  if (columns[name.column].is_null(row) || (name.source && slot.source[row] != *name.source)) return false;
  return std::any_of(name.parts.begin(), name.parts.end(),
                     [&](uint32_t part) { return columns[part].is_null(row); });
}

}  // namespace

uint64_t UnquotedCounts::Count(const SourceSlot& slot, uint32_t rows) {
  if (names_->empty()) return 0;
  uint64_t records = 0;
  for (uint32_t row = 0; row < rows; ++row) {
    bool any = false;
    for (size_t i = 0; i < names_->size(); ++i) {
      if (!Has(slot, row, (*names_)[i])) continue;
      ++counts_[i];
      any = true;
    }
    records += any ? 1 : 0;
  }
  return records;
}

ConfigErrors UnquotedCounts::Found(const std::string& pipeline) const {
  ConfigErrors found;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) found.push_back((*names_)[i].Found(pipeline, counts_[i]));
  }
  return found;
}

}  // namespace rivulet
