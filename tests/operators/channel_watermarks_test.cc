#include "operators/time/channel_watermarks.h"

#include <doctest/doctest.h>

#include "base/random.h"

namespace rivulet {
namespace {

constexpr int64_t kNever = ChannelState::kNever;
constexpr int64_t kNow = 1'000'000'000;

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

TEST_CASE("receive times that go back, and records without any, let no time pass") {
  ChannelWatermarks w = AB();
  w.Hear(0, 0);
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

TEST_CASE("any date is as good as another") {
  for (const int64_t start : {int64_t{1}, int64_t{1'000'000'000'000'000}, int64_t{9'000'000'000'000'000}}) {
    ChannelWatermarks w = AB();
    w.Hear(0, start);
    w.Raise(0, 100);
    w.Hear(0, start + 10);
    CHECK(w.watermark() == 100);
  }
}

TEST_CASE("one channel: once idle, W goes on at the clock's pace, and holds when records are back") {
  ChannelWatermarks w({{"", Duration{10}}});
  w.Tick(kNow - 5);  // nothing to go on from
  w.Hear(0, kNow);
  w.Raise(0, 100);
  w.Tick(kNow + 9);
  CHECK(w.watermark() == 100);
  CHECK_FALSE(w.idle());
  w.Tick(kNow + 10);
  CHECK(w.watermark() == 110);
  CHECK(w.idle());
  w.Tick(kNow + 12);
  CHECK(w.watermark() == 112);
  w.Hear(0, kNow + 15);  // up to its record, too
  CHECK(w.watermark() == 115);
  w.Raise(0, 103);
  w.Tick(kNow + 24);
  CHECK(w.watermark() == 115);
  w.Tick(kNow + 25);     // silent again: from 103 on, which is not there yet
  CHECK(w.watermark() == 115);
  w.Tick(kNow + 28);
  CHECK(w.watermark() == 116);
  w.Hear(0, kNow + 29);
  w.Raise(0, 200);
  CHECK(w.watermark() == 200);
}

TEST_CASE("time in which nobody listened is no silence, and what was kept comes first") {
  ChannelWatermarks w({{"", Duration{10}}});
  w.Hear(0, kNow);
  w.Raise(0, 100);
  w.Tick(kNow + 6);
  w.Resume(kNow + 1000);
  w.Tick(kNow + 1009);  // silent for 15, but listening for 9
  CHECK(w.watermark() == 100);
  w.Tick(kNow + 1010);
  CHECK(w.watermark() == 116);
  w.Resume(kNow + 2000);
  w.Tick(kNow + 2009);
  CHECK(w.watermark() == 116);
  w.Tick(kNow + 2010);
  CHECK(w.watermark() == 126);
  // Long silences are not begun anew: a minute is enough.
  constexpr int64_t kHour = int64_t{3600} * 1'000'000;
  ChannelWatermarks slow({{"", Duration{kHour}}});
  slow.Hear(0, kNow);
  slow.Raise(0, 100);
  slow.Tick(kNow + kHour - 1);
  slow.Resume(kNow + 2 * kHour);
  slow.Tick(kNow + 2 * kHour + ChannelWatermarks::kCatchUp - 1);
  CHECK(slow.watermark() == 100);
  slow.Tick(kNow + 2 * kHour + ChannelWatermarks::kCatchUp);
  CHECK(slow.watermark() == 100 + kHour - 1 + ChannelWatermarks::kCatchUp);
}

TEST_CASE("all idle: from the one on that fell idle last") {
  ChannelWatermarks w({{"a", Duration{10}}, {"b", Duration{10}}});
  w.Hear(0, kNow);
  w.Raise(0, 5000);
  w.Hear(1, kNow + 3);
  w.Raise(1, 70);
  w.Tick(kNow + 12);
  CHECK(w.watermark() == 70);
  w.Tick(kNow + 13);
  CHECK(w.watermark() == 80);
  ChannelWatermarks waits({{"a", Duration{10}}, {"b", {}}});
  waits.Hear(0, kNow);
  waits.Raise(0, 5000);
  waits.Hear(1, kNow + 3);
  waits.Raise(1, 70);
  waits.Tick(kNow + 1000);
  CHECK(waits.watermark() == 70);
}

TEST_CASE("a channel by arrival follows every receive time, and holds nobody back") {
  ChannelWatermarks w({{"a", {}}, {"b", {}, Duration{3}}});
  w.Tick(kNow);
  CHECK(w.watermark() == kNever);
  w.Hear(0, kNow + 1);
  w.Raise(0, 2 * kNow);
  CHECK(w.watermark() == kNow - 2);
  w.Tick(kNow + 50);
  CHECK(w.watermark() == kNow + 47);
  w.Resume(kNow + 90);
  CHECK(w.watermark() == kNow + 87);
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

TEST_CASE("when all are idle W goes on, until one of them is past it") {
  ChannelWatermarks w({{"a", Duration{10}}, {"b", Duration{10}}});
  w.Hear(0, kNow);
  w.Raise(0, 50);
  w.Hear(1, kNow + 1);
  w.Raise(1, 40);
  REQUIRE(w.watermark() == 40);
  w.Hear(0, kNow + 500);  // both fell silent meanwhile: whose record it is makes no difference
  CHECK(w.watermark() == 539);
  CHECK_FALSE(w.states()[0].counts);
  CHECK_FALSE(w.states()[1].counts);
  w.Raise(0, 530);
  CHECK_FALSE(w.states()[0].counts);
  w.Raise(0, 570);
  CHECK(w.states()[0].counts);
  CHECK(w.watermark() == 570);
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
  other.Restore(w.states(), w.listening(), w.watermark());
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
  last.Restore({{"a", 100, kNow + 100, true}, {"b", 50, kNow + 7, true}}, {}, 50);
  last.Hear(0, kNow + 50);
  CHECK(last.states()[0].heard == kNow + 100);
}

TEST_CASE("random use: of one channel, a tick does nothing that the next record would not have done") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    ChannelWatermarks::Channel channel{"", Duration{1 + static_cast<int64_t>(random.Below(40))}};
    if (random.Chance(0.2)) channel.arrival = Duration{3};
    ChannelWatermarks ticked({channel}), plain({channel});
    int64_t now = kNow;
    for (int i = 0; i < 200; ++i) {
      for (uint64_t ticks = random.Below(4); ticks > 0; --ticks) {
        now += static_cast<int64_t>(random.Below(20));
        ticked.Tick(now);
      }
      now += static_cast<int64_t>(random.Below(10));
      const int64_t time = i + static_cast<int64_t>(random.Below(60));
      for (ChannelWatermarks* w : {&ticked, &plain}) w->Hear(0, now);
      REQUIRE(ticked.watermark() == plain.watermark());
      for (ChannelWatermarks* w : {&ticked, &plain}) w->Raise(0, time);
      REQUIRE(ticked.watermark() == plain.watermark());
    }
  }
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
      const bool tick = random.Chance(0.2), resume = random.Chance(0.02);
      for (ChannelWatermarks* w : {&whole, &parts}) {
        if (tick) w->Tick(now - 1);
        if (resume) w->Resume(now - 1);
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
      const ListeningState listening = parts.listening();
      parts = ChannelWatermarks(channels);
      parts.Restore(states, listening, watermark);
    }
  }
}

}  // namespace rivulet
