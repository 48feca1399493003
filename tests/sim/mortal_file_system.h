// A process's view of the simulated disk, which can die in the middle of an operation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario.h"
#include "sim/sim_file_system.h"

namespace rivulet::sim {

// When its time has come, an append leaves half its bytes and everything from then on fails: the
// process has only to be buried. Not thread-safe.
class MortalFileSystem final : public FileSystem {
 public:
  MortalFileSystem(SimFileSystem* disk, PlantedBug bug)
      : state_(std::make_shared<State>(State{disk, bug})) {}

  // The `n`-th changing operation from now is the last one.
  void DieInOperation(uint64_t n) { state_->left = n; }
  // Now, without an operation.
  void Die() { state_->dead = true; }
  bool dead() const { return state_->dead; }

  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                 uint64_t reserve) override;
  Result<std::unique_ptr<OutputFile>> OpenOutput(const std::string& path, OutputUse use) override;
  Result<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override {
    return state_->disk->OpenRead(path);
  }
  Result<uint64_t> FileSize(const std::string& path) override {
    return state_->disk->FileSize(path);
  }
  Status Truncate(const std::string& path, uint64_t size) override;
  Status Remove(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override {
    return state_->disk->List(path);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override {
    return state_->disk->FreeBytes(path);
  }

 private:
  void RemoveSegmentBehind(const std::string& path);

  template <typename Base>
  class Appender;
  class Output;
  struct State {
    SimFileSystem* disk;
    PlantedBug bug;
    uint64_t left = 0;  // operations to live; 0: for ever
    bool dead = false;

    // Counts an operation. Not ok: the process is dead and the operation does not happen.
    Status Live();
  };
  std::shared_ptr<State> state_;
};

}  // namespace rivulet::sim
