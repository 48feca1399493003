// A file system in memory that fails on command and forgets what was not synced.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "state/file.h"

namespace rivulet::sim {

// Thread-safe. Files that were open at a Crash or PowerCut only fail from then on: they belong to a
// process that is gone.
class SimFileSystem final : public FileSystem {
 public:
  SimFileSystem();

  // --- what happens to machines ---

  // The process is killed: everything written stays.
  void Crash();
  // The plug is pulled. Synced bytes stay; of bytes appended since, a random prefix, sometimes
  // with garbage or zeros behind it up to the size the file had. Creations, removals and renames
  // whose directory was not synced happened or not, each by itself.
  void PowerCut(Random* random);

  // --- faults ---

  // The `n`-th changing operation from now (1 is the next) fails with `code`; an append among them
  // leaves half its bytes behind. A file's sync that fails is the last attempt to write what it was
  // to write: as Linux does, the bytes count as written from then on, and only reading them still works.
  void FailOperation(uint64_t n, ErrorCode code = ErrorCode::kIo) { FailOperations({n}, code); }
  void FailOperations(const std::vector<uint64_t>& numbers, ErrorCode code = ErrorCode::kIo);
  // Nor does reading them: memory was short, and what is read now comes from the medium.
  void EvictForgotten();
  // Appends fail with kDiskFull once `bytes` more have been written; removing files gives room.
  void SetFreeBytes(uint64_t bytes);
  // Changing operations so far: for tests that fail each in turn.
  uint64_t operations() const;

  // --- looking and meddling ---

  std::string Contents(const std::string& path) const;
  void SetContents(const std::string& path, std::string bytes);  // synced
  uint64_t bytes_appended() const;
  uint64_t appends() const;
  uint64_t syncs() const;

  // --- FileSystem ---
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path,
                                                 uint64_t reserve) override;
  Result<std::unique_ptr<OutputFile>> OpenOutput(const std::string& path, OutputUse use) override;
  Result<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override;
  Result<uint64_t> FileSize(const std::string& path) override;
  Status Truncate(const std::string& path, uint64_t size) override;
  Status Remove(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;

 private:
  class Appender;
  class Viewer;
  struct Range {
    size_t begin = 0, end = 0;
  };
  struct File {
    std::string content;
    std::string synced;            // what the medium holds for certain, but for what it forgot
    std::vector<Range> forgotten;  // of `synced`: never written, as a sync failed; ascending

    void ForgetUnsynced();
    void Cut(size_t size);
    void Evict();
    void PowerCut(Random* random);
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  // An unsynced change of a directory: `to` now names `file`, or nothing when it is null.
  struct NameChange {
    std::string from;  // the old name of a rename; else empty
    std::string to;
    std::shared_ptr<File> file;
  };
  struct State {
    mutable std::mutex mutex;
    uint64_t generation = 0;  // grows with each Crash and PowerCut
    Names names;
    Names durable_names;
    std::vector<NameChange> changes;
    std::set<std::string> directories;
    std::vector<std::weak_ptr<File>> forgetful;  // files of which bytes were forgotten
    uint64_t operations = 0;
    std::set<uint64_t> fail_at;
    ErrorCode fail_code = ErrorCode::kIo;
    uint64_t free_bytes = std::numeric_limits<uint64_t>::max();
    uint64_t bytes_appended = 0;
    uint64_t appends = 0;
    uint64_t syncs = 0;

    // Counts a changing operation; the error to fail with, or ok.
    Status Tick(const std::string& path);
    Result<std::shared_ptr<File>> Find(const std::string& path) const;
    void GiveBack(uint64_t bytes);
  };

  std::shared_ptr<State> state_;
};

}  // namespace rivulet::sim
