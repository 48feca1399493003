// What panes hold outside their blocks counts as memory, and goes when they go.
#include <doctest/doctest.h>

#include "operators/key/key_codec.h"
#include "operators/window/merge_tree.h"
#include "operators/window/slice_store.h"
#include "operators/window/window_operator.h"
#include "tests/operators/window_testing.h"

namespace rivulet {
namespace {

constexpr int64_t kSlice = 10;

// Panes of distinct counts and text.
struct Fixture {
  MapState state;
  TestPlan plan{{"distinct(v)", "last(v)"}};
  PaneLayouts layouts{plan.get(), {}};
  SliceStore store{plan.get(), &layouts, "p", &state, {}};

  void Add(int64_t end, const std::string& key, const std::string& text) {
    bool created = false;
    Pane* pane = store.EditPane(end, store.Touch(end), key, Hash64(key), &created);
    Column column;
    column.Reset(1);
    column.SetString(0, text);
    const int64_t time = 0;
    const uint32_t row = 0;
    char* block = pane->block();
    for (const AccumulatorSlot& slot : plan->slots()) {
      slot.accumulator->Update({&column, &time, &row, &block, 1}, slot.offset);
    }
  }
  // What the panes in memory hold outside their blocks, counted one by one.
  size_t Held() const {
    size_t bytes = 0;
    for (const auto& [end, slice] : store.slices()) {
      slice->table.ForEach([&](Pane* p) { bytes += plan->HeapBytes(p->block()); });
    }
    return bytes;
  }
  size_t Blocks() const {
    size_t bytes = 0;
    for (const auto& [end, slice] : store.slices()) {
      PaneTable copy(plan.get());
      slice->table.ForEach([&](Pane* p) {
        plan->Init(copy.Add(slice->table.Key(*p), p->hash)->block());
      });
      bytes += copy.MemoryBytes() + sizeof(Slice) + 64;
    }
    return bytes;
  }
  void Commit() { store.CollectChanges(&state); }
};

}  // namespace

TEST_CASE("a slice store counts what its panes hold outside") {
  Fixture f;
  const std::string text(1000, 'x');
  for (int i = 0; i < 20; ++i) f.Add(kSlice, "k" + std::to_string(i % 5), text + std::to_string(i));
  f.Commit();
  CHECK(f.Held() > 5 * 1000);
  CHECK(f.store.MemoryBytes() >= f.Held() + f.Blocks());
  CHECK(f.store.MemoryBytes() < f.Held() + f.Blocks() + 1000);

  f.Add(kSlice, "k1", "short");  // and less again
  f.Add(2 * kSlice, "k1", text);
  f.Commit();
  const size_t both = f.store.MemoryBytes();
  CHECK(both >= f.Held() + f.Blocks());
  CHECK(both < f.Held() + f.Blocks() + 1000);

  f.store.Evict(0);
  CHECK(f.store.EntriesInMemory() == 0);
  CHECK(f.store.MemoryBytes() < 1000);
  Slice* slice = f.store.Find(kSlice);
  CHECK(f.store.FindPane(kSlice, slice, "k0", Hash64("k0")) != nullptr);  // brought back
  CHECK(f.store.MemoryBytes() >= f.Held() + f.Blocks());
  f.store.Drop(kSlice);
  f.store.Drop(2 * kSlice);
  CHECK(f.store.MemoryBytes() == 0);
}

TEST_CASE("what changed panes hold outside is counted before a commit, too") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.Add(kSlice, "k" + std::to_string(i), std::string(10'000, 'x'));
  CHECK(f.store.MemoryBytes() < f.Held());
  f.store.AddedRecords(8191);
  CHECK(f.store.MemoryBytes() < f.Held());
  f.store.AddedRecords(1);
  CHECK(f.store.MemoryBytes() >= f.Held() + f.Blocks());
  f.Add(kSlice, "k1", std::string(50'000, 'x'));
  f.store.AddedRecords(8192);
  CHECK(f.store.MemoryBytes() >= f.Held() + f.Blocks());
  const size_t before = f.store.MemoryBytes();
  f.Commit();
  CHECK(f.store.MemoryBytes() == before);
  CHECK(before < f.Held() + f.Blocks() + 1000);
}

TEST_CASE("a merge tree counts what its nodes hold outside") {
  Fixture f;
  const std::string text(5000, 'x');
  for (int64_t end = kSlice; end <= 8 * kSlice; end += kSlice) f.Add(end, "k", text);
  MergeTree tree(f.plan.get(), &f.store, kSlice, 0);
  tree.VisitWindow(0, 7, [](std::string_view, uint64_t, const char*) {});
  const size_t nodes = 7;  // 4 + 2 + 1
  CHECK(tree.MemoryBytes() > nodes * 5000);
  CHECK(tree.MemoryBytes() < nodes * 7000);
  f.Add(kSlice, "k", "short");
  tree.Refresh(0, "k", Hash64("k"));
  CHECK(tree.MemoryBytes() < nodes * 7000);
  tree.Shrink(0);
  CHECK(tree.MemoryBytes() == 0);
}

TEST_CASE("sessions count what their blocks hold outside") {
  MapState state;
  const TestPlan plan({"last(v)"});
  const PaneLayouts layouts(plan.get(), {});
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kSession;
  spec.size_us = 1000;
  const auto windows = NewWindowOperator(spec, plan.get(), &layouts, "s", &state, KeyShare{},
                                         FirePoint{-1000, true, ""});
  REQUIRE(windows->state().Open().ok());
  RecordBatch batch;
  batch.Reset(2, 1);
  batch.rows = 1;
  batch.columns[0].SetString(0, "key");
  batch.columns[1].SetString(0, std::string(100'000, 'x'));
  KeyColumn keys;
  std::vector<uint32_t> kept;
  std::vector<RowError> errors;
  EncodeKeys(batch, Selection::All(1), {0}, {"k"}, &keys, &kept, &errors);
  const int64_t watermark = -1000;
  const std::vector<const Column*> arguments = {&batch.columns[1]};
  class Nothing final : public ResultSink {
    void OnResult(const ResultOrder&, std::string_view, uint64_t, int64_t, int64_t, uint32_t,
                  const char*) override {}
    void OnLate(const ResultOrder&, uint32_t) override {}
  } sink;
  windows->Process({&batch, &keys, kept.data(), 1, &watermark, 0, &arguments}, &sink);
  windows->state().CollectChanges(&state);
  windows->state().OnCommitted();
  CHECK(windows->state().MemoryBytes() > 100'000);
  windows->state().Evict(0);
  CHECK(windows->state().MemoryBytes() < 1000);
  windows->Advance({500, true, ""}, &sink);
  windows->Advance({5000, true, ""}, &sink);
  windows->state().CollectChanges(&state);
  windows->state().OnCommitted();
  CHECK(windows->state().MemoryBytes() < 1000);
}

}  // namespace rivulet
