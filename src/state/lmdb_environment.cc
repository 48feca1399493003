#include "state/lmdb_environment.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace rivulet {

int LmdbEnvironment::Open(const std::string& path, unsigned flags, uint64_t map_size) {
  path_ = path;
  flags_ = flags;
  map_size_ = map_size;
  int rc = mdb_env_create(&env_);
  if (rc == 0) rc = mdb_env_set_mapsize(env_, static_cast<size_t>(map_size));
  // Reads come from any thread (NOTLS) and in no order, so read-ahead would only fill memory.
  if (rc == 0) rc = mdb_env_open(env_, path.c_str(), MDB_NORDAHEAD | MDB_NOTLS | flags, 0644);
  return rc == 0 ? OpenTable() : rc;
}

// The address of any value tells where the file is mapped.
int LmdbEnvironment::OpenTable() {
  MDB_txn* txn = nullptr;
  int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (rc != 0) return rc;
  rc = mdb_dbi_open(txn, nullptr, 0, &table_);
  MDB_cursor* cursor = nullptr;
  if (rc == 0) rc = mdb_cursor_open(txn, table_, &cursor);
  if (rc == 0) {
    MDB_val key;
    MDB_val value;
    if (mdb_cursor_get(cursor, &key, &value, MDB_FIRST) == 0) limiter_.Attach(value.mv_data);
    mdb_cursor_close(cursor);
  }
  // Also keeps the table open for those that follow.
  const int committed = mdb_txn_commit(txn);
  return rc != 0 ? rc : committed;
}

void LmdbEnvironment::Close() {
  for (MDB_txn* txn : idle_) mdb_txn_abort(txn);
  idle_.clear();
  limiter_.Detach();
  if (env_ != nullptr) mdb_env_close(std::exchange(env_, nullptr));
}

bool LmdbEnvironment::GivenUp() const {
  if (failed_ != 0) return true;
  MDB_txn* txn = nullptr;
  const int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (rc == 0) mdb_txn_abort(txn);
  return rc == MDB_PANIC;
}

int LmdbEnvironment::OpenAgainIfGivenUp() {
  if (!GivenUp()) return 0;
  std::unique_lock lock(mutex_);
  opening_ = true;
  changed_.wait(lock, [this] { return reading_ == 0; });
  Close();
  failed_ = Open(std::string(path_), flags_, map_size_);
  opening_ = false;
  ++opened_;
  changed_.notify_all();
  return failed_;
}

int LmdbEnvironment::SettleMetaPages() {
  MDB_stat s;
  int fd = -1;
  int rc = mdb_env_stat(env_, &s);
  if (rc == 0) rc = mdb_env_get_fd(env_, &fd);
  if (rc != 0) return rc;
  std::vector<char> pages(size_t{2} * s.ms_psize);
  const auto size = static_cast<ssize_t>(pages.size());
  const bool written = ::pread(fd, pages.data(), pages.size(), 0) == size &&
                       ::pwrite(fd, pages.data(), pages.size(), 0) == size && ::fdatasync(fd) == 0;
  return written ? 0 : errno;
}

int LmdbEnvironment::FreeReaders() {
  int dead = 0;
  return mdb_reader_check(env_, &dead);
}

int LmdbEnvironment::BeginRead(MDB_txn** txn) {
  while (true) {
    const int rc = TakeReader(txn);
    if (rc == 0) return 0;
    std::unique_lock lock(mutex_);
    const uint64_t opened = opened_;
    if (--reading_ == 0) changed_.notify_all();
    if (rc != MDB_PANIC) return rc;
    // The commit that failed opens it again.
    changed_.wait(lock, [&] { return opened_ != opened; });
  }
}

// Counts the read that begins, also where it cannot.
int LmdbEnvironment::TakeReader(MDB_txn** txn) {
  *txn = nullptr;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !opening_; });
    ++reading_;
    if (failed_ != 0) return failed_;
    if (!idle_.empty()) {
      *txn = idle_.back();
      idle_.pop_back();
    }
  }
  if (*txn == nullptr) return mdb_txn_begin(env_, nullptr, MDB_RDONLY, txn);
  const int rc = mdb_txn_renew(*txn);
  if (rc != 0) mdb_txn_abort(std::exchange(*txn, nullptr));
  return rc;
}

void LmdbEnvironment::EndRead(MDB_txn* txn, uint32_t rows) {
  mdb_txn_reset(txn);
  if (rows > 0) limiter_.Count(rows);
  std::lock_guard lock(mutex_);
  idle_.push_back(txn);
  if (--reading_ == 0 && opening_) changed_.notify_all();
}

}  // namespace rivulet
