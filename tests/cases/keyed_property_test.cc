// Random streams through steps that remember something of each key: a model says what must come out, and
// however the input is cut into turns, spread over workers, committed, evicted or crashed, the same bytes
// come out.

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/cases/drive_variants.h"

namespace rivulet {
namespace {

constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

struct KeyedRecord {
  std::string key;
  int64_t time = 0;
  int64_t watermark = kNoTime;         // just before it
  std::optional<int64_t> id, value;
  std::string line;
};

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

// What `select` makes of a record.
std::string Line(const KeyedRecord& r, const std::string& fields) {
  const std::string ms = std::to_string(r.time);
  return "{\"k\":\"" + r.key + "\",\"window_start\":" + ms + ",\"window_end\":" + ms + fields + "}";
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

std::string Field(const char* name, const std::optional<int64_t>& value) {
  return std::string(",\"") + name + "\":" + (value ? std::to_string(*value) : "null");
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
    if (!all.empty() && r.watermark >= touched + keep_) all.clear();
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

}  // namespace rivulet
