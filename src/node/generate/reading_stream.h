// ReadingStream: a fleet's readings in the order in which they arrive: on time, a little out of
// order, or minutes late, as from a vehicle that was out of reach (store and forward).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "base/types.h"
#include "node/generate/fleet.h"

namespace rivulet {

struct ReadingStreamOptions {
  FleetOptions fleet;
  uint64_t rate_milli = 100'000;  // readings in 1000 seconds of event time; at least 1
  EventTime start{1'700'000'000'000'000};
  uint64_t count = 0;
  Duration disorder;      // each reading arrives up to this much after its event time
  double late_share = 0;  // this share of readings arrives 1 to 10 minutes after it instead
  // This share of the vehicles is out of reach now and then, for a time between these, and as long in reach
  // in between. What it reads meanwhile arrives at the end of that time, all at once and in order.
  double out_of_reach = 0;
  Duration shortest_outage = Duration::Seconds(300), longest_outage = Duration::Seconds(1800);
};

// Not thread-safe.
class ReadingStream {
 public:
  // More readings than this are never held back at a time.
  static constexpr uint64_t kMaxHeld = 1'000'000;

  // Errors: kUsage when the options would hold back more than kMaxHeld readings, or are not in
  // their range.
  static Status Check(const ReadingStreamOptions& options);

  // `options` must pass Check.
  explicit ReadingStream(const ReadingStreamOptions& options);

  struct Reading {
    std::string_view json;  // valid until the next call
    EventTime arrival;      // never decreases from one reading to the next
  };
  // False after `count` readings. Without disorder, lateness and outages this allocates nothing.
  bool Next(Reading* reading);

  // Every reading has been made; some may still be held back.
  bool all_made() const { return made_ == options_.count; }
  // The event time of the newest reading made.
  EventTime newest() const { return newest_; }

  // The time the next reading made will carry, for a caller that follows a clock and not a rate.
  void SetTime(EventTime t) { time_ = t; }

 private:
  struct Held {
    int64_t arrival_us;
    uint64_t sequence;
    uint32_t slot;
    bool operator>(const Held& o) const {
      return arrival_us != o.arrival_us ? arrival_us > o.arrival_us : sequence > o.sequence;
    }
  };
  struct Slot {
    uint32_t length;
    char bytes[Fleet::kMaxReadingBytes];
  };

  struct Outage {
    int64_t from_us, until_us;
  };

  void Advance();
  Duration BetweenOutages();
  // When the reading that is made next arrives.
  int64_t Arrival();
  Duration Delay();
  void Hold();
  bool PopHeld(Reading* reading);

  ReadingStreamOptions options_;
  Fleet fleet_;
  Random delays_;  // apart from the fleet's, so that delays change no reading
  Random reach_;      // and these neither
  std::vector<Outage> outages_;  // by vehicle, the present or next one
  EventTime time_;    // of the next reading
  EventTime newest_;  // of the last one
  uint64_t remainder_ = 0;  // of 1e9 / rate_milli, carried so that time never drifts
  uint64_t made_ = 0;
  std::vector<Held> heap_;  // earliest arrival first
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  Slot current_;
};

}  // namespace rivulet
