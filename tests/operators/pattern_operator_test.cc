// PatternOperator: what is stored of a key and what becomes of damaged rows, what goes when nothing is
// pending, and what one key may cost. What patterns find is the business of tests/cases.

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "operators/pattern/pattern_operator.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

struct Found final : ResultSink {
  void OnResult(const ResultOrder&, std::string_view, uint64_t, int64_t, int64_t, uint32_t,
                const char*) override {}
  void OnRow(const RowResult& r) override {
    ++rows;
    text += std::to_string(r.start_us) + ".." + std::to_string(r.end_us);
    for (size_t i = 0; i < r.count; ++i) {
      const Value& v = r.values[i];
      if (v.type == Type::kBool) text += v.b ? " true" : " false";
      if (v.type == Type::kInt) text += " " + std::to_string(v.i);
      if (v.type == Type::kString) text += " " + std::string(v.s);
    }
    text += "\n";
  }
  void OnFault(const ResultFault& f) override { faults.push_back(f.code); }
  void OnLate(const ResultOrder&, uint32_t) override { ++late; }

  std::string text;
  size_t rows = 0, late = 0;
  std::vector<ErrorCode> faults;
};

// A record of a key: element 0 takes it when `first`, element 1 otherwise.
struct Record {
  int64_t time;
  bool first;
  std::string text;
};

// first, then others at most 50 us behind it, at least twice; what results have is their number and texts.
class Fixture {
 public:
  explicit Fixture(bool to_next = true) {
    PatternPlan& p = plan_;
    p.elements.resize(2);
    p.elements[0].name = "a";
    p.elements[0].condition = 0;
    p.elements[1].name = "b";
    p.elements[1].condition = 1;
    p.elements[1].least = 2;
    p.elements[1].most = 3;
    p.elements[1].within_us = 50;
    p.within_us = 100;
    p.to_next = to_next;
    p.timeouts = true;
    p.first_value = 2;
    p.accepts = {kAnyType};
    const TestPlan captures({"count()", "collect(s)", "last(s)"});
    p.elements[1].captures = *captures;
    p.elements[1].capture_values = {0};
    p.results = {{1, 0}, {1, 1}, {1, 2}};
    p.Finish();
  }

  std::unique_ptr<PatternOperator> Open() {
    auto windows = std::make_unique<PatternOperator>(&plan_, "s", &state, KeyShare{}, FirePoint{});
    REQUIRE(windows->state().Open().ok());
    return windows;
  }

  void Process(PatternOperator* windows, const std::vector<Record>& records, Found* found) {
    const auto count = static_cast<uint32_t>(records.size());
    RecordBatch batch;
    batch.Reset(4, count);
    batch.rows = count;
    std::vector<uint32_t> rows, kept;
    for (uint32_t row = 0; row < count; ++row) {
      batch.event_time[row] = records[row].time;
      batch.columns[0].SetBool(row, records[row].first);
      batch.columns[1].SetBool(row, !records[row].first);
      batch.columns[2].SetString(row, records[row].text);
      batch.columns[3].SetString(row, "k");
    }
    KeyColumn keys;
    std::vector<RowError> errors;
    EncodeKeys(batch, Selection::All(count), {3}, {"k"}, &keys, &kept, &errors);
    const std::vector<int64_t> watermarks(count, std::numeric_limits<int64_t>::min());
    const std::vector<const Column*> arguments = {&batch.columns[0], &batch.columns[1], &batch.columns[2]};
    KeyedRecords input;
    input.batch = &batch;
    input.keys = &keys;
    input.rows = kept.data();
    input.count = count;
    input.watermark = watermarks.data();
    input.arguments = &arguments;
    windows->Process(input, found);
  }

  void Commit(PatternOperator* windows) {
    windows->state().CollectChanges(&state);
    windows->state().OnCommitted();
  }

