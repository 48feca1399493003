#include "operators/keyed/keyed_plan.h"

#include <algorithm>
#include <iterator>

namespace rivulet {
namespace {

void SortUnique(std::vector<uint32_t>* columns) {
  std::sort(columns->begin(), columns->end());
  columns->erase(std::unique(columns->begin(), columns->end()), columns->end());
}

}  // namespace

void KeyedPlan::Finish(const StepChain& arguments, const std::vector<uint32_t>& argument_columns,
                       uint32_t column_count) {
  columns = column_count;
  std::vector<uint32_t> read = argument_columns, written;
  arguments.AddColumns(&read, &written);
  for (const KeyedPlanStep& step : steps) {
    if (const auto* chain = std::get_if<StepChain>(&step.what)) chain->AddColumns(&read, &written);
    if (const auto* history = std::get_if<HistorySpec>(&step.what)) {
      for (const HistoryItem& item : history->items) {
        item.argument.AddColumns(&read);
        if (item.argument.column() < 0) written.push_back(item.argument_column);
        written.push_back(item.column);
      }
    }
    if (const auto* dedup = std::get_if<DedupSpec>(&step.what)) {
      read.insert(read.end(), dedup->columns.begin(), dedup->columns.end());
    }
  }
  SortUnique(&read);
  SortUnique(&written);
  // A column is computed in one place only: what is written here is not the source's.
  gathered.clear();
  std::set_difference(read.begin(), read.end(), written.begin(), written.end(),
                      std::back_inserter(gathered));
}

}  // namespace rivulet
