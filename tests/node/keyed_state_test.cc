// What keyed steps store: damaged rows, rows of steps that are gone, and ids of results that are records.
#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/config/reader.h"
#include "node/engine/output_channel.h"
#include "node/plan/pipeline_plan.h"
#include "operators/keyed/keyed_chain.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr const char* kEverything =
    "  - dedup: { by: [v, s], within: 50ms }\n"
    "  - set: { p: 'prev(v, 3)', c: changed(s), q: since(v > 5), pp: prev(prev(s)) }\n"
    "  - detect: { name: hot, when: v > 5, until: v < 3, for: 20ms, pass: all }\n"
    "  - detect: { name: moved, change: v, by: 1, pass: all }\n"
    "  - detect: { name: odd, anomaly: v, over: 3, score: 1, pass: all }\n"
    "  - detect: { name: still, stuck: v, for: 30ms }\n";

// Takes what comes out, and makes nothing of it.
class Nothing final : public KeyedSink {
 public:
  void OnRecords(const KeyedInput&, std::vector<uint32_t>*, std::vector<RowError>*) override {}
  void OnFaults(const KeyedInput&, const std::vector<RowError>&) override {}
};

std::unique_ptr<PipelinePlan> Plan(const std::string& steps, const std::string& key = "k") {
  const std::string yaml =
      "pipeline: test\nsource:\n  mqtt: in\n  fields: { k: string, j: string, t: int, v: int, s: string }\n"
      "  time: { field: t, unit: us }\nsteps:\n  - key: " +
      key + "\n" + steps + "  - select: v\nsinks: [{ stdout: true }]\n";
  PipelineSpec spec;
  ConfigErrors errors;
  const bool readable = ReadPipeline(yaml, "test.yaml", &spec, &errors);
  auto plan = readable ? PlanPipeline(spec, {}, &errors) : nullptr;
  REQUIRE_MESSAGE(plan != nullptr, (errors.empty() ? "" : errors[0].ToString()));
  return plan;
}

// Twenty records of three keys through the chain.
void Process(const PipelinePlan& plan, KeyedChain* chain, Random* random) {
  constexpr uint32_t kRows = 20;
  RecordBatch batch;
  batch.Reset(plan.source.columns, kRows);
  batch.rows = kRows;
  std::vector<int64_t> watermark(kRows, 0);
  for (const DecodedField& f : plan.source.payload_fields) {
    Column& column = batch.columns[f.column];
    for (uint32_t row = 0; row < kRows; ++row) {
      if (f.name == "v" || f.name == "t") {
        column.SetInt(row, static_cast<int64_t>(random->Below(9)));
      } else {
        column.SetString(row, std::string(1, static_cast<char>('a' + random->Below(3))));
      }
      batch.event_time[row] = static_cast<int64_t>(row * 1000);
      batch.raw[row] = "x";
    }
  }
  KeyColumn keys;
  std::vector<uint32_t> rows;
  std::vector<RowError> errors;
  EncodeKeys(batch, Selection::All(kRows), plan.key_columns, plan.key_names, &keys, &rows, &errors);
  StepScratch scratch;
  Nothing nothing;
  chain->Run(batch, keys, watermark.data(), 0, &rows, &scratch, &nothing);
}

MapState Stored(const PipelinePlan& plan) {
  MapState state;
  Random random(1);
  KeyedChain chain(&plan.keyed, "h", &state, KeyShare{});
  REQUIRE(chain.state().Open().ok());
  Process(plan, &chain, &random);
  chain.state().CollectChanges(&state);
  REQUIRE(chain.state().status().ok());
  REQUIRE(state.rows.size() > 30);
  return state;
}

}  // namespace

