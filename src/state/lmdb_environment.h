// An LMDB environment: the file, its map, and the transactions that read it. LMDB gives an environment up
// when a write of its meta page fails, for reads too; then it is opened again. Private to LmdbStore; the only
// file that names lmdb.h.
#pragma once

#include <lmdb.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "state/resident_limiter.h"

namespace rivulet {

// Errors are LMDB's and the system's numbers, 0 when all is well. Reads may run on any thread, everything
// else on one at a time.
class LmdbEnvironment {
 public:
  // What stays mapped of the file is kept below `resident_limit` bytes.
  explicit LmdbEnvironment(uint64_t resident_limit) : limiter_(resident_limit) {}
  ~LmdbEnvironment() { Close(); }
  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;

  // `path` is a folder unless `flags` say otherwise. `map_size`: bytes that the file may grow to.
  int Open(const std::string& path, unsigned flags, uint64_t map_size);
  void Close();

  // To be called after a commit that failed: opens again what LMDB has given up, as it is in the file. Waits
  // for reads under way, and others wait for it. After an error all reads fail with it, until another attempt
  // succeeds.
  int OpenAgainIfGivenUp();

  // The kernel may have dropped what a failed sync, of this process or one before, was to write, and show it
  // nevertheless. A commit is written into pages that the meta page on the medium has free, so
  // the two there must be those that are seen here: they are written again, byte for byte.
  int SettleMetaPages();

  // The slots of readers that died with their process would keep old pages from being reused.
  int FreeReaders();

  // `*txn` is null after an error, else goes to EndRead.
  int BeginRead(MDB_txn** txn);
  // `rows`: how many were read.
  void EndRead(MDB_txn* txn, uint32_t rows);
  int BeginCommit(MDB_txn** txn) { return mdb_txn_begin(env_, nullptr, 0, txn); }

  // The only table.
  MDB_dbi table() const { return table_; }
  ResidentLimiter* limiter() { return &limiter_; }

 private:
  int Map(const std::string& path, unsigned flags, uint64_t map_size);
  int OpenTable();
  bool GivenUp() const;
  int TakeReader(MDB_txn** txn);

  std::string path_;
  unsigned flags_ = 0;
  uint64_t map_size_ = 0;
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  ResidentLimiter limiter_;

  // Read transactions are reset after each use (a waiting one would pin old pages and let the file grow) and
  // kept for the next, since renewing one is cheaper than beginning one.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MDB_txn*> idle_;
  uint32_t reading_ = 0;
  bool opening_ = false;
  uint64_t opened_ = 0;  // how often it was tried again
  int failed_ = 0;       // why it could not be opened
};

}  // namespace rivulet
