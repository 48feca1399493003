// Random streams through steps that remember something of each key: a model says what must come out, and
// however the input is cut into turns, spread over workers, committed, evicted or crashed, the same bytes
// come out.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/cases/drive_variants.h"
#include "tests/cases/episode_model.h"

namespace rivulet {
namespace {

struct KeyedStream {
  std::vector<StreamLine> lines;
  std::vector<KeyedRecord> records;
};

// Times in ms, out of order by more than `delay` at times; jumps beyond any memory now and then.
KeyedStream MakeStream(uint64_t seed, int64_t delay, size_t count) {
  Random random(seed);
  KeyedStream stream;
  int64_t time = 1000, watermark = kNoTime;
  const uint64_t keys = 1 + random.Below(4), ids = 1 + random.Below(6);
  for (size_t i = 0; i < count; ++i) {
    if (random.Chance(0.03)) {
      watermark = std::max(watermark, time + static_cast<int64_t>(random.Below(100)) - 50);
      stream.lines.push_back({"", true, watermark * 1000});
      continue;
    }
    if (random.Chance(0.03)) time += static_cast<int64_t>(random.Below(500));
    time += static_cast<int64_t>(random.Below(12));
    KeyedRecord r;
    r.key = std::string(1, static_cast<char>('a' + random.Below(keys)));
    r.time = random.Chance(0.3) ? time - static_cast<int64_t>(random.Below(80)) : time;
    r.watermark = watermark;
    r.line = "{\"k\":\"" + r.key + "\",\"t\":" + std::to_string(r.time);
    if (random.Chance(0.9)) {
      r.id = static_cast<int64_t>(random.Below(ids));
      r.line += ",\"id\":" + std::to_string(*r.id);
    }
    if (random.Chance(0.9)) {
      r.value = static_cast<int64_t>(random.Below(8));
      r.line += ",\"v\":" + std::to_string(*r.value);
    }
    r.line += "}";
    watermark = std::max(watermark, r.time - delay);
    stream.lines.push_back({r.line});
    stream.records.push_back(std::move(r));
  }
  return stream;
}

std::string Yaml(int64_t delay, const std::string& steps) {
  return "pipeline: test\nsource:\n  mqtt: in\n  time: { field: t, unit: ms, delay: " +
         std::to_string(delay) + "ms }\nsteps:\n" + steps + "sinks: [{ stdout: true }]\n";
}

std::string TimeField(const KeyedRecord& r) { return ",\"t\":" + std::to_string(r.time); }

void CheckAll(uint64_t seed, const std::string& yaml, const KeyedStream& stream,
              const std::vector<std::string>& expected) {
  CAPTURE(seed);
  CAPTURE(yaml);
  const Outputs one = Drive(yaml, stream.lines, {});
  const std::string results = Difference(expected, one.results);
  REQUIRE_MESSAGE(results.empty(), results);
  for (const auto& [how, options] : Variants(seed)) {
    CAPTURE(how);
    const std::string difference = Difference(one, Drive(yaml, stream.lines, options));
    REQUIRE_MESSAGE(difference.empty(), difference);
  }
}

// What a history function can know of a key's records that came to one place.
class HistoryModel {
 public:
  explicit HistoryModel(int64_t keep) : keep_(keep) {}

  // Forgets what is over, and takes in `r`; the functions are then those of `r`.
  void Add(const KeyedRecord& r, const std::optional<int64_t>& value) {
    std::vector<Entry>& all = keys_[r.key];
    int64_t touched = kNoTime;
    for (const Entry& e : all) touched = std::max({touched, e.time, e.watermark});
    if (!all.empty() && std::max(r.time, r.watermark) >= touched + keep_) all.clear();
    all.push_back({value, r.time, r.watermark});
    now_ = &all;
  }
  std::optional<int64_t> Prev(size_t n) const {
    return now_->size() > n ? (*now_)[now_->size() - 1 - n].value : std::nullopt;
  }
  bool Changed() const { return now_->size() == 1 || Prev(1) != now_->back().value; }
  std::optional<int64_t> SinceOver(int64_t limit) const {
    int64_t latest = kNoTime;
    for (const Entry& e : *now_) {
      if (e.value && *e.value > limit) latest = std::max(latest, e.time);
    }
    if (latest == kNoTime) return std::nullopt;
    const Entry& last = now_->back();
    if (last.value && *last.value > limit) return 0;
    return std::max<int64_t>(0, last.time - latest);
  }

