// StallDetector: which threads are stuck. A thread is when it has had work to do for a while and did not get
// on with it: an endless loop, a deadlock. These are not stuck:
//
//   idle                      it has nothing to do
//   waiting for a disk        a commit may take minutes on a dying SD card, and a restart would make it
//                             neither faster nor better
//   waiting for another one   that is at work itself: if that one is stuck, it is the one to be named. When
//                             no other is at work, they wait for each other, which is a deadlock
//   asleep, while any thread  perhaps for what such a thread holds: the journal is locked while a message is
//   waits for a disk          appended, which a thread of the MQTT library does
//
// Only time in which a thread was seen doing none of these counts. Time in which the detector itself was not
// called counts for little: then the whole process did not run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/types.h"
#include "node/engine/heartbeat.h"
#include "node/live/thread_state.h"

namespace rivulet {

class StallDetector {
 public:
  // A thread is stuck after `limit` without progress. The others must outlive this.
  StallDetector(const Heartbeats* heartbeats, ThreadStates* states, Duration limit);

  // Looks at all threads, and returns the names of those that are stuck. To be called at least four times in
  // `limit`, always by the same thread.
  std::vector<std::string> Sample(Monotonic now);

 private:
  struct Seen {
    uint32_t beats = 0;
    Duration stuck;  // time seen without progress since the last beat
  };
  bool Excused(const Heartbeat& heartbeat, bool others_work);

  const Heartbeats* heartbeats_;
  ThreadStates* states_;
  const Duration limit_;
  bool sampled_ = false;
  Monotonic last_;
  std::map<const Heartbeat*, Seen> seen_;
};

}  // namespace rivulet
