#include "sim/planted_bugs.h"

#include <cstdio>
#include <utility>

#include "sim/scenario.h"
#include "sim/simulation.h"
#include "sim/template.h"

namespace rivulet::sim {
namespace {

constexpr uint64_t kMostSeeds = 40;

// A life in which the bug has a chance to show.
Scenario Provoke(uint64_t seed, PlantedBug bug) {
  Scenario s = MakeScenario(seed);
  s.bug = bug;
  s.crash = 0.03;
  s.link_drop = 0.03;
  s.commit_interval = Duration::Millis(200);
  if (bug == PlantedBug::kUnsyncedSink || bug == PlantedBug::kUncutSink) {
    AddFilePipelines(&s);
    s.power_cut = 0.02;
    s.sync = JournalSync::kAlways;
  }
  if (bug == PlantedBug::kRoomByLoss) LimitStore(&s);
  if (bug == PlantedBug::kEarlyMemory) s.retained = 10;
  return s;
}

}  // namespace

bool CheckPlantedBugs() {
  const std::pair<PlantedBug, const char*> bugs[] = {
      {PlantedBug::kDroppedPut, "a commit loses a row of window state"},
      {PlantedBug::kEarlyAcknowledge, "messages are acknowledged before they are journaled"},
      {PlantedBug::kForgottenOutput, "the output log forgets a row"},
      {PlantedBug::kStaleCursor, "a commit leaves its position behind"},
      {PlantedBug::kEarlyPublish, "results leave before their commit"},
      {PlantedBug::kUnknownDuplicate, "redelivered messages are counted again"},
      {PlantedBug::kTickWhileDown, "time goes on while nobody listens"},
      {PlantedBug::kUnnoticedResume, "a new connection is not told from the one before"},
      {PlantedBug::kUnsyncedSink, "the cursor of a file sink runs ahead of what is on the medium"},
      {PlantedBug::kUncutSink, "a file sink leaves in the file what a crash made it write twice"},
      {PlantedBug::kRoomByLoss, "a full store forgets an output that nobody has"},
      {PlantedBug::kEarlyMemory, "a retained message is remembered before it is journaled"},
      {PlantedBug::kEarlyNote, "a result is noted as delivered before it has arrived"},
      {PlantedBug::kLostNotes, "what is noted of deliveries is not found again"},
  };
  bool good = true;
  for (const auto& [bug, what] : bugs) {
    std::string failure;
    uint64_t seed = 1;
    for (; seed <= kMostSeeds && failure.empty(); ++seed) {
      failure = Simulation(Provoke(seed, bug), false).Run().failure;
    }
    if (failure.empty()) {
      std::printf("FAILED: not found within %llu seeds: %s\n",
                  static_cast<unsigned long long>(kMostSeeds), what);
      good = false;
    } else {
      std::printf("planted and found with seed %llu: %s\n    %s\n",
                  static_cast<unsigned long long>(seed - 1), what, failure.c_str());
    }
  }
  return good;
}

}  // namespace rivulet::sim
