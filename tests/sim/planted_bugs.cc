#include "sim/planted_bugs.h"

#include <cstdint>
#include <cstdio>
#include <string>

#include "sim/scenario.h"
#include "sim/simulation.h"
#include "sim/template.h"

namespace rivulet::sim {
namespace {

constexpr uint64_t kMostSeeds = 40;
constexpr uint64_t kMostOrdinarySeeds = 300;

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
  if (bug == PlantedBug::kUnsyncedDatabase) {
    AddDatabasePipelines(&s);
    s.power_cut = 0.02;
    s.sync = JournalSync::kAlways;
  }
  if (bug == PlantedBug::kRoomByLoss) LimitStore(&s);
  if (bug == PlantedBug::kEarlyMemory) s.retained = 10;
  return s;
}

struct Planted {
  PlantedBug bug;
  const char* what;
};

// Looks for the bug in lives that `make` gives it.
template <typename Make>
bool Find(const Planted& planted, uint64_t most_seeds, Make make) {
  for (uint64_t seed = 1; seed <= most_seeds; ++seed) {
    const std::string failure = Simulation(make(seed, planted.bug), false).Run().failure;
    if (failure.empty()) continue;
    Scenario sound = make(seed, planted.bug);
    sound.bug = PlantedBug::kNone;
    if (const std::string other = Simulation(sound, false).Run().failure; !other.empty()) {
      std::printf("FAILED: seed %llu fails without the bug, too: %s\n    %s\n",
                  static_cast<unsigned long long>(seed), planted.what, other.c_str());
      return false;
    }
    std::printf("planted and found with seed %llu: %s\n    %s\n", static_cast<unsigned long long>(seed),
                planted.what, failure.c_str());
    return true;
  }
  std::printf("FAILED: not found within %llu seeds: %s\n", static_cast<unsigned long long>(most_seeds),
              planted.what);
  return false;
}

Scenario Ordinary(uint64_t seed, PlantedBug bug) {
  Scenario s = MakeScenario(seed);
  s.bug = bug;
  return s;
}

}  // namespace

bool CheckPlantedBugs() {
  const Planted provoked[] = {
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
      {PlantedBug::kUnsyncedDatabase, "the database of an SQLite sink is not synced"},
      {PlantedBug::kRoomByLoss, "a full store forgets an output that nobody has"},
      {PlantedBug::kEarlyMemory, "a retained message is remembered before it is journaled"},
      {PlantedBug::kEarlyNote, "a result is noted as delivered before it has arrived"},
      {PlantedBug::kLostNotes, "what is noted of deliveries is not found again"},
  };
  // These must be found in lives as they are.
  const Planted ordinary[] = {
      {PlantedBug::kTrimPastCursors, "the journal is trimmed beyond what was committed"},
      {PlantedBug::kUnsyncedCommit, "commits are made without a sync of the journal"},
  };
  bool good = true;
  for (const Planted& one : provoked) good = Find(one, kMostSeeds, Provoke) && good;
  for (const Planted& one : ordinary) good = Find(one, kMostOrdinarySeeds, Ordinary) && good;
  return good;
}

}  // namespace rivulet::sim