 private:
  struct Entry {
    std::optional<int64_t> value;
    int64_t time, watermark;
  };
  int64_t keep_;
  std::map<std::string, std::vector<Entry>> keys_;
  std::vector<Entry>* now_ = nullptr;
};

// The records of a key that move a detector: in order of time, since the key was last forgotten.
std::vector<KeyedRecord> Moving(const std::vector<KeyedRecord>& all, size_t last, int64_t keep,
                                bool* moves) {
  std::vector<KeyedRecord> records;
  int64_t touched = kNoTime;
  for (size_t i = 0; i <= last; ++i) {
    const KeyedRecord& r = all[i];
    if (r.key != all[last].key) continue;
    if (!records.empty() && std::max(r.time, r.watermark) >= touched + keep) records.clear();
    if (records.empty()) touched = kNoTime;
    touched = std::max({touched, r.time, r.watermark});
    *moves = records.empty() || r.time >= records.back().time;
    if (*moves) records.push_back(r);
  }
  return records;
}

Said Moved(const std::vector<KeyedRecord>& records, int64_t by) {
  std::optional<int64_t> value, since;
  Said said;
  for (const KeyedRecord& r : records) {
    said = {};
    if (!r.value || (value && std::abs(*r.value - *value) <= by)) continue;
    said = {true, since, true};
    value = r.value;
    since = r.time;
  }
  return said;
}

bool Odd(const std::vector<KeyedRecord>& records, uint32_t over, double score) {
  double mean = 0, variance = 0;
  uint32_t count = 0;
  bool odd = false;
  for (const KeyedRecord& r : records) {
    if (!r.value) continue;
    double off = static_cast<double>(*r.value) - mean;
    if (count >= over) {
      odd = variance == 0 ? off != 0 : std::fabs(off) / std::sqrt(variance) > score;
      if (odd && variance > 0) off = (off < 0 ? -score : score) * std::sqrt(variance);
    }
    const double weight = std::max(2.0 / (over + 1.0), 1.0 / ++count);
    variance = (1 - weight) * (variance + off * (weight * off));
    mean += weight * off;
  }
  return odd;
}

}  // namespace

TEST_CASE("prev, changed and since are what the model says, however it is driven") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(60); ++seed) {
    Random random(seed * 37);
    const auto delay = static_cast<int64_t>(random.Below(60));
    const auto keep = static_cast<int64_t>(1 + random.Below(200));
    const auto n = static_cast<size_t>(1 + random.Below(4));
    const KeyedStream stream = MakeStream(seed * 104729, delay, 50 + random.Below(250));
    HistoryModel values(keep), ids(keep), before(keep), times(keep);
    std::vector<std::string> expected;
    for (const KeyedRecord& r : stream.records) {
      values.Add(r, r.value);
      ids.Add(r, r.id);
      before.Add(r, values.Prev(1));
      std::string fields = TimeField(r) + Field("n", values.Prev(n));
      fields += std::string(",\"c\":") + (ids.Changed() ? "true" : "false");
      fields += Field("s", values.SinceOver(5)) + Field("pp", before.Prev(1));
      if (!r.value || *r.value == 3) continue;
      times.Add(r, r.time);
      expected.push_back(Line(r, fields + Field("before", times.Prev(1))));
    }
    const std::string steps = "  - key: k\n    keep: " + std::to_string(keep) +
                              "ms\n  - set: { n: 'prev(v, " + std::to_string(n) +
                              ")', c: changed(id), s: since(v > 5), pp: prev(prev(v)) }\n" +
                              "  - where: v != 3\n" +
                              "  - select: [t, n, c, s, pp, { before: prev(t) }]\n";
    CheckAll(seed, Yaml(delay, steps), stream, expected);
  }
}