TEST_CASE("damaged rows of keyed steps are reported or harmless, never a crash") {
  const auto plan = Plan(kEverything);
  const MapState good = Stored(*plan);
  int refused = 0;
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    Random random(seed);
    MapState state = good;
    for (auto& [key, value] : state.rows) {
      if (value.empty() || random.Chance(0.7)) continue;
      const size_t at = random.Below(value.size());
      switch (random.Below(4)) {
        case 0: value[at] = static_cast<char>(random.Below(256)); break;
        case 1: value.resize(at); break;
        case 2: value.insert(at, random.Below(5), static_cast<char>(random.Below(256))); break;
        default: value.erase(at, 1 + random.Below(9)); break;
      }
    }
    KeyedChain chain(&plan->keyed, "h", &state, KeyShare{});
    REQUIRE(chain.state().Open().ok());
    Process(*plan, &chain, &random);
    chain.state().CollectChanges(&state);
    chain.state().Evict(0);
    Process(*plan, &chain, &random);
    StepScratch scratch;
    Nothing nothing;
    chain.Fire({INT64_MAX, true, ""}, &scratch, &nothing);
    chain.Advance(INT64_MAX);
    chain.state().CollectChanges(&state);
    if (chain.state().status().ok()) continue;
    ++refused;
    REQUIRE(chain.state().status().code() == ErrorCode::kCorrupt);
  }
  CHECK(refused > 1000);
}

TEST_CASE("rows of steps that are gone, or of other keys, are dropped; the others stay") {
  const auto plan = Plan(kEverything);
  MapState state = Stored(*plan);
  state.rows["g"] = state.rows["i"] = "of others";
  const size_t all = state.rows.size();
  REQUIRE(KeyedChain::DropForeign(plan->keyed, "h", state, &state).ok());
  CHECK(state.rows.size() == all);

  // Limits may change.
  const auto limits = Plan(
      "  - dedup: { by: [v, s], within: 1h }\n"
      "  - set: { p: 'prev(v, 3)', c: changed(s), q: since(v > 5), pp: prev(prev(s)) }\n"
      "  - detect: { name: hot, when: v > 7, pass: all }\n"
      "  - detect: { name: moved, change: v, by: 3, pass: all }\n"
      "  - detect: { name: odd, anomaly: v, over: 4, pass: all }\n"
      "  - detect: { name: still, stuck: v, for: 60ms }\n");
  REQUIRE(KeyedChain::DropForeign(limits->keyed, "h", state, &state).ok());
  CHECK(state.rows.size() == all);

  const auto fewer = Plan("  - dedup: { by: [v, s], within: 50ms }\n");
  REQUIRE(KeyedChain::DropForeign(fewer->keyed, "h", state, &state).ok());
  CHECK(state.rows.size() < all);
  CHECK(state.rows.size() > 12);
  const auto other_key = Plan("  - dedup: { by: [v, s], within: 50ms }\n", "j");
  REQUIRE(KeyedChain::DropForeign(other_key->keyed, "h", state, &state).ok());
  CHECK(state.rows.size() == 2);
}

TEST_CASE("two equal steps remember apart") {
  const auto plan = Plan("  - dedup: { by: v, within: 1s }\n  - where: v > 1\n"
                         "  - dedup: { by: v, within: 1s }\n");
  REQUIRE(plan->keyed.steps.size() == 3);
  CHECK(plan->keyed.steps[0].signature != plan->keyed.steps[2].signature);
}

TEST_CASE("results that are records have ids of their own, the same in every run") {
  class Ids final : public Sink {
   public:
    explicit Ids(std::vector<std::string>* ids) : ids_(ids) {}
    Status Open(SinkCursor*) override { return Status::Ok(); }
    size_t Offer(std::span<const OutputEntry> entries) override {
      for (const OutputEntry& e : entries) {
        ids_->push_back(e.id);
        CHECK(e.window_id == e.id);
      }
      cursor_.next += entries.size();
      return entries.size();
    }
    SinkCursor Cursor() const override { return cursor_; }
    SinkStats Stats() const override { return {}; }

   private:
    std::vector<std::string>* ids_;
    SinkCursor cursor_;
  };
  std::vector<std::string> runs[2];
  for (std::vector<std::string>& ids : runs) {
    OutputChannel channel("p", 1, ChannelKind::kResults, nullptr, 0);
    channel.NumberIds();
    REQUIRE(channel.AddSink("ids", std::make_unique<Ids>(&ids)).ok());
    for (int i = 0; i < 3; ++i) channel.Append(0, 1000, "a", "{}");
    channel.Release();
    REQUIRE(channel.Pump().ok());
  }
  CHECK(runs[0] == runs[1]);
  CHECK(std::set<std::string>(runs[0].begin(), runs[0].end()).size() == 3);
}

}  // namespace rivulet