  // Runs in several states, and a record that waits; committed.
  void Fill() {
    const auto windows = Open();
    Found found;
    Process(windows.get(), {{10, true, ""}, {20, true, ""}, {25, false, "x"}, {30, false, "y"},
                            {31, true, ""}, {60, false, "z"}},
            &found);
    windows->Advance({35, true, ""}, &found);
    CHECK(found.rows == 0);
    Commit(windows.get());
  }

  MapState state;

 private:
  PatternPlan plan_;
};

}  // namespace

TEST_CASE("patterns: what was committed goes on as it was") {
  Fixture f;
  f.Fill();
  const auto windows = f.Open();
  CHECK(windows->state().EntriesInMemory() == 0);
  Found found;
  windows->Advance({kEnd, true, ""}, &found);
  CHECK(windows->state().status().ok());
  CHECK(found.text == "10..60 false 3 [\"x\",\"y\",\"z\"] z\n"
                      "20..60 false 3 [\"x\",\"y\",\"z\"] z\n"
                      "31..110 true 1 [\"z\"] z\n");
}

TEST_CASE("patterns: nothing stays of a key of which nothing is pending") {
  Fixture f;
  f.Fill();
  CHECK(f.state.rows.size() == 2);
  const auto windows = f.Open();
  Found found;
  windows->Advance({1000, true, ""}, &found);
  f.Commit(windows.get());
  CHECK(f.state.rows.empty());
  CHECK(windows->state().EntriesInMemory() == 0);
  f.Process(windows.get(), {{2000, false, "alone"}}, &found);
  windows->Advance({3000, true, ""}, &found);
  f.Commit(windows.get());
  CHECK(f.state.rows.empty());
}

TEST_CASE("patterns: damaged rows are reported, whatever is in them") {
  Fixture f;
  f.Fill();
  const auto rows = f.state.rows;
  const std::string key = rows.begin()->first, row = rows.begin()->second;
  size_t refused = 0;
  const auto attempt = [&](const std::string& damaged) {
    f.state.rows = rows;
    f.state.rows[key] = damaged;
    const auto windows = f.Open();
    Found found;
    windows->Advance({40, true, ""}, &found);
    if (windows->state().status().ok()) f.Process(windows.get(), {{50, true, ""}, {70, false, "w"}}, &found);
    windows->Advance({kEnd, true, ""}, &found);
    refused += windows->state().status().ok() ? 0 : 1;
  };
  for (size_t length = 0; length < row.size(); ++length) attempt(row.substr(0, length));
  CHECK(refused == row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = row;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      attempt(damaged);
    }
  }
  CHECK(refused > row.size() * 2);
}

TEST_CASE("patterns: a key has at most so many matches under way") {
  Fixture f;
  const auto windows = f.Open();
  Found found;
  std::vector<Record> records(kMaxPatternRuns + 2, {10, true, ""});
  for (const char* text : {"x", "y", "z"}) records.push_back({11, false, text});
  f.Process(windows.get(), records, &found);
  windows->Advance({kEnd, true, ""}, &found);
  CHECK(found.rows == kMaxPatternRuns);
  CHECK(found.faults == std::vector<ErrorCode>(2, ErrorCode::kTooManyMatches));
  CHECK(windows->state().EntriesInMemory() == 0);
}

TEST_CASE("patterns: a key has at most so many records that wait") {
  Fixture f;
  const auto windows = f.Open();
  Found found;
  f.Process(windows.get(), std::vector<Record>(kMaxPatternWaiting + 3, {10, false, ""}), &found);
  CHECK(found.faults.size() == 3);
  CHECK(windows->state().MemoryBytes() > kMaxPatternWaiting * sizeof(WaitingRecord));
}

TEST_CASE("patterns: one match takes what began before it is sure") {
  Fixture f(false);
  const auto windows = f.Open();
  Found found;
  std::vector<Record> records(5, {10, true, ""});
  for (const char* text : {"x", "y", "z"}) records.push_back({11, false, text});
  f.Process(windows.get(), records, &found);
  windows->Advance({kEnd, true, ""}, &found);
  CHECK(found.rows == 1);
}

}  // namespace rivulet
