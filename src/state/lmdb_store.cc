// The Store on LMDB.
//
// One unnamed database: a named one would cost one more page per commit, and pages are what wears
// out an SD card. What rows look like is in store_format.h. LMDB writes only free pages and flips
// between two meta pages, so a crash at any point leaves the last commit (or, without a sync per
// commit, possibly the one before) intact. MDB_NOSYNC and MDB_WRITEMAP would give that up and are
// never used.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "state/directory_lock.h"
#include "state/file.h"
#include "state/lmdb_environment.h"
#include "state/row_checksum.h"
#include "state/store.h"
#include "state/store_format.h"

namespace rivulet {
namespace {

// Some milliseconds of work, where pages are in memory.
constexpr uint64_t kRowsPerSign = 1024;
// What one transaction gives checksums to.
constexpr size_t kConvertedBytes = 4 << 20;
constexpr const char* kDataFile = "/data.mdb";
constexpr const char* kNewFile = "/data.mdb.new";
// Holds the format row.
constexpr uint64_t kNewMapSize = 1 << 20;
// Not one of LMDB's own.
constexpr int kDamagedRow = MDB_LAST_ERRCODE + 1000;
// A file system with less room than that for a commit's pages is full, whatever the system call says.
constexpr uint64_t kLeastRoom = 1 << 20;

MDB_val ToVal(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view ToView(const MDB_val& v) {
  return {static_cast<const char*>(v.mv_data), v.mv_size};
}

Status Damaged(const std::string& what, const std::string& directory) {
  return Status(ErrorCode::kCorrupt,
                what + ". The disk or card, or memory, changed bytes: nothing more is taken from it. Put a "
                       "copy of the data directory back, or move '" + directory +
                    "' away and start with empty windows ('Damage on the disk' in docs/operations.md)");
}

Status LmdbStatus(int rc, const std::string& action, const std::string& directory) {
  const std::string text =
      action + " in the state store '" + directory + "': " +
      (rc == kDamagedRow ? "the checksum of a row is wrong" : mdb_strerror(rc));
  switch (rc) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
      return Status(ErrorCode::kStoreFull,
                    text + "; raise the store's map size or keep less state. Nothing was changed");
    case ENOSPC:
    case EDQUOT:
      return Status(ErrorCode::kDiskFull, text + "; free some space. Nothing was changed");
    case MDB_VERSION_MISMATCH:
      return Status(ErrorCode::kFormatVersion, text + "; open it with the version that wrote it");
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case kDamagedRow:
      return Damaged(text, directory);
    case MDB_PANIC:
      return Status(ErrorCode::kIo, text + "; an earlier write failed half-way: restart");
    default:
      return Status(ErrorCode::kIo, text);
  }
}

class LmdbStore final : public Store {
 public:
  explicit LmdbStore(const LmdbOptions& options)
      : directory_(options.directory),
        capacity_(options.map_size),
        progress_(options.progress),
        lmdb_(options.resident_limit) {}

  Status Open(const LmdbOptions& options) {
    RIVULET_RETURN_IF_ERROR(NewPosixFileSystem()->CreateDirectories(directory_));
    RIVULET_RETURN_IF_ERROR(lock_.Take(directory_));
    const std::unique_ptr<FileSystem> files = NewPosixFileSystem();
    const Status there = files->FileSize(directory_ + kDataFile).status();
    if (there.code() == ErrorCode::kNotFound) {
      RIVULET_RETURN_IF_ERROR(MakeNew(files.get()));
    } else {
      RIVULET_RETURN_IF_ERROR(there);
      RIVULET_RETURN_IF_ERROR(CheckPages(files.get()));
    }
    RIVULET_RETURN_IF_ERROR(Opened(
        lmdb_.Open(directory_, options.sync_each_commit ? 0u : MDB_NOMETASYNC, capacity_)));
    const int rc = lmdb_.FreeReaders();
    if (rc != 0) return LmdbStatus(rc, "cannot check the readers", directory_);
    RIVULET_RETURN_IF_ERROR(SettleMetaPages());
    RIVULET_RETURN_IF_ERROR(OpenFormat());
    while (!format_.rest.empty()) RIVULET_RETURN_IF_ERROR(AddChecksums());
    return files->SyncDirectory(directory_);
  }

