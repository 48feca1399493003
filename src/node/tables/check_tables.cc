#include "node/tables/check_tables.h"

#include "node/tables/table_file.h"

namespace rivulet {

bool CheckTableFiles(const PipelinePlan& plan, ConfigErrors* errors) {
  bool good = true;
  for (const TablePlan& table : plan.tables) {
    if (table.of_topic()) continue;
    TableFault fault;
    if (NewTableFile(&table)->Read(&fault) != nullptr) continue;
    errors->push_back({table.file, fault.mark.line, fault.mark.column, fault.status.code(),
                       fault.status.message()});
    good = false;
  }
  return good;
}

}  // namespace rivulet
