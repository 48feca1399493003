// Rows of the state store that nobody wrote: deltas, panes of present and earlier layouts, keys,
// positions, catalogue entries, output logs, and whole window operators opened over such rows.
// Input: a byte that chooses what the rest is.
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/coding.h"
#include "node/engine/catalogue.h"
#include "node/engine/store_keys.h"
#include "operators/expr/program.h"
#include "operators/join/interval_join.h"
#include "operators/key/key_codec.h"
#include "operators/pattern/pattern_operator.h"
#include "operators/window/pane_layout.h"
#include "operators/window/window_operator.h"
#include "state/delta.h"
#include "state/output_log.h"
#include "state/store.h"
#include "tests/fuzz/fuzz_target.h"

namespace rivulet {
namespace {

using fuzz::Require;

// Every kind of accumulator, over columns: 0 a float, 1 anything.
const AggregatePlan& Aggregates() {
  static const AggregatePlan plan = [] {
    AggregatePlan p;
    expr::Scope scope;
    scope.Define("x", MaskOf(Type::kFloat) | MaskOf(Type::kNull));
    scope.Define("m", kAnyType);
    for (const char* call :
         {"count()", "sum(x)", "stddev(x)", "min(m)", "max(m)", "first(m)", "last(m)", "median(x)",
          "percentile_exact(x, 0.9)", "distinct(m)", "top_k(m, 3)", "histogram(x, 0, 9, 3)",
          "collect(m, 4)", "integral(x)", "slope(x)", "max_by(m, x)", "bool_or(m)",
          "ewma(x, 1s)"}) {
      expr::Diagnostic diagnostic;
      const auto compiled = expr::CompileAggregate(call, &scope, &diagnostic);
      Require(compiled.ok() && p.Add(call, *compiled).ok(), "the plan's own calls compile");
    }
    return p;
  }();
  return plan;
}

void FuzzDelta(fuzz::Input* input) {
  const std::string_view bytes = input->Rest();
  DeltaReader reader(bytes);
  DeltaReader::Operation op;
  Delta copy;
  while (reader.Next(&op)) {
    switch (op.kind) {
      case DeltaReader::Kind::kPut: copy.Put(op.key, op.value); break;
      case DeltaReader::Kind::kDelete: copy.Delete(op.key); break;
      case DeltaReader::Kind::kDeleteRange: copy.DeleteRange(op.key, op.value); break;
    }
  }
  if (!reader.status().ok()) return;
  Require(CheckDelta(copy).ok(), "operations that were read can be written");
}

// A row in any layout becomes a pane that can be stored again.
void FuzzPane(fuzz::Input* input) {
  const AggregatePlan& plan = Aggregates();
  std::vector<std::string> before;
  for (uint8_t n = input->Byte() % 3; n > 0; --n) before.emplace_back(input->Chunk());
  const PaneLayouts layouts(&plan, before);
  std::vector<int64_t> memory(plan.block_bytes() / 8 + 1);
  char* block = reinterpret_cast<char*>(memory.data());
  uint32_t revision = 0;
  if (!layouts.Decode(input->Rest(), &revision, block).ok()) return;
  std::string row, again;
  layouts.Encode(revision, block, &row);
  Column column;
  column.Reset(1);
  for (size_t i = 0; i < plan.outputs(); ++i) plan.Finish(block, i, &column, 0);
  plan.Destroy(block);
  Require(layouts.Decode(row, &revision, block).ok(), "a pane that was read can be stored");
  layouts.Encode(revision, block, &again);
  Require(row == again, "a stored pane reads back as it was");
  plan.Destroy(block);
}

void FuzzKey(fuzz::Input* input) {
  std::string_view rest = input->Rest();
  Value value;
  std::string scratch, encoded;
  while (NextKeyValue(&rest, &value, &scratch)) {
    AppendKeyValue(&encoded, value);
    Require(encoded.size() < (1u << 20), "every value takes bytes");
  }
}

void FuzzPosition(fuzz::Input* input) {
  const Result<Position> position = Position::Decode(input->Rest());
  if (!position.ok()) return;
  const std::string bytes = position->Encode();
  const Result<Position> again = Position::Decode(bytes);
  Require(again.ok() && again->Encode() == bytes, "a position reads back as it was");
}

// The store after the rest of the input was applied as a delta; empty when it is none.
std::unique_ptr<Store> StoreOf(fuzz::Input* input) {
  std::unique_ptr<Store> store = NewMemoryStore(1 << 20);
  DeltaReader reader(input->Rest());
  DeltaReader::Operation op;
  Delta delta;
  while (reader.Next(&op)) {
    if (op.kind == DeltaReader::Kind::kPut) delta.Put(op.key, op.value);
  }
  (void)store->Commit(delta).ok();
  return store;
}

void FuzzCatalogue(fuzz::Input* input) {
  PipelinePlan plan;
  plan.name = "p";
  plan.aggregates = Aggregates();
  const std::unique_ptr<Store> store = StoreOf(input);
  Delta changes;
  const auto entry = OpenCatalogueEntry(*store, plan, &changes);
  if (!entry.ok()) {
    Require(entry.status().code() == ErrorCode::kCorrupt ||
                entry.status().code() == ErrorCode::kStoreFull,
            "a catalogue is refused with a reason");
    return;
  }
  Require(CheckDelta(changes).ok(), "what opening changes can be stored");
  Require(!entry->layouts.empty(), "an entry knows the present layout");
}

void FuzzOutputs(fuzz::Input* input) {
  const std::string prefix = store_keys::Outputs(1, 0);
  const uint64_t readable = input->Byte();
  const std::unique_ptr<Store> store = StoreOf(input);
  const OutputLog log(prefix, store.get(), 1 << 16, readable);
  uint64_t visited = 0;
  (void)log.Read(0, 16, [&](const OutputLog::Entry& e) {
    Require(e.sequence < readable, "only committed entries are read");
    ++visited;
  }).ok();
  Require(visited <= 16, "a limit is kept");
}

class View final : public StateView {
 public:
  explicit View(const Store* store) : store_(store) {}
  Result<bool> Get(std::string_view key, std::string* value) const override {
    return store_->Get(key, value);
  }
  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    return store_->Scan(from, to, visit);
  }