  Result<bool> Get(std::string_view key, std::string* value) const override {
    if (key.empty() || key.size() > kMaxStoreKey || key == kReservedStoreKey) return false;
    MDB_txn* txn = nullptr;
    int rc = lmdb_.BeginRead(&txn);
    if (rc != 0) return LmdbStatus(rc, "cannot begin to read", directory_);
    MDB_val k = ToVal(key);
    MDB_val v;
    rc = mdb_get(txn, lmdb_.table(), &k, &v);
    std::string_view bytes;
    if (rc == 0 && !ReadRow(key, ToView(v), &bytes)) rc = kDamagedRow;
    if (rc == 0) value->assign(bytes);
    lmdb_.EndRead(txn, 1);
    if (rc == 0) return true;
    if (rc == MDB_NOTFOUND) return false;
    return LmdbStatus(rc, "cannot read a key", directory_);
  }

  Status Scan(std::string_view from, std::string_view to, const Visitor& visit) const override {
    MDB_txn* txn = nullptr;
    int rc = lmdb_.BeginRead(&txn);
    if (rc != 0) return LmdbStatus(rc, "cannot begin to scan", directory_);
    MDB_cursor* cursor = nullptr;
    rc = mdb_cursor_open(txn, lmdb_.table(), &cursor);
    if (rc == 0) {
      rc = Visit(cursor, std::max(from, kFirstUserKey), to, visit);
      mdb_cursor_close(cursor);
    }
    lmdb_.EndRead(txn, 0);
    if (rc == 0 || rc == MDB_NOTFOUND) return Status::Ok();
    return LmdbStatus(rc, "cannot scan", directory_);
  }

  Status Commit(const Delta& delta) override {
    if (unsettled_) {
      RIVULET_RETURN_IF_ERROR(Opened(lmdb_.OpenAgainIfGivenUp()));
      RIVULET_RETURN_IF_ERROR(SettleMetaPages());
    }
    const Status status = CommitOnce(delta);
    unsettled_ = !status.ok();
    // Reads go on with the commit before; where that fails, too, they say so.
    if (unsettled_) (void)lmdb_.OpenAgainIfGivenUp();
    return status;
  }

  StoreStats Stats() const override {
    StoreStats stats;
    stats.capacity_bytes = capacity_;
    MDB_txn* txn = nullptr;
    if (lmdb_.BeginRead(&txn) != 0) return stats;
    MDB_stat s;
    const int rc = mdb_stat(txn, lmdb_.table(), &s);
    lmdb_.EndRead(txn, 0);
    if (rc != 0) return stats;
    stats.used_bytes = UsedBytes(s);
    stats.entries = s.ms_entries - 1;  // the format row
    return stats;
  }

 private:
  Status CommitOnce(const Delta& delta) {
    MDB_txn* txn = nullptr;
    int rc = lmdb_.BeginCommit(&txn);
    if (rc != 0) return LmdbStatus(rc, "cannot begin to commit", directory_);
    MDB_stat before;
    rc = mdb_stat(txn, lmdb_.table(), &before);
    Status applied = rc == 0 ? Apply(txn, delta) : LmdbStatus(rc, "cannot examine the table", directory_);
    if (applied.ok()) applied = KeepReserve(txn, before, delta.uses_reserve());
    if (!applied.ok()) {
      mdb_txn_abort(txn);
      return applied;
    }
    rc = mdb_txn_commit(txn);
    lmdb_.limiter()->Check();
    // A write that only went in part, for want of room, is EIO to LMDB.
    if (rc == EIO && !DiskHasRoomFor(delta)) rc = ENOSPC;
    return rc == 0 ? Status::Ok() : LmdbStatus(rc, "cannot commit", directory_);
  }

  bool DiskHasRoomFor(const Delta& delta) const {
    const Result<uint64_t> room = NewPosixFileSystem()->FreeBytes(directory_);
    return !room.ok() || *room >= std::max<uint64_t>(kLeastRoom, 2 * delta.bytes().size());
  }

  Status Opened(int rc) const {
    return rc == 0 ? Status::Ok() : LmdbStatus(rc, "cannot open the database", directory_);
  }

  // Under another name first: a file of the right name that holds nothing, or less than it should, was cut
  // short.
  Status MakeNew(FileSystem* files) {
    const std::string path = directory_ + kNewFile;
    const Status removed = files->Remove(path);
    if (removed.code() != ErrorCode::kNotFound) RIVULET_RETURN_IF_ERROR(removed);
    RIVULET_RETURN_IF_ERROR(Opened(lmdb_.Open(path, MDB_NOSUBDIR, kNewMapSize)));
    RIVULET_RETURN_IF_ERROR(OpenFormat());
    lmdb_.Close();
    (void)files->Remove(path + "-lock");
    RIVULET_RETURN_IF_ERROR(files->Rename(path, directory_ + kDataFile));
    return files->SyncDirectory(directory_);
  }

