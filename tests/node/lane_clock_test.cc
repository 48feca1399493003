// Receive times out of clocks that err: see lane_clock.h for the rule.
#include "node/lane/lane_clock.h"

#include <doctest/doctest.h>

#include <string>

#include "base/random.h"

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 24 * 3600 * kSecond;
constexpr int64_t kToday = int64_t{20'600} * kDay;

// A machine whose clocks can be told apart.
struct Machine {
  explicit Machine(int64_t last = 0, bool known = true)
      : clock(EventTime{last}, [this](char, const LogMessage& m) { said += m.text + "\n"; }) {
    clock.SetKnown(known);
  }
  LaneClock::Reading Read() { return clock.Read({{monotonic}, {wall}}); }
  int64_t After(int64_t seconds) {
    monotonic += seconds * kSecond;
    wall += seconds * kSecond;
    return Read().time.at.us;
  }
  int64_t monotonic = 5 * kSecond, wall = kToday;
  std::string said;
  LaneClock clock;
};

}  // namespace

TEST_CASE("lane clock: a good clock is followed to the microsecond, through its small steps") {
  Machine m;
  CHECK(m.Read().time.at.us == kToday);
  CHECK_FALSE(m.Read().time.assumed);
  CHECK(m.After(3600) == kToday + 3600 * kSecond);
  m.wall += 1'500'000;
  {
    const int64_t at = m.After(1);
    CHECK(at == m.wall);
  }
  const int64_t before = m.wall;
  m.wall -= 1'500'000;
  CHECK(m.Read().time.at.us == before);  // stands still, and never falls
  CHECK(m.After(1) == before);
  {
    const int64_t at = m.After(1);
    CHECK(at == m.wall);
  }
  CHECK(m.said.empty());
  CHECK(m.clock.Describe() == "known");
}

TEST_CASE("lane clock: a day forward and back again is as if it had not been") {
  Machine m;
  m.Read();
  m.wall += kDay;
  {
    const int64_t at = m.After(1);
    CHECK(at == m.wall - kDay);
  }
  CHECK(m.Read().time.assumed);          // it may be true
  CHECK_FALSE(m.Read().resumes);
  {
    const int64_t at = m.After(500);
    CHECK(at == m.wall - kDay);
  }
  m.wall -= kDay;
  {
    const int64_t at = m.After(1);
    CHECK(at == m.wall);
  }
  CHECK_FALSE(m.Read().time.assumed);
  CHECK(m.said.find("set forward by 1d") != std::string::npos);
  CHECK(m.said.find("back in step") != std::string::npos);
}

TEST_CASE("lane clock: a step forward that stays is followed, and listening begins anew with it") {
  Machine m;
  m.Read();
  m.wall += kDay;
  m.After(1);
  {
    const int64_t at = m.After(599);
    CHECK(at == m.wall - kDay);
  }
  {
    const int64_t at = m.After(1);
    CHECK(at == m.wall);
  }
  CHECK(m.Read().resumes);
  m.clock.Resumed();
  CHECK_FALSE(m.Read().resumes);
  CHECK_FALSE(m.Read().time.assumed);
  // Set right again: time goes on as it was, ahead.
  m.wall -= kDay;
  {
    const int64_t at = m.After(10);
    CHECK(at == m.wall + kDay);
  }
  CHECK(m.said.find("set back by 1d") != std::string::npos);
}

TEST_CASE("lane clock: two steps are not the patience of one") {
  Machine m;
  m.Read();
  m.wall += kDay;
  m.After(1);
  m.After(500);
  m.wall += kDay;
  {
    const int64_t at = m.After(200);
    CHECK(at == m.wall - 2 * kDay);
  }
  {
    const int64_t at = m.After(400);
    CHECK(at == m.wall - 2 * kDay);
  }
  {
    const int64_t at = m.After(300);
    CHECK(at == m.wall);
  }
}

TEST_CASE("lane clock: from 1970 to the date as soon as somebody knows it, with nothing known until then") {
  Machine m(0, false);
  m.wall = 20 * kSecond;
  CHECK(m.Read().time.at.us == 20 * kSecond);
  CHECK(m.Read().time.assumed);
  CHECK(m.clock.Describe() == "assumed");
  CHECK(m.said.find("1970-01-01T00:00:20Z") != std::string::npos);
  m.clock.SetKnown(true);
  m.After(1);
  CHECK(m.Read().time.assumed);          // whoever says that 1970 is right is not believed
  m.wall = kToday;
  const LaneClock::Reading reading = m.Read();
  CHECK(reading.time.at.us == kToday);
  CHECK(reading.resumes);
  CHECK_FALSE(reading.time.assumed);
}

TEST_CASE("lane clock: behind the journal it goes on from there; without a time server a minute's patience") {
  const int64_t last = kToday - kDay;
  Machine m(last, false);
  m.wall = kToday - 180 * kDay;
  CHECK(m.Read().time.at.us == last);
  CHECK(m.After(7) == last + 7 * kSecond);
  CHECK(m.Read().time.assumed);
  CHECK(m.clock.Describe() == "behind: receive times go on until it has caught up");
  m.wall = kToday;                       // set by hand
  CHECK(m.After(1) == last + 8 * kSecond);
  m.After(59);
  {
    const int64_t at = m.After(1);
    CHECK(at == m.wall);
  }
  CHECK(m.Read().resumes);
  CHECK(m.Read().time.assumed);          // by somebody who may be wrong
}

TEST_CASE("lane clock: whatever the clocks do, times never fall, and any other step is said") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Machine m(random.Chance(0.5) ? kToday - kDay : 0, random.Chance(0.5));
    int64_t before = m.Read().time.at.us;
    bool resumes = m.Read().resumes;
    for (int i = 0; i < 400; ++i) {
      if (random.Chance(0.05)) m.wall += (static_cast<int64_t>(random.Below(2001)) - 1000) * kDay / 500;
      if (random.Chance(0.02)) m.clock.SetKnown(random.Chance(0.5));
      const auto passed = static_cast<int64_t>(random.Below(30));
      const int64_t now = m.After(passed);
      resumes = m.Read().resumes;
      CHECK(now >= before);
      // All the rest is said.
      if (!resumes) CHECK(now - before <= passed * kSecond + LaneClock::kTolerance.us);
      m.clock.Resumed();
      before = now;
    }
  }
}

}  // namespace rivulet
