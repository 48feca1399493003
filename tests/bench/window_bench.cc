// The windowing path by itself: decoded batches through key encoding and windows to finished
// results, one worker, in memory. Only the path is timed (CPU time of the thread), not the filling
// of batches.
//
//   window_bench "WINDOW" KEYS WARM_SECONDS SECONDS RATE ["AGGREGATES" ["STEP"...]]
//
// WINDOW is a window step's map, such as "{ tumbling: 5s }", AGGREGATES one of aggregates over `speed`
// (empty: avg, min, max, count); or WINDOW is "pattern: {..}" or "join: {..}" and AGGREGATES what it selects.
// A join is of the sources `a` and `b`, of which records are at random. Each STEP is a whole step between key
// and window, such as "{ where: speed > prev(speed) }". Records have keys at
// random; event time runs at RATE records a second. Before the SECONDS that are measured come WARM_SECONDS
// with one record per key and second. Prints one JSON object.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "counted_heap.h"
#include "node/config/reader.h"
#include "node/engine/pipeline_task.h"
#include "node/plan/pipeline_plan.h"
#include "operators/window/pane_layout.h"

namespace rivulet::bench {
namespace {

constexpr uint32_t kBatchRows = 2048;
constexpr int64_t kStart = 1'700'000'000'000'000;  // us; a multiple of every window used here
constexpr size_t kResultsPerStep = 16384;

// No state from before.
class NoState final : public StateView {
 public:
  Result<bool> Get(std::string_view, std::string*) const override { return false; }
  Status Scan(std::string_view, std::string_view, const Visitor&) const override {
    return Status::Ok();
  }
};

constexpr const char* kUsual = "{ avg: avg(speed), min: min(speed), max: max(speed), samples: count() }";

std::unique_ptr<PipelinePlan> Plan(const std::string& window, const std::string& aggregates,
                                   const std::string& steps) {
  const bool join = window.starts_with("join:");
  const bool rows = join || window.starts_with("pattern:");
  const std::string ending =
      rows ? "  - " + window + (join ? "\n  - " : "\n    ") + "select: " + aggregates + "\n"
           : "  - window: " + window + "\n    aggregate: " + aggregates + "\n";
  const auto source = [](const std::string& name, const std::string& topic) {
    return name + "mqtt: " + topic + ", format: json, fields: { vehicle: string, ts: int, speed: float }, "
           "time: { field: ts, unit: ms } }\n";
  };
  const std::string yaml =
      "pipeline: bench\n" +
      (join ? "source:\n" + source("  - { name: a, ", "cars") + source("  - { name: b, ", "others")
            : source("source: { ", "vehicles")) +
      "steps:\n"
      "  - key: vehicle\n" + steps + ending +
      "sinks: [ { mqtt: results } ]\n";
  PipelineSpec spec;
  ConfigErrors errors;
  if (!ReadPipeline(yaml, "bench", &spec, &errors)) return nullptr;
  return PlanPipeline(spec, {}, &errors);
}

uint32_t ColumnOf(const PipelinePlan& plan, std::string_view name) {
  for (const DecodedField& f : plan.source.payload_fields) {
    if (f.name == name) return f.column;
  }
  std::fprintf(stderr, "window_bench: the plan has no field %s\n", std::string(name).c_str());
  std::exit(1);
}

int64_t ThreadCpuNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Cost {
  uint64_t records = 0, results = 0, allocations = 0;
  int64_t record_ns = 0, close_ns = 0;
  uint64_t state_bytes = 0;  // at the end
};

class Bench {
 public:
  Bench(std::unique_ptr<PipelinePlan> plan, uint32_t keys)
      : plan_(std::move(plan)),
        layouts_(&plan_->aggregates, {}),
        source_(&plan_->source, 1, kStart),
        task_(plan_.get(), &layouts_, "bench", "keyed", &state_, 64, 1, 1, FirePoint{}),
        random_(1) {
    for (uint32_t k = 0; k < keys; ++k) {
      char name[16];
      std::snprintf(name, sizeof(name), "v%04u", k);
      keys_.emplace_back(name);
    }
  }

  bool Open() { return task_.state().Open().ok(); }

  // `seconds` of event time with `rate` records a second, every key in turn or at random.
  Cost Run(int64_t seconds, int64_t rate, bool in_turn) {
    Cost cost;
    const auto total = static_cast<uint64_t>(seconds * rate);
    const int64_t start = now_;
    while (cost.records < total) {
      const auto rows = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, total - cost.records));
      Fill(rows, start, cost.records, rate, in_turn);
      RunTurn(&cost);
      cost.records += rows;
    }
    now_ = start + seconds * 1'000'000;
    cost.state_bytes = task_.state().MemoryBytes();
    return cost;
  }

