// Scenario: everything a simulated life is made of before it starts: pipelines, settings and how
// often what goes wrong. One seed, one scenario.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/types.h"
#include "state/journal.h"

namespace rivulet::sim {

// Faults of Rivulet itself, planted to prove that the checker finds them.
enum class PlantedBug : uint8_t {
  kNone,
  kDroppedPut,        // a commit loses one row of window state
  kEarlyAcknowledge,  // messages are acknowledged before they are journaled
  kForgottenOutput,   // the output log's row of one result is never stored
  kStaleCursor,       // a commit moves state on, but not the position it belongs to
  kEarlyPublish,      // results leave before their commit
  kUnknownDuplicate,  // a redelivered message is taken for a new one
  kTickWhileDown,     // ticks while there is no session
  kUnnoticedResume,   // a new connection is taken for the one before
  kUnsyncedSink,      // the cursor of a file sink is stored before the file is safe
  kUncutSink,         // a file sink goes on behind what a crash left, without cutting it
  kRoomByLoss,        // in a full store, an output that sinks do not have yet makes room
  kEarlyMemory,       // a retained message is remembered as had before it is journaled
  kEarlyNote,         // a result is noted as delivered when it has left, not when it has arrived
  kLostNotes,         // what is noted of deliveries is not found by the next process
  kTrimPastCursors,   // the journal is trimmed beyond what was committed
  kUnsyncedDatabase,  // the database of an SQLite sink is not synced
  kUnsyncedCommit,    // commits are made without a sync of the journal
};

// Chances are per step.
struct Scenario {
  uint64_t seed = 0;
  struct PipelineText {
    std::string yaml;
    std::string changed;  // what a later edit makes of it: the same sinks
  };
  std::vector<PipelineText> pipelines;
  size_t messages = 0;
  PlantedBug bug = PlantedBug::kNone;

  // Settings of the node.
  JournalSync sync = JournalSync::kInterval;
  bool commit_sync = true;
  uint64_t segment_bytes = 0;
  uint64_t retain_bytes = 0;
  Duration retain_age;
  Duration journal_interval;
  Duration commit_interval;
  Duration checkpoint_interval;
  uint64_t state_memory = 0;
  uint64_t state_outputs = 0;   // see NodeSpec
  uint64_t store_capacity = 0;  // 0: no limit
  bool lists = false;           // messages are published of which each is many records
  uint64_t disk_reserve = 0;
  uint16_t partitions = 1;
  size_t results_per_step = 16384;
  int qos = 1;
  uint32_t max_inflight = 1;
  size_t retained = 0;          // messages that the broker has retained before the session exists
  bool copies = false;          // the broker sends a copy per subscription

  double posted_work = 1;       // that a piece of posted work runs; 1: at once
  double link_drop = 0;         // per link
  double broker_down = 0;
  double sink_broker_down = 0;
  double stop = 0;
  double reload = 0;            // with some of the pipelines edited
  double crash = 0;
  double die_in_operation = 0;  // the process is killed in a file operation
  double die_in_commit = 0;
  double power_cut = 0;
  double failed_operation = 0;  // one file operation fails, among them syncs
  double failed_commit = 0;
  double disk_full = 0;
  double wall_jump = 0;         // the wall clock jumps, and the monotonic one does not
  bool clock_known = true;      // the machine knows the date, except while it has jumped
  double restart_delay = 0;     // that a dead process stays dead for one more step
};

Scenario MakeScenario(uint64_t seed);
// A small store, which fills up while sinks are away, and messages that cost much.
void LimitStore(Scenario* scenario);

// One line for people.
std::string Describe(const Scenario& scenario);

}  // namespace rivulet::sim
