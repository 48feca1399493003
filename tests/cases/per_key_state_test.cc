// Per-key time in the large: a close of very many keys goes in bounded steps wherever it comes about, and
// keys that vanish leave nothing behind.

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "node/sinks/sink.h"
#include "tests/cases/pipeline_harness.h"

namespace rivulet {
namespace {

constexpr size_t kStep = 64;  // results of a step

std::string Yaml(const std::string& window, const std::string& hold) {
  return "pipeline: p\nsource: { mqtt: in, time: { field: t, unit: ms, per: k, hold: " + hold +
         " } }\nsteps:\n  - key: k\n  - window: { " + window +
         " }\n    aggregate: { n: count() }\nsinks: { stdout: true }\n";
}

// Takes everything; without a sink the output log keeps nothing, and a pipeline need not pause.
class TakingSink final : public Sink {
 public:
  Status Open(SinkCursor* cursor) override {
    next_ = cursor->next;
    return Status::Ok();
  }
  size_t Offer(std::span<const OutputEntry> entries) override {
    next_ += entries.size();
    return entries.size();
  }
  SinkCursor Cursor() const override { return {next_, 0}; }
  bool WantsIds() const override { return false; }
  SinkStats Stats() const override { return {}; }

 private:
  uint64_t next_ = 0;
};

// A durable pipeline over records given one turn at a time, with a commit after each step.
class Life {
 public:
  explicit Life(std::string yaml) : yaml_(std::move(yaml)), store_(NewMemoryStore()) { Open(); }

  void Open() {
    pipeline_.reset();
    std::string why;
    std::unique_ptr<PipelinePlan> plan = PlanText(yaml_, {}, &why);
    REQUIRE_MESSAGE(plan != nullptr, why);
    PipelineOptions options;
    options.results_per_step = kStep;
    options.outputs_per_turn = 0;
    options.workers = 2;
    auto opened = Pipeline::Open(std::move(plan), options, store_.get(), true);
    REQUIRE_MESSAGE(opened.ok(), opened.status().ToString());
    pipeline_ = std::move(*opened);
    REQUIRE(pipeline_->channel(ChannelKind::kResults)
                .AddSink("taking", std::make_unique<TakingSink>())
                .ok());
  }

  // Returns how many results the largest step put out.
  uint64_t Turn(const std::vector<std::pair<std::string, int64_t>>& records) {
    std::string bytes;
    std::vector<size_t> ends;
    for (const auto& [key, time] : records) {
      bytes += "{\"k\":\"" + key + "\",\"t\":" + std::to_string(time) + "}";
      ends.push_back(bytes.size());
    }
    bytes.append(kPayloadPadding, '\0');
    const uint64_t first = pipeline_->offset();
    uint64_t largest = 0;
    while (pipeline_->offset() < first + records.size()) {
      std::vector<InputMessage> messages;
      for (size_t i = pipeline_->offset() - first; i < ends.size(); ++i) {
        const size_t begin = i == 0 ? 0 : ends[i - 1];
        InputMessage message;
        message.payload = {std::string_view(bytes).substr(begin, ends[i] - begin), 0, first + i};
        messages.push_back(message);
      }
      uint64_t before = pipeline_->counters().results;
      const auto step = [&](const Status& status) {
        REQUIRE_MESSAGE(status.ok(), status.ToString());
        largest = std::max(largest, pipeline_->counters().results - before);
        before = pipeline_->counters().results;
        Commit();
      };
      step(pipeline_->Turn(messages, first + records.size(), runner_.get()));
      while (pipeline_->closing()) step(pipeline_->Continue(runner_.get()));
    }
    return largest;
  }

  void Commit() {
    Delta delta;
    pipeline_->CollectCommit(&delta);
    REQUIRE(store_->Commit(delta).ok());
    pipeline_->OnCommitted();
    pipeline_->BoundMemory(0);
    while (*pipeline_->Pump()) {
    }
  }

  size_t WindowRows() const {
    size_t rows = 0;
    const Status status = store_->Scan("s", "t", [&](std::string_view, std::string_view) {
      ++rows;
      return true;
    });
    REQUIRE(status.ok());
    return rows;
  }
  uint64_t results() const { return pipeline_->counters().results; }
  uint64_t late() const { return pipeline_->counters().late; }

 private:
  std::string yaml_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskRunner> runner_ = NewSerialRunner();
  std::unique_ptr<Pipeline> pipeline_;
};

// A record of each key, a millisecond apart.
std::vector<std::pair<std::string, int64_t>> Fleet(size_t keys, int64_t seconds) {
  std::vector<std::pair<std::string, int64_t>> records;
  for (size_t i = 0; i < keys; ++i) {
    records.emplace_back("v" + std::to_string(i), seconds * 1000 + static_cast<int64_t>(i));
  }
  return records;
}

}  // namespace

TEST_CASE("per-key time: a jump of W in the middle of a turn closes very many keys in bounded steps") {
  constexpr size_t kKeys = 3000;
  for (const char* window : {"tumbling: 10s", "sliding: 10s, every: 5s", "session: 10s"}) {
    CAPTURE(window);
    Life life(Yaml(window, "60s"));
    life.Turn(Fleet(kKeys, 12));
    // The whole fleet fell silent. W jumps with the first record, and those behind it close windows of their
    // own, which stand behind all that the jump closes.
    auto records = Fleet(100, 100'000);
    records.insert(records.begin(), {"v0", 13'000});
    for (int64_t i = 0; i < 5; ++i) records.emplace_back("v7", 100'100'000 + i * 100'000);
    const uint64_t largest = life.Turn(records);
    const uint64_t windows = std::string(window).starts_with("sliding") ? 2 : 1;
    // Silent ones by W; of the hundred, those behind the jump are late for nothing.
    CHECK(life.results() >= kKeys * windows);
    CHECK(life.late() == 0);
    // Each worker's estimate is about a step; and what the turn's own records cause.
    CHECK(largest <= 4 * kStep);
  }
}

TEST_CASE("per-key time: all keys close by their own records in one turn, in bounded steps") {
  Life life(Yaml("sliding: 100s, every: 1s", "10m"));
  life.Turn(Fleet(200, 1));
  const uint64_t largest = life.Turn(Fleet(200, 102));
  CHECK(life.results() == 200 * 100);
  CHECK(largest <= kStep + 100);
}

TEST_CASE("per-key time: keys that vanish leave no row and no clock behind") {
  for (const char* window : {"tumbling: 10s", "sliding: 10s, every: 5s", "session: 10s",
                             "tumbling: 10s, lateness: 20s", "session: 10s, lateness: 20s"}) {
    CAPTURE(window);
    Life life(Yaml(window, "60s"));
    life.Turn(Fleet(500, 12));
    life.Turn(Fleet(300, 30));
    life.Open();
    life.Turn(Fleet(100, 60));
    CHECK(life.WindowRows() >= 500);
    // W less the hold has passed all but the last key, which closes and clears the rest by and by.
    for (int64_t t = 1000; t < 20'000; t += 1000) life.Turn({{"last", t * 1000}});
    CHECK(life.WindowRows() <= 8);
    CHECK(life.late() == 0);
  }
}

}  // namespace rivulet
