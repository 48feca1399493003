// The parts of one simulated process. Private to the simulation.
#pragma once

#include <memory>

#include "sim/simulation.h"

namespace rivulet::sim {

struct Simulation::Process {
  Process(SimFileSystem* disk, PlantedBug bug, Random* random) : files(disk, bug), runner(random) {}
  MortalFileSystem files;
  std::unique_ptr<Store> store;
  std::unique_ptr<ObservedLink> lane_link, sink_link;
  bool lane_up() const { return lane_link->connected(); }
  ShuffledRunner runner;
  DelayedBackground committer, syncer;
  std::unique_ptr<Node> node;
};

}  // namespace rivulet::sim
