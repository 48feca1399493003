#include "operators/keyed/keyed_plan.h"

#include <algorithm>
#include <iterator>

namespace rivulet {
namespace {

void SortUnique(std::vector<uint32_t>* columns) {
  std::sort(columns->begin(), columns->end());
  columns->erase(std::unique(columns->begin(), columns->end()), columns->end());
}

// What a step reads and computes.
struct Columns {
  std::vector<uint32_t>* read;
  std::vector<uint32_t>* written;

  void operator()(const StepChain& chain) const { chain.AddColumns(read, written); }
  void operator()(const DedupSpec& dedup) const {
    read->insert(read->end(), dedup.columns.begin(), dedup.columns.end());
  }
  void operator()(const HistorySpec& history) const {
    for (const HistoryItem& item : history.items) {
      AddInput(item.argument, item.argument_column);
      written->push_back(item.column);
    }
  }
  void operator()(const DetectSpec& detect) const {
    for (const auto* input : {&detect.of, &detect.limit}) {
      if (*input) AddInput((*input)->program, (*input)->column);
    }
    written->insert(written->end(), {detect.column, detect.since_column});
    if (detect.kind == DetectSpec::Kind::kAnomaly) written->push_back(detect.score_column);
  }
  void AddInput(const expr::Program& program, uint32_t column) const {
    program.AddColumns(read);
    if (program.column() < 0) written->push_back(column);
  }
};

}  // namespace

std::vector<uint32_t> KeyedPlan::ReadBehind(size_t step, const StepChain& arguments,
                                            const std::vector<uint32_t>& argument_columns) const {
  std::vector<uint32_t> read = argument_columns, written, result;
  arguments.AddColumns(&read, &written);
  for (size_t i = step; i < steps.size(); ++i) std::visit(Columns{&read, &written}, steps[i].what);
  SortUnique(&read);
  SortUnique(&written);
  // A column is computed in one place only: what is written here is not from before.
  std::set_difference(read.begin(), read.end(), written.begin(), written.end(),
                      std::back_inserter(result));
  return result;
}

void KeyedPlan::Finish(const StepChain& arguments, const std::vector<uint32_t>& argument_columns,
                       uint32_t column_count) {
  columns = column_count;
  gathered = ReadBehind(0, arguments, argument_columns);
}

}  // namespace rivulet
