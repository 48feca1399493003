// Simulation: one life of a node, from one seed: brokers, disks, a store and a clock in one
// process, and everything that can go wrong with them. No threads, no real clock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/live/node.h"
#include "sim/ledger.h"
#include "sim/mortal_file_system.h"
#include "sim/observed_link.h"
#include "sim/observed_store.h"
#include "sim/process_parts.h"
#include "sim/publisher.h"
#include "sim/repetitions.h"
#include "sim/scenario.h"
#include "sim/sim_databases.h"
#include "sim/sim_broker.h"
#include "sim/sim_file_system.h"
#include "sim/sim_store.h"

namespace rivulet::sim {

struct SimOutcome {
  std::string failure;       // empty: all promises were kept
  uint64_t fingerprint = 0;  // of all that happened: equal for equal seeds
  uint64_t steps = 0;
  uint64_t starts = 0;
  uint64_t power_cuts = 0;
  uint64_t results = 0;      // published, without repetitions
  uint64_t repeated = 0;
  uint64_t redeliveries = 0;
  uint64_t lost = 0;         // messages that power cuts took back, as they may
};

class Simulation {
 public:
  // `verbose`: says on standard output what happens.
  Simulation(const Scenario& scenario, bool verbose);
  ~Simulation();
  SimOutcome Run();

 private:
  struct Process;

  // --- the life (simulation.cc) ---
  void Live();
  void Step();
  void Advance();
  void Publish();
  void InjectRetained();
  void InjectAll(const std::vector<TestMessage>& messages);
  void StepNode();
  void CheckInvariants();
  void Rest(const char* why);
  bool Quiet();
  void Judge();
  Status RunReferences(References* references);
  void JudgeDatabases();
  bool Edited(const std::string& pipeline) const;

  // --- the process (sim_process.cc) ---
  std::unique_ptr<Process> NewProcess();
  void Boot();
  Status OpenNode();
  void Bury(Death death);
  void StopNode();
  void ReloadNode();
  NodeSpec MakeSpec();
  std::vector<PipelineSource> ReadSources();
  void NoteTexts(bool opened);
  const std::string& TextOf(const std::string& pipeline) const { return texts_.at(pipeline); }
  Status OnArrival(const MqttMessage& message, const MqttLink::MessageHandler& handler);
  void DeliverHeld();
  void OnPublish(const MqttLink::Publication& publication);
  Now Clock() const { return {{monotonic_us_}, {wall_us_ + wall_error_us_}}; }
  // What the journal has from `before` to its end, told to the ledger as far as it is ticks.
  JournalContent NoteTicks(uint64_t before, uint64_t after);
  void JumpClock();

  // --- what goes wrong (sim_faults.cc) ---
  void Trouble();
  void TroubleOutside();
  void TroubleInside();
  void Calm();

  void Trace(const std::string& what);
  void Wrong(const std::string& what);

  Scenario scenario_;
  bool verbose_;
  Random random_;
  testing::SimBroker lane_broker_, sink_broker_;
  SimFileSystem disk_;
  SimDatabases databases_;
  SimStore store_;
  Publisher publisher_;
  Ledger ledger_;
  FinishedOutputs finished_;
  Repetitions repetitions_;
  std::unique_ptr<Process> process_;
  std::deque<ScannedMessage> held_;  // PlantedBug::kEarlyAcknowledge
  MqttLink::MessageHandler held_handler_;
  std::set<std::string> remembered_early_;  // PlantedBug::kEarlyMemory

  int64_t monotonic_us_ = 1'000'000;
  int64_t wall_us_ = 1'700'000'000'000'000;
  int64_t wall_error_us_ = 0;   // what the clock shows besides
  uint64_t wall_wrong_ = 0;     // for so many steps yet
  bool wall_jumped_ = false;    // ever
  bool listening_noted_ = false;  // a tick said so since
  uint64_t connection_ = 0;     // of the last message that was journaled, in this process
  std::map<std::string, std::string> texts_;  // the files as they are now, by pipeline
  // Pipelines that read another's results: whose, and the texts they had.
  struct Reader {
    std::string upstream;
    std::vector<PipelineVersion> versions;
  };
  std::map<std::string, Reader> readers_;
  std::map<std::string, StoredCursor> cursors_before_;  // the last commit
  bool calm_ = true;
  size_t injected_ = 0;
  uint64_t lane_down_ = 0, sink_down_ = 0, disk_full_ = 0;  // for so many steps yet
  uint64_t fingerprint_ = 0;
  SimOutcome outcome_;
};

}  // namespace rivulet::sim