TEST_CASE("detectors say what the model says, however it is driven") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(60); ++seed) {
    Random random(seed * 41);
    const auto below = [&random](uint64_t n) { return static_cast<int64_t>(random.Below(n)); };
    const int64_t delay = below(60), keep = 1 + below(400), hold = below(40), still = 1 + below(60);
    const int64_t gap = 1 + below(60), by = below(4);
    const KeyedStream stream = MakeStream(seed * 15485863, delay, 50 + random.Below(150));
    std::vector<std::string> all;
    EpisodeModel<Hot> hots("hot", hold, keep);
    EpisodeModel<Still> stills("still", still, keep);
    for (size_t i = 0; i < stream.records.size(); ++i) {
      bool moves = false;
      std::vector<KeyedRecord> records = Moving(stream.records, i, keep, &moves);
      const KeyedRecord& r = stream.records[i];
      const Said hot = hots.Take(r, i), stuck = stills.Take(r, i);
      Said moved = Moved(records, by), pause;
      const size_t n = records.size();
      if (moves && n > 1 && records[n - 1].time - records[n - 2].time > gap) {
        pause = {true, records[n - 2].time, true};
      }
      if (!moves) moved = {};
      all.push_back(Line(r, TimeField(r) + Fields("hot", hot) + Fields("still", stuck) +
                                Fields("pause", pause) + Fields("moved", moved) +
                                ",\"odd\":" + (Odd(records, 5, 1.5) ? "true" : "false")));
    }
    const auto ms = [](int64_t v) { return std::to_string(v) + "ms"; };
    const std::string key = "  - key: k\n    keep: " + ms(keep) + "\n";
    const std::string detect_hot =
        "  - detect: { name: hot, when: v > 5, until: v < 3, for: " + ms(hold);
    const std::string detect_still = "  - detect: { name: still, stuck: id, for: " + ms(still);
    CheckAll(seed, Yaml(delay, key + detect_hot + ", pass: all }\n" + detect_still +
                                   ", pass: all }\n  - detect: { name: pause, gap: " + ms(gap) +
                                   ", pass: all }\n  - detect: { name: moved, change: v, by: " +
                                   std::to_string(by) + ", pass: all }\n" +
                                   "  - detect: { name: odd, anomaly: v, score: 1.5, over: 5, pass: all }\n"
                                   "  - select: [t, hot, hot_since, still, still_since, pause, "
                                   "pause_since, moved, moved_since, odd]\n"),
             stream, all);
    CheckAll(seed, Yaml(delay, key + detect_hot + " }\n  - select: [v, hot, hot_since]\n"), stream,
             hots.Finish());
    CheckAll(seed, Yaml(delay, key + detect_still + " }\n  - select: [v, still, still_since]\n"), stream,
             stills.Finish());
  }
}

// What time alone has made goes on like any record: through further steps with a memory, also ones that wait
// themselves, into windows and patterns. No model, but every way to drive them must come to the same.
TEST_CASE("what detectors notice by time: not a bit depends on how they are driven") {
  const char* const endings[] = {
      "  - window: { tumbling: 40ms, lateness: 30ms }\n    aggregate: { n: count(), s: sum(v), l: last(p) "
      "}\n",
      "  - window: { session: 15ms }\n    aggregate: { n: count(), f: first(hot_since) }\n",
      "  - window: { sliding: 60ms, every: 25ms, lateness: 60ms }\n    aggregate: { n: count() }\n",
      "  - window: { global: true, emit: on change }\n    aggregate: { n: count(), l: last(v) }\n",
      "  - pattern:\n      sequence: [{ name: a }, { not: any, for: 25ms }]\n      skip: to_next\n"
      "    select: { v: a.v }\n",
      "  - select: [v, p, hot, hot_since]\n  - where: v != 7\n",
  };
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(60); ++seed) {
    Random random(seed * 47);
    const auto ms = [&random](uint64_t n) { return std::to_string(1 + random.Below(n)) + "ms"; };
    const std::string steps =
        "  - key: k\n    keep: " + ms(400) + "\n  - detect: { name: hot, when: v > 4, for: " + ms(30) +
        " }\n  - set: { p: prev(v), bad: case when v = 6 and hot then to_int('x') end }\n" +
        (random.Chance(0.5) ? "  - detect: { name: still, stuck: hot, for: " + ms(40) + " }\n" : "") +
        (random.Chance(0.3) ? "  - dedup: { within: " + ms(40) + " }\n" : "") +
        endings[random.Below(std::size(endings))];
    const std::string yaml = Yaml(static_cast<int64_t>(random.Below(40)), steps);
    const KeyedStream stream = MakeStream(seed * 49979687, 0, 50 + random.Below(250));
    const Outputs one = Drive(yaml, stream.lines, {});
    CAPTURE(seed);
    CAPTURE(yaml);
    for (const auto& [how, options] : Variants(seed)) {
      CAPTURE(how);
      const std::string difference = Difference(one, Drive(yaml, stream.lines, options));
      REQUIRE_MESSAGE(difference.empty(), difference);
    }
  }
}

