// A store in memory whose medium outlives the process that uses it, and that fails on command.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/random.h"
#include "state/ordered_bytes.h"
#include "state/store.h"

namespace rivulet::sim {

// Thread-safe. The store itself may be used directly, or through handles that a simulated process
// owns: NewHandle stands for opening the store file.
class SimStore final : public Store {
 public:
  // `sync_each_commit` as in LmdbOptions: without it a power cut may take back the last commit.
  explicit SimStore(bool sync_each_commit = true);
  ~SimStore() override;

  // A handle for one life of the process; handles of earlier lives fail with kIo. Errors: kLocked
  // while another handle of this life exists.
  Result<std::unique_ptr<Store>> NewHandle();

  // The process is killed: all commits stay.
  void Crash();
  // The plug is pulled: a commit that was not durable stays or goes.
  void PowerCut(Random* random);

  // From now on it holds at most so many bytes of keys and values, with a reserve as of real stores.
  void SetCapacity(uint64_t bytes);

  // The next commit fails with `code` and changes nothing.
  void FailNextCommit(ErrorCode code = ErrorCode::kIo);
  // The process dies in the next commit: it is applied or not, by chance, and everything fails with
  // kIo until Crash or PowerCut starts the next life.
  void DieInNextCommit(Random* random);

  uint64_t commits() const;

  // --- Store ---
  Result<bool> Get(std::string_view key, std::string* value) const override;
  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override;
  Status Commit(const Delta& delta) override;
  StoreStats Stats() const override;

 private:
  class Handle;
  struct Medium;
  std::shared_ptr<Medium> medium_;
};

}  // namespace rivulet::sim