 private:
  const Store* store_;
};

class Changes final : public StateChanges {
 public:
  void Put(std::string_view key, std::string_view value) override { delta.Put(key, value); }
  void Delete(std::string_view key) override { delta.Delete(key); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    delta.DeleteRange(from, to);
  }
  Delta delta;
};

class Sink final : public ResultSink {
 public:
  void OnResult(const ResultOrder&, std::string_view, uint64_t, int64_t, int64_t, uint32_t,
                const char* block) override {
    column_.Reset(1);
    for (size_t i = 0; i < Aggregates().outputs(); ++i) {
      Aggregates().Finish(block, i, &column_, 0);
    }
  }
  void OnLate(const ResultOrder&, uint32_t) override {}

 private:
  Column column_;
};

WindowSpec SpecOf(uint8_t choice) {
  WindowSpec spec;
  spec.kind = static_cast<WindowSpec::Kind>(choice % 3);
  spec.size_us = 10'000'000;
  spec.slide_us = spec.kind == WindowSpec::Kind::kSliding ? 5'000'000 : 10'000'000;
  spec.lateness_us = (choice & 4) != 0 ? 30'000'000 : 0;
  if ((choice & 8) != 0) spec.per_key = {true, 1'000'000, 0};
  return spec;
}

// Three records of key "a" around time 0.
void Process(KeyedOperator* windows, int64_t watermark, Sink* sink,
             std::vector<const Column*> arguments = {}) {
  constexpr uint32_t kRows = 3;
  RecordBatch batch;
  batch.Reset(2, kRows);
  batch.rows = kRows;
  KeyColumn keys;
  std::vector<uint32_t> kept;
  std::vector<RowError> errors;
  for (uint32_t row = 0; row < kRows; ++row) {
    batch.event_time[row] = int64_t{row} * 12'000'000;
    batch.columns[0].SetFloat(row, row);
    batch.columns[1].SetString(row, "a");
  }
  EncodeKeys(batch, Selection::All(kRows), {1}, {"m"}, &keys, &kept, &errors);
  const std::vector<int64_t> watermarks(kRows, watermark);
  for (const expr::Program& p : Aggregates().arguments()) {
    arguments.push_back(&batch.columns[static_cast<size_t>(p.column())]);
  }
  windows->Process({&batch, &keys, kept.data(), static_cast<uint32_t>(kept.size()),
                    watermarks.data(), 0, &arguments, kept.data(),
                    static_cast<uint32_t>(kept.size())},
                   sink);
}

// Closes what ends at `watermark` or before, a few windows at a time.
void Close(KeyedOperator* windows, int64_t watermark, Sink* sink) {
  const FirePoint target{watermark, true, ""};
  FirePoint done;
  while (done < target && windows->state().status().ok()) {
    const FirePoint point = windows->NextPoint(watermark, 2);
    Require(done < point && !(target < point), "closing goes on, and not too far");
    windows->Advance(point, sink);
    done = point;
  }
}

void FuzzWindows(fuzz::Input* input) {
  const WindowSpec spec = SpecOf(input->Byte());
  const FirePoint start{-20'000'000, true, ""};
  const std::unique_ptr<Store> store = StoreOf(input);
  const View view(store.get());
  const PaneLayouts layouts(&Aggregates(), {});
  const std::unique_ptr<KeyedOperator> windows =
      NewWindowOperator(spec, &Aggregates(), &layouts, "s", &view, KeyShare{}, start);
  if (!windows->state().Open().ok()) return;
  Sink sink;
  Process(windows.get(), start.time, &sink);
  Close(windows.get(), 25'000'000, &sink);
  if (!windows->state().status().ok()) return;
  Changes changes;
  windows->state().CollectChanges(&changes);
  Require(CheckDelta(changes.delta).ok(), "window state can be stored");
  if (!store->Commit(changes.delta).ok()) return;
  windows->state().OnCommitted();
  windows->state().Evict(0);
  Close(windows.get(), std::numeric_limits<int64_t>::max(), &sink);
}

// first = 0, then no second = 1 for 20 s, then x, at least twice: every kind of state a run can be in.
const PatternPlan& Pattern() {
  static const PatternPlan plan = [] {
    PatternPlan p;
    p.elements.resize(3);
    p.elements[0].name = "a";
    p.elements[0].condition = 0;
    p.elements[0].most = 3;
    p.elements[0].within_us = 15'000'000;
    p.elements[1].negated = true;
    p.elements[1].hold_us = 20'000'000;
    p.elements[1].condition = 1;
    p.elements[2].name = "b";
    p.elements[2].least = 2;
    p.elements[2].most = kUnlimited;
    p.elements[2].within_us = 30'000'000;
    p.elements[2].captures = Aggregates();
    p.within_us = 100'000'000;
    p.timeouts = true;
    p.first_value = 2;
    for (size_t i = 0; i < Aggregates().arguments().size(); ++i) {
      p.accepts.push_back(Aggregates().argument_accepts(i));
      p.elements[2].capture_values.push_back(static_cast<uint32_t>(i));
    }
    for (uint32_t i = 0; i < Aggregates().outputs(); ++i) p.results.push_back({2, i});
    p.Finish();
    return p;
  }();
  return plan;
}

void FuzzPattern(fuzz::Input* input) {
  const FirePoint start{-20'000'000, true, ""};
  const std::unique_ptr<Store> store = StoreOf(input);
  const View view(store.get());
  PatternOperator pattern(&Pattern(), "s", &view, KeyShare{}, start);
  if (!pattern.state().Open().ok()) return;
  Column first, second;
  first.Reset(3);
  second.Reset(3);
  for (uint32_t row = 0; row < 3; ++row) {
    first.SetBool(row, row == 0);
    second.SetBool(row, row == 1);
  }
  Sink sink;
  Process(&pattern, start.time, &sink, {&first, &second});
  Close(&pattern, 25'000'000, &sink);
  if (!pattern.state().status().ok()) return;
  Changes changes;
  pattern.state().CollectChanges(&changes);
  Require(CheckDelta(changes.delta).ok(), "what a pattern keeps can be stored");
  if (!store->Commit(changes.delta).ok()) return;
  pattern.state().OnCommitted();
  pattern.state().Evict(0);
  Close(&pattern, std::numeric_limits<int64_t>::max(), &sink);
}

// Two records of key "a", one of either side, between rows that nobody wrote.
void FuzzJoin(fuzz::Input* input) {
  const uint8_t choice = input->Byte();
  JoinSpec spec;
  spec.type = static_cast<JoinSpec::Type>(choice % 3);
  spec.lower_us = (choice & 4) != 0 ? -20'000'000 : 5'000'000;
  spec.upper_us = 10'000'000;
  spec.left_values = 1;
  spec.right_values = 2;
  const FirePoint start{-20'000'000, true, ""};
  const std::unique_ptr<Store> store = StoreOf(input);
  const View view(store.get());
  IntervalJoin join(spec, "s", &view, KeyShare{}, start);
  if (!join.state().Open().ok()) return;
  RecordBatch batch;
  batch.Reset(1, 2);
  batch.rows = 2;
  KeyColumn keys;
  std::vector<uint32_t> kept;
  std::vector<RowError> errors;
  for (uint32_t row = 0; row < 2; ++row) {
    batch.event_time[row] = int64_t{row} * 6'000'000;
    batch.columns[0].SetString(row, "a");
  }
  EncodeKeys(batch, Selection::All(2), {0}, {"k"}, &keys, &kept, &errors);
  const std::vector<int64_t> watermarks(2, start.time);
  const uint8_t sources[] = {0, 1};
  const std::vector<const Column*> arguments(3, &batch.columns[0]);
  KeyedRecords records;
  records.batch = &batch;
  records.keys = &keys;
  records.rows = kept.data();
  records.count = static_cast<uint32_t>(kept.size());
  records.watermark = watermarks.data();
  records.arguments = &arguments;
  records.source = sources;
  Sink sink;
  join.Process(records, &sink);
  Close(&join, 3'000'000, &sink);
  if (!join.state().status().ok()) return;
  Changes changes;
  join.state().CollectChanges(&changes);
  Require(CheckDelta(changes.delta).ok(), "the state of a join can be stored");
  if (!store->Commit(changes.delta).ok()) return;
  join.state().OnCommitted();
  join.state().Evict(0);
  Close(&join, std::numeric_limits<int64_t>::max(), &sink);
}

}  // namespace
}  // namespace rivulet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rivulet;
  fuzz::Input input(data, size);
  switch (input.Byte() % 9) {
    case 0: FuzzDelta(&input); break;
    case 1: FuzzPane(&input); break;
    case 2: FuzzKey(&input); break;
    case 3: FuzzPosition(&input); break;
    case 4: FuzzCatalogue(&input); break;
    case 5: FuzzOutputs(&input); break;
    case 6: FuzzWindows(&input); break;
    case 7: FuzzPattern(&input); break;
    default: FuzzJoin(&input); break;
  }
  return 0;
}
