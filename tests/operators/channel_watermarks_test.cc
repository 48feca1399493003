#include "operators/time/channel_watermarks.h"

#include <doctest/doctest.h>

#include "base/random.h"

namespace rivulet {
namespace {

constexpr int64_t kNever = ChannelState::kNever;
constexpr int64_t kNow = kPlausibleTime + 1'000'000'000;

// a and b, of which `b` becomes idle after 10 us.
ChannelWatermarks AB() { return ChannelWatermarks({{"a", {}}, {"b", Duration{10}}}); }

}  // namespace

TEST_CASE("W is the least of all channels, and one without data holds it back") {
  ChannelWatermarks w({{"a", {}}, {"b", {}}, {"c", {}}});
  CHECK(w.watermark() == kNever);
  w.Raise(0, 50);
  w.Raise(1, 20);
  CHECK(w.watermark() == kNever);
  w.Raise(2, 30);
  CHECK(w.watermark() == 20);
  w.Raise(1, 40);
  CHECK(w.watermark() == 30);
  w.Raise(2, 10);  // falls back: nothing changes
  CHECK(w.watermark() == 30);
  CHECK(w.states()[2].watermark == 30);
  w.Raise(2, 100);
  CHECK(w.watermark() == 40);
  w.Raise(0, 1000);
  CHECK(w.watermark() == 40);
}

TEST_CASE("a channel is idle once nothing of it came for so long, by the receive times of the others") {
  ChannelWatermarks w = AB();
  w.Hear(1, kNow);
  w.Raise(1, 5);
  w.Hear(0, kNow + 1);
  w.Raise(0, 100);
  CHECK(w.watermark() == 5);
  w.Hear(0, kNow + 9);
  CHECK(w.watermark() == 5);
  w.Hear(0, kNow + 10);
  CHECK(w.watermark() == 100);
  CHECK_FALSE(w.states()[1].counts);
}

TEST_CASE("a channel that was never heard is waited for from the first record of any") {
  ChannelWatermarks w = AB();
  w.Hear(0, kNow);
  w.Raise(0, 100);
  w.Hear(0, kNow + 9);
  CHECK(w.watermark() == kNever);
  w.Hear(0, kNow + 10);
  CHECK(w.watermark() == 100);
}

TEST_CASE("receive times that go back or are from before the clock was set let no time pass") {
  ChannelWatermarks w = AB();
  w.Hear(0, 1);
  w.Hear(0, kPlausibleTime - 1);
  w.Raise(0, 100);
  CHECK(w.states()[0].heard == kNever);
  w.Hear(1, kNow);
  w.Raise(1, 5);
  w.Hear(0, kNow - 1000);
  CHECK(w.states()[0].heard == kNow);  // now, not then
  w.Hear(0, kNow + 5);
  w.Hear(1, kNow - 1000);              // heard all the same
  w.Hear(0, kNow + 14);
  CHECK(w.watermark() == 5);
  w.Hear(0, kNow + 15);
  CHECK(w.watermark() == 100);
}

TEST_CASE("a channel that is back counts only once it has caught up with W") {
  ChannelWatermarks w = AB();
  w.Hear(0, kNow);
  w.Raise(0, 100);
  w.Hear(0, kNow + 10);
  REQUIRE(w.watermark() == 100);
  w.Hear(1, kNow + 11);
  w.Raise(1, 60);
  CHECK_FALSE(w.states()[1].counts);
  w.Raise(0, 110);  // it does not hold W back yet
  CHECK(w.watermark() == 110);
  w.Raise(1, 110);
  CHECK(w.states()[1].counts);
  w.Raise(0, 200);  // now it does
  CHECK(w.watermark() == 110);
  w.Raise(1, 120);
  CHECK(w.watermark() == 120);
  w.Hear(0, kNow + 20);
  CHECK(w.watermark() == 120);
  w.Hear(0, kNow + 21);  // idle again
  CHECK(w.watermark() == 200);
}

TEST_CASE("a channel that was ahead when it fell silent counts again with its next record") {
  ChannelWatermarks w = AB();
  w.Hear(1, kNow);
  w.Raise(1, 500);
  w.Hear(0, kNow + 10);
  w.Raise(0, 100);
  REQUIRE_FALSE(w.states()[1].counts);
  CHECK(w.watermark() == 100);
  w.Hear(1, kNow + 11);
  w.Raise(1, 400);  // less than it had: it is ahead still
  CHECK(w.states()[1].counts);
  w.Raise(0, 600);
  CHECK(w.watermark() == 500);
}

TEST_CASE("when all are idle W holds, until one of them is past it") {
  ChannelWatermarks w({{"a", Duration{10}}, {"b", Duration{10}}});
  w.Hear(0, kNow);
  w.Raise(0, 50);
  w.Hear(1, kNow + 1);
  w.Raise(1, 40);
  REQUIRE(w.watermark() == 40);
  w.Hear(0, kNow + 500);  // both fell silent meanwhile: whose record it is makes no difference
  CHECK(w.watermark() == 40);
  CHECK_FALSE(w.states()[0].counts);
  CHECK_FALSE(w.states()[1].counts);
  w.Raise(0, 39);         // was at 50, which is past W
  CHECK(w.states()[0].counts);
  CHECK(w.watermark() == 50);
  w.Raise(0, 70);
  CHECK(w.watermark() == 70);
}

TEST_CASE("a punctuation raises all, idle ones too, and none falls") {
  ChannelWatermarks w = AB();
  w.Raise(0, 300);
  w.RaiseAll(200);
  CHECK(w.watermark() == 200);
  CHECK(w.states()[0].watermark == 300);
  CHECK(w.states()[1].watermark == 200);
  w.RaiseAll(100);
  CHECK(w.watermark() == 200);
  w.Hear(0, kNow);
  w.Hear(0, kNow + 10);
  CHECK(w.watermark() == 300);
  w.RaiseAll(1000);
  CHECK(w.watermark() == 1000);
  CHECK_FALSE(w.states()[1].counts);
  w.Raise(1, 900);  // at 1000 already
  CHECK(w.states()[1].counts);
}

TEST_CASE("stored channels are known by name: new ones begin anew, W stays, and so does time") {
  ChannelWatermarks w = AB();
  w.Hear(0, kNow);
  w.Raise(0, 100);
  w.Hear(1, kNow + 7);
  w.Raise(1, 50);
  ChannelWatermarks other({{"b", Duration{10}}, {"c", Duration{10}}});
  other.Restore(w.states(), w.watermark());
  CHECK(other.watermark() == 50);
  CHECK(other.states()[0] == w.states()[1]);
  CHECK(other.states()[1] == ChannelState{"c"});
  other.Raise(0, 80);
  CHECK(other.watermark() == 50);  // c is waited for
  other.Hear(0, kNow + 8);
  other.Hear(0, kNow + 17);
  CHECK(other.watermark() == 50);
  other.Hear(0, kNow + 18);
  CHECK(other.watermark() == 80);
  // Without `a`, whose record was the latest, time does not go back.
  ChannelWatermarks last({{"b", Duration{10}}});
  last.Restore({{"a", 100, kNow + 100, true}, {"b", 50, kNow + 7, true}}, 50);
  last.Hear(0, kNow + 50);
  CHECK(last.states()[0].heard == kNow + 100);
}

TEST_CASE("random use: W never falls, and stored and restored at any place it is the same") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::vector<ChannelWatermarks::Channel> channels;
    for (size_t i = 0, n = 1 + random.Below(4); i < n; ++i) {
      channels.push_back({std::string(1, static_cast<char>('a' + i)), {}});
      if (random.Chance(0.6)) channels.back().idle = Duration{static_cast<int64_t>(random.Below(40))};
    }
    ChannelWatermarks whole(channels), parts(channels);
    int64_t now = kNow;
    for (int i = 0; i < 300; ++i) {
      const size_t channel = random.Below(channels.size());
      now += static_cast<int64_t>(random.Below(10)) - (random.Chance(0.1) ? 30 : 0);
      const int64_t before = whole.watermark();
      const int64_t time = i + static_cast<int64_t>(random.Below(60));
      const bool punctuation = random.Chance(0.02);
      for (ChannelWatermarks* w : {&whole, &parts}) {
        w->Hear(channel, now);
        if (punctuation) w->RaiseAll(time);
        w->Raise(channel, time);
      }
      REQUIRE(whole.watermark() >= before);
      REQUIRE(parts.watermark() == whole.watermark());
      REQUIRE(parts.states() == whole.states());
      for (const ChannelState& s : whole.states()) {
        if (s.counts) REQUIRE(s.watermark >= whole.watermark());
      }
      if (!random.Chance(0.1)) continue;
      const std::vector<ChannelState> states = parts.states();
      const int64_t watermark = parts.watermark();
      parts = ChannelWatermarks(channels);
      parts.Restore(states, watermark);
    }
  }
}

}  // namespace rivulet
