#include "node/generate/reading_stream.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

namespace rivulet {

namespace {

constexpr Duration kLateAtLeast = Duration::Seconds(60);
constexpr Duration kLateAtMost = Duration::Seconds(600);
constexpr int64_t kLatestStart = 4'102'444'800'000'000;  // the year 2100
constexpr Duration kLongestDisorder = Duration::Seconds(24 * 3600);

}  // namespace

Status ReadingStream::Check(const ReadingStreamOptions& o) {
  if (o.rate_milli == 0) return {ErrorCode::kUsage, "the rate must be above 0"};
  if (o.fleet.vehicles == 0) return {ErrorCode::kUsage, "there must be at least one vehicle"};
  if (!(o.late_share >= 0 && o.late_share <= 1)) {
    return {ErrorCode::kUsage, "the late share must lie between 0 and 1"};
  }
  if (!(o.out_of_reach >= 0 && o.out_of_reach <= 1)) {
    return {ErrorCode::kUsage, "the share out of reach must lie between 0 and 1"};
  }
  if (o.shortest_outage.us <= 0 || o.shortest_outage > o.longest_outage ||
      o.longest_outage > kLongestDisorder) {
    return {ErrorCode::kUsage,
            "times out of reach must lie between 1 second and one day, the shortest first"};
  }
  if (o.start.us < 0 || o.start.us > kLatestStart) {
    return {ErrorCode::kUsage,
            "the start must lie between 0 and " + std::to_string(kLatestStart / 1000) +
                " (milliseconds since 1970)"};
  }
  if (o.disorder.us < 0 || o.disorder > kLongestDisorder) {
    return {ErrorCode::kUsage, "the disorder must lie between 0 and one day"};
  }
  const double per_us = static_cast<double>(o.rate_milli) / 1e9;
  const double held = per_us * (static_cast<double>(o.disorder.us) +
                                o.late_share * static_cast<double>(kLateAtMost.us) +
                                o.out_of_reach * static_cast<double>(o.longest_outage.us));
  if (std::min(held, static_cast<double>(o.count)) > static_cast<double>(kMaxHeld)) {
    return {ErrorCode::kUsage,
            "this much disorder, lateness and time out of reach at this rate would hold back more "
            "than " + std::to_string(kMaxHeld) + " readings in memory; lower one of them"};
  }
  return Status::Ok();
}

ReadingStream::ReadingStream(const ReadingStreamOptions& options)
    : options_(options),
      fleet_(options.fleet),
      delays_(options.fleet.seed ^ 0x64656c617973ull),
      reach_(options.fleet.seed ^ 0x7265616368ull),
      time_(options.start) {
  if (options_.out_of_reach <= 0) return;
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  double before = 0;
  for (uint32_t v = 0; v < options_.fleet.vehicles; ++v) {
    // Spread evenly over the fleet: whenever the share passes a whole number of vehicles.
    const double after = std::floor(options_.out_of_reach * (v + 1) + 1e-9);
    const int64_t first = SaturatingAdd(time_.us, BetweenOutages().us - options_.shortest_outage.us);
    outages_.push_back(after > before ? Outage{first, SaturatingAdd(first, BetweenOutages().us)}
                                      : Outage{kNever, kNever});
    before = after;
  }
}

Duration ReadingStream::BetweenOutages() {
  const auto spread =
      static_cast<uint64_t>(options_.longest_outage.us - options_.shortest_outage.us);
  return {options_.shortest_outage.us + static_cast<int64_t>(reach_.Below(spread + 1))};
}

int64_t ReadingStream::Arrival() {
  if (!outages_.empty()) {
    Outage& outage = outages_[made_ % options_.fleet.vehicles];
    while (outage.until_us <= time_.us) {
      outage.from_us = SaturatingAdd(outage.until_us, BetweenOutages().us);
      outage.until_us = SaturatingAdd(outage.from_us, BetweenOutages().us);
    }
    if (outage.from_us <= time_.us) return outage.until_us;
  }
  return SaturatingAdd(time_.us, Delay().us);
}

void ReadingStream::Advance() {
  // 1e9 / rate_milli us a reading, in whole us with the remainder carried.
  newest_ = time_;
  const uint64_t scaled = 1'000'000'000 + remainder_;
  time_.us = SaturatingAdd(time_.us, static_cast<int64_t>(scaled / options_.rate_milli));
  remainder_ = scaled % options_.rate_milli;
  ++made_;
}

Duration ReadingStream::Delay() {
  if (options_.late_share > 0 && delays_.Chance(options_.late_share)) {
    const auto spread = static_cast<uint64_t>(kLateAtMost.us - kLateAtLeast.us);
    return {kLateAtLeast.us + static_cast<int64_t>(delays_.Below(spread + 1))};
  }
  return {static_cast<int64_t>(delays_.Below(static_cast<uint64_t>(options_.disorder.us) + 1))};
}

void ReadingStream::Hold() {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot].length = static_cast<uint32_t>(fleet_.Next(time_.us / 1000, slots_[slot].bytes));
  heap_.push_back({Arrival(), made_, slot});
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  Advance();
}

bool ReadingStream::PopHeld(Reading* reading) {
  if (heap_.empty()) return false;
  const Held first = heap_.front();
  std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
  heap_.pop_back();
  current_ = slots_[first.slot];
  free_slots_.push_back(first.slot);
  *reading = {{current_.bytes, current_.length}, {first.arrival_us}};
  return true;
}

bool ReadingStream::Next(Reading* reading) {
  if (options_.disorder.us == 0 && options_.late_share <= 0 && outages_.empty()) {
    if (made_ == options_.count) return false;
    const size_t length = fleet_.Next(time_.us / 1000, current_.bytes);
    *reading = {{current_.bytes, length}, time_};
    Advance();
    return true;
  }
  // Whatever is made from now on arrives at time_ or later, so what arrives before is next.
  while (made_ != options_.count && (heap_.empty() || heap_.front().arrival_us > time_.us)) Hold();
  return PopHeld(reading);
}

}  // namespace rivulet
