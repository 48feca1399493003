// StepChain: the stateless steps `set`, `where` and `join` with a table, applied in order to the rows of a
// batch.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "base/record_batch.h"
#include "operators/expr/program.h"
#include "operators/lookup/lookup_join.h"

namespace rivulet {

// What one thread needs to run chains; reused from batch to batch.
struct StepScratch {
  expr::EvalContext context;
  Column condition;
  LookupContext lookup;  // to be set where chains have joins
  std::vector<RowError> errors;
};

// Takes the rows named in `errors` (from index `first` on, any order) out of the ascending `rows`.
void RemoveFailedRows(const std::vector<RowError>& errors, size_t first,
                      std::vector<uint32_t>* rows);

// Immutable once built; any number of threads may run it.
class StepChain {
 public:
  // Computes `program` into `column` of the batch.
  void AddSet(uint32_t column, expr::Program program);
  // Keeps the rows for which `program` is true; false and null go.
  void AddWhere(expr::Program program);
  void AddJoin(LookupJoin join);
  // Appends the columns the steps read, and those they compute.
  void AddColumns(std::vector<uint32_t>* read, std::vector<uint32_t>* written) const;
  bool empty() const { return steps_.empty(); }
  bool joins() const;

  // `rows` are the batch's rows still in play, ascending; those filtered out or failed leave it. Rows for
  // which an expression failed are appended to `errors`.
  void Run(RecordBatch* batch, std::vector<uint32_t>* rows, StepScratch* scratch,
           std::vector<RowError>* errors) const;

 private:
  struct Step {
    int64_t column;  // -1: where
    expr::Program program;
  };
  static void KeepTrue(const Column& condition, std::vector<uint32_t>* rows);
  static void RunStep(const Step& step, RecordBatch* batch, std::vector<uint32_t>* rows,
                      StepScratch* scratch, std::vector<RowError>* errors);

  std::vector<std::variant<Step, LookupJoin>> steps_;
};

}  // namespace rivulet
