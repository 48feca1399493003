#include "operators/steps/step_chain.h"

#include <algorithm>

namespace rivulet {

void RemoveFailedRows(const std::vector<RowError>& errors, size_t first,
                      std::vector<uint32_t>* rows) {
  if (first >= errors.size()) return;
  std::vector<uint32_t> failed;
  for (size_t i = first; i < errors.size(); ++i) failed.push_back(errors[i].row);
  std::sort(failed.begin(), failed.end());
  std::erase_if(*rows, [&failed](uint32_t row) {
    return std::binary_search(failed.begin(), failed.end(), row);
  });
}

void StepChain::AddSet(uint32_t column, expr::Program program) {
  steps_.push_back(Step{column, std::move(program)});
}

void StepChain::AddWhere(expr::Program program) { steps_.push_back(Step{-1, std::move(program)}); }

void StepChain::AddJoin(LookupJoin join) { steps_.push_back(std::move(join)); }

bool StepChain::joins() const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const auto& step) { return std::holds_alternative<LookupJoin>(step); });
}

void StepChain::AddColumns(std::vector<uint32_t>* read, std::vector<uint32_t>* written) const {
  for (const auto& any : steps_) {
    if (const auto* step = std::get_if<Step>(&any)) {
      step->program.AddColumns(read);
      if (step->column >= 0) written->push_back(static_cast<uint32_t>(step->column));
      continue;
    }
    const auto& join = std::get<LookupJoin>(any);
    for (const LookupJoin::Key& key : join.keys) read->push_back(key.column);
    for (const LookupJoin::Take& take : join.take) written->push_back(take.column);
  }
}

void StepChain::KeepTrue(const Column& condition, std::vector<uint32_t>* rows) {
  size_t kept = 0;
  for (const uint32_t row : *rows) {
    (*rows)[kept] = row;
    kept += condition.type(row) == Type::kBool && condition.Bool(row) ? 1 : 0;
  }
  rows->resize(kept);
}

void StepChain::RunStep(const Step& step, RecordBatch* batch, std::vector<uint32_t>* rows,
                        StepScratch* scratch, std::vector<RowError>* errors) {
  const size_t first_error = errors->size();
  const bool all = rows->size() == batch->rows;
  const Selection selection{all ? nullptr : rows->data(), static_cast<uint32_t>(rows->size())};
  // A set may overwrite a field that its own expression reads; it then has a new column, so the
  // output is never among the inputs.
  Column* out = step.column >= 0 ? &batch->columns[static_cast<size_t>(step.column)]
                                 : &scratch->condition;
  step.program.Evaluate(*batch, selection, &scratch->context, out, errors);
  RemoveFailedRows(*errors, first_error, rows);
  if (step.column < 0) KeepTrue(*out, rows);
}

void StepChain::Run(RecordBatch* batch, std::vector<uint32_t>* rows, StepScratch* scratch,
                    std::vector<RowError>* errors) const {
  for (const auto& any : steps_) {
    if (const auto* step = std::get_if<Step>(&any)) {
      RunStep(*step, batch, rows, scratch, errors);
    } else {
      const auto& join = std::get<LookupJoin>(any);
      for (const LookupJoin::Key& key : join.keys) {
        CheckIdentity(batch->columns[key.column], "a value that is looked up in a table", rows, errors);
      }
      join.Run(batch, rows, &scratch->lookup);
    }
  }
}

}  // namespace rivulet