  Status CheckPages(FileSystem* files) const {
    const Status status = CheckStorePages(files, directory_ + kDataFile, progress_);
    return status.code() == ErrorCode::kCorrupt ? Damaged(status.message(), directory_) : status;
  }

  Status SettleMetaPages() {
    const int rc = lmdb_.SettleMetaPages();
    return rc == 0 ? Status::Ok() : LmdbStatus(rc, "cannot write the meta pages", directory_);
  }

  static uint64_t UsedBytes(const MDB_stat& s) {
    constexpr uint64_t kMetaPages = 2;
    return static_cast<uint64_t>(s.ms_psize) *
           (s.ms_branch_pages + s.ms_leaf_pages + s.ms_overflow_pages + kMetaPages);
  }

  // To delete takes pages too: LMDB copies each that it changes. So the map never becomes full to the last
  // page; see Store::Commit.
  Status KeepReserve(MDB_txn* txn, const MDB_stat& before, bool uses_reserve) const {
    MDB_stat after;
    const int rc = mdb_stat(txn, lmdb_.table(), &after);
    if (rc != 0) return LmdbStatus(rc, "cannot examine the table", directory_);
    const uint64_t used = UsedBytes(after);
    if (used <= UsedBytes(before) || HasRoomFor(used, uses_reserve, capacity_)) {
      return Status::Ok();
    }
    return LmdbStatus(MDB_MAP_FULL, "no room for a commit", directory_);
  }

