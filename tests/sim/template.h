// Template: a pipeline that simulated lives may have. Every template publishes under its own name:
// out/NAME/N/..., late/NAME and dead/NAME.
#pragma once

#include "sim/scenario.h"

namespace rivulet::sim {

struct Template {
  const char* yaml;
  // The edit that a reload brings: this text becomes that.
  const char* before;
  const char* after;
};

Scenario::PipelineText Edited(const Template& one);

// Adds pipelines of several sources and joins of them to some scenarios: see several_sources.cc.
void ChooseSourcePipelines(Scenario* s);
// Adds pipelines whose time goes on when nothing comes, and clocks that jump: see quiet_pipelines.cc.
void ChooseQuietPipelines(Scenario* s);
void ChooseClock(Scenario* s);

// Adds pipelines with file sinks to some scenarios, and to this one: see kept_files.cc.
void ChooseFilePipelines(Scenario* s);
void AddFilePipelines(Scenario* s);

// Adds pipelines with SQLite sinks: see kept_databases.cc. The folder of databases stands for kDatabases.
inline constexpr const char* kDatabases = "DATABASES";
void ChooseDatabasePipelines(Scenario* s);
void AddDatabasePipelines(Scenario* s);

// Gives some scenarios a small store: see small_store.cc.
void ChooseSmallStore(Scenario* s);

// Gives some scenarios a small journal, and lost acknowledgements: see small_journals.cc.
void ChooseSmallJournal(Scenario* s);

// Filters that overlap, brokers that send a copy for each, retained messages: see overlapping_filters.cc.
void ChooseOverlaps(Scenario* s);

}  // namespace rivulet::sim
