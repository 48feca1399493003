#include "node/config/join_reader.h"

#include <algorithm>
#include <utility>

#include "node/config/step_reader.h"
#include "node/config/stream_join_reader.h"

namespace rivulet {
namespace {

TableJoinStep ReadTableJoin(const Setting& setting, Faults* faults) {
  TableJoinStep step;
  step.mark = setting.mark();
  const SettingReader reader(*setting.node, settings::kJoin, faults);
  if (!reader.usable()) return step;
  constexpr std::string_view kTable = "the name of a table of 'tables'";
  if (const auto table = reader.Require("table", kTable)) TakeText(*table, kTable, &step.table, faults);
  if (const auto on = reader.Find("on")) {
    ReadNamesOrPairs(*on, "on", "the key's columns, or columns with expressions",
                     "an expression such as upper(plate)", faults, &step.on);
  }
  if (const auto take = reader.Find("take")) {
    ReadNamesOrPairs(*take, "take", "columns of the table, or names with columns",
                     "a column of the table", faults, &step.take);
  }
  reader.Choice<bool>("type", {"inner", "left"}, {true, false}, &step.inner);
  if (!step.inner && !reader.Find("take")) {
    reader.Missing("take", "columns of the table: without them a left join does nothing");
  }
  return step;
}

}  // namespace

void ReadJoin(const Setting& setting, Faults* faults, Step* step) {
  // Of two sources, or of the records with a table.
  const auto& entries = setting.node->entries;
  const bool streams = std::any_of(entries.begin(), entries.end(), [](const YamlEntry& e) {
    return e.key.text == "left" || e.key.text == "right" || e.key.text == "within";
  });
  if (streams) {
    step->what = ReadStreamJoin(setting, faults);
  } else {
    step->what = ReadTableJoin(setting, faults);
  }
}

}  // namespace rivulet