  // Checks the format row, or writes it into a new store.
  Status OpenFormat() {
    MDB_txn* txn = nullptr;
    int rc = lmdb_.BeginCommit(&txn);
    if (rc != 0) return LmdbStatus(rc, "cannot begin to check the format", directory_);
    const Status status = CheckFormat(txn);
    if (!status.ok()) {
      mdb_txn_abort(txn);
      return status;
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 ? Status::Ok() : LmdbStatus(rc, "cannot write the format", directory_);
  }

  Status CheckFormat(MDB_txn* txn) {
    MDB_stat s;
    int rc = mdb_stat(txn, lmdb_.table(), &s);
    if (rc != 0) return LmdbStatus(rc, "cannot examine the table", directory_);
    MDB_val key = ToVal(kReservedStoreKey);
    MDB_val row;
    rc = mdb_get(txn, lmdb_.table(), &key, &row);
    if (rc == MDB_NOTFOUND && s.ms_entries == 0) return PutFormat(txn, "");
    if (rc != 0 && rc != MDB_NOTFOUND) return LmdbStatus(rc, "cannot read the format", directory_);
    if (rc != 0 || !DecodeStoreFormat(ToView(row), &format_)) {
      return Status(ErrorCode::kFormatVersion,
                    "'" + directory_ + "' holds an LMDB database that is not a state store; use "
                    "another directory");
    }
    if (format_.number != kStoreFormat && format_.number != kStoreFormatWithoutChecksums) {
      return Status(ErrorCode::kFormatVersion,
                    "the state store '" + directory_ + "' has format " + std::to_string(format_.number) +
                        ", this version reads up to " + std::to_string(kStoreFormat) +
                        "; use the version that wrote it");
    }
    return Status::Ok();
  }

  Status PutFormat(MDB_txn* txn, std::string_view rest) {
    format_ = {kStoreFormat, std::string(rest)};
    MDB_cursor* cursor = nullptr;
    int rc = mdb_cursor_open(txn, lmdb_.table(), &cursor);
    if (rc == 0) rc = PutRow(cursor, kReservedStoreKey, EncodeStoreFormat(format_));
    return rc == 0 ? Status::Ok() : LmdbStatus(rc, "cannot write the format", directory_);
  }

  // Gives some of the rows that have none a checksum.
  Status AddChecksums() {
    MDB_txn* txn = nullptr;
    const int rc = lmdb_.BeginCommit(&txn);
    if (rc != 0) return LmdbStatus(rc, "cannot begin to add checksums", directory_);
    std::string rest;
    Status status = AddChecksums(txn, &rest);
    if (status.ok()) status = PutFormat(txn, rest);
    if (!status.ok()) {
      mdb_txn_abort(txn);
      return status;
    }
    const int committed = mdb_txn_commit(txn);
    return committed == 0 ? Status::Ok() : LmdbStatus(committed, "cannot add checksums", directory_);
  }

  Status AddChecksums(MDB_txn* txn, std::string* rest) {
    MDB_cursor* cursor = nullptr;
    int rc = mdb_cursor_open(txn, lmdb_.table(), &cursor);
    MDB_val k = ToVal(format_.rest);
    MDB_val v;
    if (rc == 0) rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    std::string value;
    for (size_t bytes = 0; rc == 0 && bytes < kConvertedBytes; bytes += rest->size() + value.size()) {
      // Of their own, as the row moves.
      rest->assign(ToView(k));
      value.assign(ToView(v));
      TellProgress();
      rc = PutRow(cursor, *rest, value);
      if (rc == 0) rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    if (rc != 0 && rc != MDB_NOTFOUND) return LmdbStatus(rc, "cannot add checksums", directory_);
    rest->assign(rc == 0 ? ToView(k) : std::string_view());
    return Status::Ok();
  }

  // Puts the row where it lies in the page, with its checksum.
  static int PutRow(MDB_cursor* cursor, std::string_view key, std::string_view value) {
    MDB_val k = ToVal(key);
    MDB_val v{value.size() + kRowChecksumSize, nullptr};
    const int rc = mdb_cursor_put(cursor, &k, &v, MDB_RESERVE);
    if (rc == 0) WriteRow(key, value, static_cast<char*>(v.mv_data));
    return rc;
  }

  int Visit(MDB_cursor* cursor, std::string_view from, std::string_view to,
            const Visitor& visit) const {
    MDB_val k = ToVal(from);
    MDB_val v;
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    while (rc == 0 && ToView(k) < to) {
      std::string_view value;
      if (!ReadRow(ToView(k), ToView(v), &value)) return kDamagedRow;
      if (!visit(ToView(k), value)) return 0;
      lmdb_.limiter()->Count(1);
      rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    return rc;
  }

  Status Apply(MDB_txn* txn, const Delta& delta) {
    // One cursor for all: neighbouring keys are found without walking down from the root. LMDB
    // closes it with the transaction.
    MDB_cursor* cursor = nullptr;
    int rc = mdb_cursor_open(txn, lmdb_.table(), &cursor);
    if (rc != 0) return LmdbStatus(rc, "cannot begin to commit", directory_);
    DeltaReader reader(delta.bytes());
    DeltaReader::Operation op;
    while (rc == 0 && reader.Next(&op)) {
      MDB_val k = ToVal(op.key);
      MDB_val v = ToVal(op.value);
      TellProgress();
      switch (op.kind) {
        case DeltaReader::Kind::kPut:
          rc = PutRow(cursor, op.key, op.value);
          break;
        case DeltaReader::Kind::kDelete:
          rc = mdb_cursor_get(cursor, &k, &v, MDB_SET);
          if (rc == 0) rc = mdb_cursor_del(cursor, 0);
          if (rc == MDB_NOTFOUND) rc = 0;
          break;
        case DeltaReader::Kind::kDeleteRange:
          rc = EraseRange(cursor, op.key, op.value);
          break;
      }
    }
    if (rc != 0) return LmdbStatus(rc, "cannot apply a commit", directory_);
    return reader.status();
  }

  int EraseRange(MDB_cursor* cursor, std::string_view from, std::string_view to) {
    MDB_val k = ToVal(from);
    MDB_val v;
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    while (rc == 0 && ToView(k) < to) {
      TellProgress();
      rc = mdb_cursor_del(cursor, 0);
      // After a deletion the cursor stands on the entry that followed, except behind the last one
      // of a page; searching again is right in every case.
      if (rc == 0) {
        k = ToVal(from);
        rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
      }
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
  }

  // For each row that a commit changes.
  void TellProgress() {
    lmdb_.limiter()->Count(1);
    if (++changed_rows_ % kRowsPerSign == 0 && progress_) progress_();
  }

  const std::string directory_;
  const uint64_t capacity_;
  const std::function<void()> progress_;
  uint64_t changed_rows_ = 0;
  DirectoryLock lock_;
  StoreFormat format_;
  bool unsettled_ = false;        // a commit has failed: what the medium has is not known
  mutable LmdbEnvironment lmdb_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenLmdbStore(const LmdbOptions& options) {
  auto store = std::make_unique<LmdbStore>(options);
  RIVULET_RETURN_IF_ERROR(store->Open(options));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace rivulet