 private:
  void Fill(uint32_t rows, int64_t start, uint64_t first, int64_t rate, bool in_turn) {
    SourceSlot& slot = source_.slot(0);
    RecordBatch& batch = slot.batch;
    batch.Reset(plan_->source.columns, kBatchRows);
    batch.rows = rows;
    Column& vehicle = batch.columns[ColumnOf(*plan_, "vehicle")];
    Column& ts = batch.columns[ColumnOf(*plan_, "ts")];
    Column& speed = batch.columns[ColumnOf(*plan_, "speed")];
    slot.rows.resize(rows);
    slot.watermark.resize(rows);
    slot.source.resize(plan_->source.several() ? rows : 0);
    for (uint32_t row = 0; row < rows; ++row) {
      const uint64_t key = in_turn ? first + row : random_.Next();
      const int64_t time = start + static_cast<int64_t>(first + row) * 1'000'000 / rate;
      vehicle.SetString(row, keys_[key % keys_.size()]);
      ts.SetInt(row, time / 1000);
      speed.SetFloat(row, static_cast<double>(random_.Next() % 1300) / 10);
      batch.event_time[row] = time;
      slot.rows[row] = row;
      slot.watermark[row] = watermark_;
      if (plan_->source.several()) slot.source[row] = static_cast<uint8_t>(random_.Next() >> 63);
      watermark_ = std::max(watermark_, time);
    }
  }

  void RunTurn(Cost* cost) {
    const uint64_t allocations = Allocations();
    const int64_t begin = ThreadCpuNs();
    task_.Prepare(0, &source_.slot(0));
    task_.BeginStep(0);
    task_.Process(0, &source_);
    const int64_t processed = ThreadCpuNs();
    cost->results += Close();
    cost->record_ns += processed - begin;
    cost->close_ns += ThreadCpuNs() - processed;
    cost->allocations += Allocations() - allocations;
  }

  uint64_t Close() {
    uint64_t results = 0;
    SourceTask* records = &source_;
    for (;;) {
      const FirePoint point = task_.NextPoint(watermark_, kResultsPerStep);
      task_.Close(0, point);
      task_.Collect(records);
      results += task_.results().size();
      if (!(point < FirePoint{watermark_, true, ""})) return results;
      records = nullptr;
      task_.BeginStep(0);
    }
  }

  NoState state_;
  std::unique_ptr<PipelinePlan> plan_;
  PaneLayouts layouts_;
  SourceTask source_;
  PipelineTask task_;
  Random random_;
  std::vector<std::string> keys_;
  int64_t now_ = kStart;
  int64_t watermark_ = kStart;
};

int Main(int argc, char** argv) {
  if (argc < 6) return 2;
  const int64_t keys = std::atoll(argv[2]), warm = std::atoll(argv[3]), seconds = std::atoll(argv[4]),
                rate = std::atoll(argv[5]);
  if (keys <= 0 || warm < 0 || seconds <= 0 || rate <= 0) return 2;
  const std::string aggregates = argc > 6 && argv[6][0] != '\0' ? argv[6] : kUsual;
  std::string steps;
  for (int i = 7; i < argc; ++i) steps += "  - " + std::string(argv[i]) + "\n";
  std::unique_ptr<PipelinePlan> plan = Plan(argv[1], aggregates, steps);
  if (plan == nullptr) {
    std::fprintf(stderr, "window_bench: cannot plan the window %s, %s\n", argv[1],
                 aggregates.c_str());
    return 1;
  }
  Bench bench(std::move(plan), static_cast<uint32_t>(keys));
  if (!bench.Open()) return 1;
  bench.Run(warm, keys, true);
  // Two rounds: the first brings buffers to the size that this rate needs.
  bench.Run(std::max<int64_t>(seconds / 4, 1), rate, false);
  const Cost cost = bench.Run(seconds, rate, false);
  std::printf("{\"records\":%llu,\"results\":%llu,\"allocations\":%llu,"
              "\"record_ns\":%lld,\"close_ns\":%lld,\"state_bytes\":%llu}\n",
              static_cast<unsigned long long>(cost.records),
              static_cast<unsigned long long>(cost.results),
              static_cast<unsigned long long>(cost.allocations),
              static_cast<long long>(cost.record_ns), static_cast<long long>(cost.close_ns),
              static_cast<unsigned long long>(cost.state_bytes));
  return 0;
}

}  // namespace
}  // namespace rivulet::bench

int main(int argc, char** argv) { return rivulet::bench::Main(argc, argv); }
