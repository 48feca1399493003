// What the simulation knows of a store from outside: cursors, and every output any commit has made
// durable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/random.h"
#include "sim/scenario.h"
#include "state/store.h"

namespace rivulet::sim {

struct StoredCursor {
  uint16_t id = 0;
  uint64_t offset = 0;
  bool known = false;  // false: in the catalogue, but no position in the journal
};
// By pipeline. Errors: those of the store; kCorrupt when a row cannot be read.
Result<std::map<std::string, StoredCursor>> ReadCursors(const Store& store);

// The JSON of outputs in finished commits, whenever that was.
class FinishedOutputs {
 public:
  void Add(std::string_view row_value);
  void AddAll(const Store& store);
  bool Contains(std::string_view json) const { return lines_.contains(std::string(json)); }

 private:
  std::unordered_set<std::string> lines_;
};

// Passes everything on, notes outputs of commits that finish, and plants the bugs that live in
// commits.
class ObservedStore final : public Store {
 public:
  // `*before` is set to the cursors before each commit.
  ObservedStore(std::unique_ptr<Store> base, FinishedOutputs* outputs,
                std::map<std::string, StoredCursor>* before, PlantedBug bug, Random* random)
      : base_(std::move(base)), outputs_(outputs), before_(before), bug_(bug), random_(random) {}

  Result<bool> Get(std::string_view key, std::string* value) const override {
    return base_->Get(key, value);
  }
  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    return base_->Scan(from, to, visit);
  }
  Status Commit(const Delta& delta) override;
  StoreStats Stats() const override { return base_->Stats(); }

 private:
  bool Loses(std::string_view key);
  void ForgetOutput();

  std::unique_ptr<Store> base_;
  FinishedOutputs* outputs_;
  std::map<std::string, StoredCursor>* before_;
  PlantedBug bug_;
  Random* random_;
  Delta waiting_;  // PlantedBug::kEarlyPublish: reported as committed, not yet done
};

}  // namespace rivulet::sim
