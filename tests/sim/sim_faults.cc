// What goes wrong in a simulated life.
#include "sim/sim_process.h"

#include <iterator>

namespace rivulet::sim {

// Brokers, links and disks.
void Simulation::TroubleOutside() {
  if (random_.Chance(scenario_.broker_down)) {
    Trace("lane broker down");
    lane_broker_.SetUp(false);
    lane_down_ = 1 + random_.Below(20);
  }
  if (lane_down_ > 0 && --lane_down_ == 0) lane_broker_.SetUp(true);
  if (random_.Chance(scenario_.sink_broker_down)) {
    Trace("sink broker down");
    sink_broker_.SetUp(false);
    sink_down_ = 1 + random_.Below(60);
  }
  if (sink_down_ > 0 && --sink_down_ == 0) sink_broker_.SetUp(true);
  if (random_.Chance(scenario_.disk_full)) {
    Trace("disk full");
    disk_.SetFreeBytes(random_.Below(4000));
    disk_full_ = 1 + random_.Below(30);
    repetitions_.NotesMayBeLost();
  }
  JumpClock();
  if (disk_full_ > 0 && --disk_full_ == 0) {
    Trace("disk has room");
    disk_.SetFreeBytes(UINT64_MAX);
  }
}

// By a day, to where an image was made half a year ago, to 1970, or a little; and back.
void Simulation::JumpClock() {
  constexpr int64_t kDay = int64_t{24} * 3600 * 1'000'000;
  if (random_.Chance(scenario_.wall_jump)) {
    const int64_t jumps[] = {kDay, -kDay, -180 * kDay, 5'000'000 - wall_us_, 30'000'000, -700'000};
    wall_error_us_ = jumps[random_.Below(std::size(jumps))];
    wall_wrong_ = 1 + random_.Below(60);
    wall_jumped_ = true;
    Trace("the wall clock jumps by " + std::to_string(wall_error_us_ / 1'000'000) + " s");
  }
  if (wall_wrong_ > 0 && --wall_wrong_ == 0) wall_error_us_ = 0;
}

// The process and its operations.
void Simulation::TroubleInside() {
  if (random_.Chance(scenario_.failed_operation)) {
    repetitions_.NotesMayBeLost();
    disk_.FailOperation(1 + random_.Below(10),
                        random_.Chance(0.3) ? ErrorCode::kDiskFull : ErrorCode::kIo);
  }
  if (random_.Chance(scenario_.failed_commit)) {
    // A full disk is waited out; the others end the process.
    const double kind = random_.Unit();
    store_.FailNextCommit(kind < 0.5   ? ErrorCode::kIo
                          : kind < 0.7 ? ErrorCode::kStoreFull
                                       : ErrorCode::kDiskFull);
  }
  if (random_.Chance(scenario_.die_in_commit)) store_.DieInNextCommit(&random_);
  if (random_.Chance(scenario_.die_in_operation)) {
    process_->files.DieInOperation(1 + random_.Below(20));
  }
  if (random_.Chance(scenario_.crash)) return Bury(Death::kProcess);
  if (random_.Chance(scenario_.power_cut)) return Bury(Death::kPower);
  if (random_.Chance(scenario_.stop)) return StopNode();
  if (random_.Chance(scenario_.reload)) ReloadNode();
}

void Simulation::Trouble() {
  if (calm_) return;
  TroubleOutside();
  if (process_ != nullptr) TroubleInside();
}

void Simulation::Calm() {
  Trace("calm");
  calm_ = true;
  lane_broker_.SetFaults({});
  sink_broker_.SetFaults({});
  lane_broker_.SetUp(true);
  sink_broker_.SetUp(true);
  disk_.SetFreeBytes(UINT64_MAX);
  lane_down_ = sink_down_ = disk_full_ = wall_wrong_ = 0;
  wall_error_us_ = 0;
  // A fault that was set up but has not happened yet must not happen now.
  if (process_ != nullptr) return Bury(Death::kProcess);
  disk_.Crash();
  store_.Crash();
}

}  // namespace rivulet::sim