TEST_CASE("dedup lets through what the model says, however it is driven") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(60); ++seed) {
    Random random(seed * 31);
    const auto delay = static_cast<int64_t>(random.Below(60));
    const auto within = static_cast<int64_t>(1 + random.Below(120));
    const KeyedStream stream = MakeStream(seed * 7919, delay, 50 + random.Below(250));
    struct Seen {
      int64_t latest, touched;
    };
    std::map<std::pair<std::string, int64_t>, Seen> seen;
    std::vector<std::string> expected;
    for (const KeyedRecord& r : stream.records) {
      if (r.id) {
        const auto it = seen.find({r.key, *r.id});
        const bool known = it != seen.end() && r.watermark < it->second.touched + within;
        if (known && std::abs(r.time - it->second.latest) < within) continue;
        Seen& now = seen[{r.key, *r.id}];
        now = known ? Seen{std::max(now.latest, r.time), std::max({now.touched, r.time, r.watermark})}
                    : Seen{r.time, std::max(r.time, r.watermark)};
      }
      expected.push_back(Line(r, TimeField(r)));
    }
    CheckAll(seed,
             Yaml(delay, "  - key: k\n  - dedup: { by: id, within: " + std::to_string(within) +
                             "ms }\n  - select: t\n"),
             stream, expected);
  }
}

// Before windows of every kind, with records and results at fault and late ones: no model, but every way to
// drive them must come to the same.
TEST_CASE("steps with a memory before windows: not a bit depends on how they are driven") {
  const char* const windows[] = {"tumbling: 40ms", "sliding: 60ms, every: 25ms", "session: 15ms"};
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(45); ++seed) {
    Random random(seed * 43);
    const auto ms = [&random](uint64_t n) { return std::to_string(1 + random.Below(n)) + "ms"; };
    const std::string steps =
        "  - key: k\n    keep: " + ms(300) + "\n  - where: id is null or id != 1\n" +
        "  - dedup: { by: [id, v], within: " + ms(60) +
        " }\n  - set: { rise: v - prev(v), odd: case when v = 7 then to_int('x') else v end }\n" +
        "  - detect: { name: hot, when: v > 4, until: since(v > 4) > 10, for: " + ms(20) +
        ", pass: all }\n  - where: rise is null or rise > -5\n  - window: { " +
        windows[random.Below(3)] + ", lateness: " + ms(60) + " }\n" +
        "    aggregate: { n: count(), up: count() where rise > 0, d: sum(odd - prev(odd)), "
        "hot: count() where hot, s: min(hot_since), z: last(id) }\n" +
        "  - set: { bad: case when n % 3 = 0 then to_int('y') end }\n  - where: n % 5 != 0\n";
    const std::string yaml = Yaml(static_cast<int64_t>(random.Below(40)), steps);
    const KeyedStream stream = MakeStream(seed * 32452843, 0, 50 + random.Below(250));
    const Outputs one = Drive(yaml, stream.lines, {});
    REQUIRE(!one.results.empty());
    CAPTURE(seed);
    CAPTURE(yaml);
    for (const auto& [how, options] : Variants(seed)) {
      CAPTURE(how);
      const std::string difference = Difference(one, Drive(yaml, stream.lines, options));
      REQUIRE_MESSAGE(difference.empty(), difference);
    }
  }
}

}  // namespace rivulet
