// StateOwner: what everything that keeps state of keys can be asked for, whatever it keeps and however: a
// table, a store of slices, an operator, a whole pipeline. Bytes, entries and rows are those of its own share
// of the keys.
//
// From commit to commit: changes gather in memory, CollectChanges hands them over, and when the commit is
// durable OnCommitted says so. What has not changed since may then leave memory; it comes back on access.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "operators/state/state_view.h"

namespace rivulet {

// One thread at a time. Nothing of this is called for single records.
class StateOwner {
 public:
  virtual ~StateOwner() = default;

  // Reads what must be known before the first record. Unless all of the state stays in memory, the cost
  // does not grow with the number of keys.
  virtual Status Open() = 0;
  // Hands over everything changed since the last call. Not to be called again before OnCommitted.
  virtual void CollectChanges(StateChanges* changes) = 0;
  // The changes last collected can now be read through the view.
  virtual void OnCommitted() {}
  // What it holds in memory; may be behind by what a few records have added.
  virtual size_t MemoryBytes() const = 0;
  // Lets go of what the store has, least recently used first, until at most `target` bytes are held. Only to
  // be called when what was collected last is committed; what has changed since stays.
  virtual void Evict(size_t target) = 0;
  // Keys, or what of a key is counted instead, in memory; those that only the store has are not counted.
  virtual size_t EntriesInMemory() const = 0;
  // About how many rows CollectChanges would change.
  virtual size_t DirtyRows() const = 0;
  // The first error of the store; after one, results are not to be trusted, and the pipeline must stop.
  virtual const Status& status() const = 0;
};

// Several owners that are one to those who ask.
class StateOwners final : public StateOwner {
 public:
  // What each may keep of the memory that all are left with. One that is alone has all of it.
  enum class Division : uint8_t {
    kByUse,    // in proportion to what it holds now
    kEqually,
  };
  // `pause`, when not null, is called behind each owner that collects or evicts.
  explicit StateOwners(Division division = Division::kByUse, void (*pause)() = nullptr)
      : division_(division), pause_(pause) {}

  // Owners are asked in the order in which they were added. They must outlive the list.
  void Add(StateOwner* owner) { owners_.push_back(owner); }

  Status Open() override;
  void CollectChanges(StateChanges* changes) override;
  void OnCommitted() override;
  size_t MemoryBytes() const override;
  void Evict(size_t target) override;
  size_t EntriesInMemory() const override;
  size_t DirtyRows() const override;
  const Status& status() const override;

 private:
  void Pause() const {
    if (pause_ != nullptr) pause_();
  }

  Division division_;
  void (*pause_)();
  std::vector<StateOwner*> owners_;
  Status ok_;
};

}  // namespace rivulet
