// Random streams of records and table rows: a model says what each record must find, and however the input is
// cut into turns, spread over workers, committed, evicted or crashed, the same bytes come out.

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

// Every row a key ever had, in the order of arrival: what a person would look through.
class TableModel {
 public:
  explicit TableModel(bool versioned) : versioned_(versioned) {}

  void Put(int64_t key, int64_t since, int64_t value) { rows_[key].push_back({since, value}); }
  void Remove(int64_t key) { rows_.erase(key); }
  // What holds at `time`: of the rows that hold from the latest time up to there, the one that came last.
  std::optional<int64_t> Find(int64_t key, int64_t time) const {
    const auto rows = rows_.find(key);
    if (rows == rows_.end()) return std::nullopt;
    const Row* found = nullptr;
    for (const Row& row : rows->second) {
      if (versioned_ && row.since > time) continue;
      if (!versioned_ || found == nullptr || row.since >= found->since) found = &row;
    }
    if (found == nullptr) return std::nullopt;
    return found->value;
  }
  size_t keys() const { return rows_.size(); }
  bool Has(int64_t key) const { return rows_.count(key) != 0; }

 private:
  struct Row {
    int64_t since, value;
  };
  bool versioned_;
  std::map<int64_t, std::vector<Row>> rows_;
};

struct TableStream {
  std::vector<StreamLine> lines;
  std::vector<std::string> expected;
  size_t refused = 0;
};

std::string Text(const std::optional<int64_t>& value) { return value ? std::to_string(*value) : "null"; }

struct TableShape {
  bool versioned = false, inner = false;
  int64_t delay = 0, keep = 0;
  size_t rows = 0;  // at most
};

TableStream MakeStream(uint64_t seed, const TableShape& shape, size_t count) {
  Random random(seed);
  const auto below = [&random](uint64_t n) { return static_cast<int64_t>(random.Below(n)); };
  TableStream stream;
  TableModel model(shape.versioned);
  int64_t time = 1000, watermark = kNoTime;
  const int64_t keys = 1 + below(6);
  for (size_t i = 0; i < count; ++i) {
    if (random.Chance(0.05)) time += below(300);
    time += below(10);
    const int64_t key = below(static_cast<uint64_t>(keys));
    StreamLine line;
    if (random.Chance(0.4)) {
      line.table = 0;
      line.removes = random.Chance(0.15);
      const int64_t since = time + below(60) - 40;
      line.text = "{\"k\":" + std::to_string(key) + ",\"since\":" + std::to_string(since) +
                  ",\"v\":" + std::to_string(i) + "}";
      const bool full = !line.removes && !model.Has(key) && model.keys() >= shape.rows;
      if (full) {
        ++stream.refused;
      } else if (line.removes) {
        model.Remove(key);
      } else {
        model.Put(key, since, static_cast<int64_t>(i));
      }
      stream.lines.push_back(line);
      continue;
    }
    const int64_t at = random.Chance(0.4) ? time - below(120) : time;
    line.text = "{\"k\":" + std::to_string(key) + ",\"t\":" + std::to_string(at) + "}";
    stream.lines.push_back(line);
    int64_t as_of = at;
    if (watermark != kNoTime) as_of = std::max(at, watermark - shape.keep);
    watermark = std::max(watermark, at - shape.delay);
    const std::optional<int64_t> found = model.Find(key, as_of);
    if (shape.inner && !found) continue;
    const std::string ms = std::to_string(at);
    stream.expected.push_back("{\"k\":" + std::to_string(key) + ",\"window_start\":" + ms +
                              ",\"window_end\":" + ms + ",\"v\":" + Text(found) + "}");
  }
  return stream;
}

std::string Yaml(const TableShape& shape, const std::string& steps) {
  std::string table = "{ mqtt: t, key: k, fields: { k: int, since: int, v: int }, rows: " +
                      std::to_string(shape.rows);
  if (shape.versioned) table += ", valid_from: since, keep: " + std::to_string(shape.keep) + "ms";
  return "pipeline: test\nsource: { mqtt: in, time: { field: t, unit: ms, delay: " +
         std::to_string(shape.delay) + "ms } }\ntables:\n  t: " + table + " }\nsteps:\n" + steps +
         "sinks: [{ stdout: true }]\n";
}

TableShape MakeShape(uint64_t seed) {
  Random random(seed * 53);
  TableShape shape;
  shape.versioned = random.Below(3) != 0;
  shape.inner = random.Below(2) == 0;
  shape.delay = static_cast<int64_t>(random.Below(60));
  shape.keep = static_cast<int64_t>(1 + random.Below(100));
  shape.rows = 1 + random.Below(8);
  return shape;
}

void CheckVariants(uint64_t seed, const std::string& yaml, const TableStream& stream, const Outputs& one) {
  for (const auto& [how, options] : Variants(seed)) {
    CAPTURE(how);
    const std::string difference = Difference(one, Drive(yaml, stream.lines, options));
    REQUIRE_MESSAGE(difference.empty(), difference);
  }
}

}  // namespace

TEST_CASE("a record finds what the model says, however the pipeline is driven") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(80); ++seed) {
    const TableShape shape = MakeShape(seed);
    const TableStream stream = MakeStream(seed * 6700417, shape, 60 + seed * 7 % 200);
    const std::string type = shape.inner ? "inner" : "left";
    // Before the key, behind it, and behind a step with a memory.
    const std::string join = "  - join: { table: t, take: v, type: " + type + " }\n";
    const std::string places[] = {join + "  - key: k\n", "  - key: k\n" + join,
                                  "  - key: k\n  - set: { before: prev(t) }\n" + join};
    const std::string yaml = Yaml(shape, places[seed % 3] + "  - select: v\n");
    CAPTURE(seed);
    CAPTURE(yaml);
    const Outputs one = Drive(yaml, stream.lines, {});
    const std::string results = Difference(stream.expected, one.results);
    REQUIRE_MESSAGE(results.empty(), results);
    REQUIRE(one.dead.size() == stream.refused);
    CheckVariants(seed, yaml, stream, one);
  }
}

// Turns of per-key time are cut in the middle; what a table has taken in behind the cut comes again.
TEST_CASE("joins before windows with per-key time: not a bit depends on how they are driven") {
  const uint64_t first = FirstSeed();
  for (uint64_t seed = first; seed < first + SeedCount(40); ++seed) {
    const TableShape shape = MakeShape(seed);
    const TableStream stream = MakeStream(seed * 3571, shape, 60 + seed * 7 % 200);
    std::string yaml = Yaml(shape, "  - join: { table: t, take: v, type: left }\n  - key: k\n"
                                   "  - window: { tumbling: 20ms, lateness: 10ms }\n"
                                   "    aggregate: { n: count(), v: collect(v) }\n");
    const std::string delay = "delay: " + std::to_string(shape.delay) + "ms";
    yaml.replace(yaml.find(delay), delay.size(), delay + ", per: k, hold: 50ms");
    CAPTURE(seed);
    CAPTURE(yaml);
    const Outputs one = Drive(yaml, stream.lines, {});
    REQUIRE(!one.results.empty());
    CheckVariants(seed, yaml, stream, one);
  }
}

}  // namespace rivulet
