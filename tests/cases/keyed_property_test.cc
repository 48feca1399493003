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

// Times in us, out of order by more than `delay` at times; jumps beyond any memory now and then.
KeyedStream MakeStream(uint64_t seed, int64_t delay, size_t count) {
  Random random(seed);
  KeyedStream stream;
  int64_t time = 1000, watermark = kNoTime;
  const uint64_t keys = 1 + random.Below(4), ids = 1 + random.Below(6);
  for (size_t i = 0; i < count; ++i) {
    if (random.Chance(0.03)) {
      watermark = std::max(watermark, time + static_cast<int64_t>(random.Below(100)) - 50);
      stream.lines.push_back({"", true, watermark});
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
  return "pipeline: test\nsource:\n  mqtt: in\n  time: { field: t, unit: us, delay: " +
         std::to_string(delay) + "us }\nsteps:\n" + steps + "sinks: [{ stdout: true }]\n";
}

// What `select: t`, or more, makes of a record; the times are too small for a millisecond.
std::string Line(const KeyedRecord& r, const std::string& fields) {
  const std::string ms = std::to_string((r.time < 0 ? r.time - 999 : r.time) / 1000);
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

}  // namespace

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
                             "us }\n  - select: t\n"),
             stream, expected);
  }
}

}  // namespace rivulet
