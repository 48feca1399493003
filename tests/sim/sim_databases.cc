#include "sim/sim_databases.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <new>
#include <utility>
#include <vector>

namespace rivulet::sim {
namespace {

// A write, or, without bytes, a cut.
struct Change {
  size_t offset = 0;
  std::string bytes;
};

void Apply(const Change& change, size_t length, std::string* content) {
  if (change.bytes.empty()) {
    content->resize(change.offset);
    return;
  }
  content->resize(std::max(content->size(), change.offset + length));
  std::memcpy(content->data() + change.offset, change.bytes.data(), length);
}

struct Tracked {
  std::string synced;           // what the medium holds for certain
  std::vector<Change> pending;  // since

  void Sync() {
    for (const Change& c : pending) Apply(c, c.bytes.size(), &synced);
    pending.clear();
  }
};

struct Shared {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  uint64_t generation = 1;  // of the process that lives
  bool feigned = false;
  std::map<std::string, Tracked> files;
};
Shared g_shared;

// The real file lies behind it.
struct File {
  sqlite3_file base;
  uint64_t generation;
  Tracked* tracked;  // null: nothing of it outlives its process

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods* methods() { return real()->pMethods; }
  bool gone() const { return generation != g_shared.generation; }
};
File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

// Passes a call on, for a process that lives.
template <auto Method, typename... Args>
int Pass(sqlite3_file* file, Args... args) {
  File* const f = Of(file);
  return f->gone() ? SQLITE_IOERR : (f->methods()->*Method)(f->real(), args...);
}

int Close(sqlite3_file* file) { return Of(file)->methods()->xClose(Of(file)->real()); }

int Write(sqlite3_file* file, const void* bytes, int n, sqlite3_int64 offset) {
  const int code = Pass<&sqlite3_io_methods::xWrite>(file, bytes, n, offset);
  if (code != SQLITE_OK || Of(file)->tracked == nullptr) return code;
  std::string written(static_cast<const char*>(bytes), static_cast<size_t>(n));
  Of(file)->tracked->pending.push_back({static_cast<size_t>(offset), std::move(written)});
  return code;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const int code = Pass<&sqlite3_io_methods::xTruncate>(file, size);
  if (code == SQLITE_OK && Of(file)->tracked != nullptr) {
    Of(file)->tracked->pending.push_back({static_cast<size_t>(size), ""});
  }
  return code;
}

int Sync(sqlite3_file* file, int) {
  if (Of(file)->gone()) return SQLITE_IOERR;
  if (Of(file)->tracked != nullptr && !g_shared.feigned) Of(file)->tracked->Sync();
  return SQLITE_OK;
}

int Unlock(sqlite3_file* file, int level) { return Of(file)->methods()->xUnlock(Of(file)->real(), level); }

void Barrier(sqlite3_file* file) { Of(file)->methods()->xShmBarrier(Of(file)->real()); }

int UnmapShared(sqlite3_file* file, int remove) {
  return Of(file)->methods()->xShmUnmap(Of(file)->real(), Of(file)->gone() ? 0 : remove);
}

int Control(sqlite3_file* file, int what, void* argument) {
  return Of(file)->methods()->xFileControl(Of(file)->real(), what, argument);
}
int SectorSize(sqlite3_file* file) { return Of(file)->methods()->xSectorSize(Of(file)->real()); }
int Properties(sqlite3_file* file) { return Of(file)->methods()->xDeviceCharacteristics(Of(file)->real()); }

// Version 2: memory that is shared, but no mapped files.
const sqlite3_io_methods kMethods = {
    2,
    Close,
    Pass<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    Write,
    Truncate,
    Sync,
    Pass<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    Pass<&sqlite3_io_methods::xLock, int>,
    Unlock,
    Pass<&sqlite3_io_methods::xCheckReservedLock, int*>,
    Control,
    SectorSize,
    Properties,
    Pass<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>,
    Pass<&sqlite3_io_methods::xShmLock, int, int, int>,
    Barrier,
    UnmapShared,
    nullptr,
    nullptr,
};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  File* const f = new (file) File{};
  f->generation = g_shared.generation;
  const int code = g_shared.real->xOpen(g_shared.real, name, f->real(), flags, out_flags);
  if (f->methods() != nullptr) f->base.pMethods = &kMethods;
  if (code == SQLITE_OK && name != nullptr) f->tracked = &g_shared.files[name];
  return code;
}

int Delete(sqlite3_vfs*, const char* name, int sync) {
  const int code = g_shared.real->xDelete(g_shared.real, name, sync);
  // The names of files are durable at once; the files stay known to those who have them open.
  if (code == SQLITE_OK && g_shared.files.contains(name)) g_shared.files[name] = {};
  return code;
}

void Register() {
  if (g_shared.real != nullptr) return;
  g_shared.real = sqlite3_vfs_find(nullptr);
  g_shared.vfs = *g_shared.real;
  g_shared.vfs.zName = "simulated";
  g_shared.vfs.szOsFile = static_cast<int>(sizeof(File)) + g_shared.real->szOsFile;
  g_shared.vfs.xOpen = Open;
  g_shared.vfs.xDelete = Delete;
}

}  // namespace

SimDatabases::SimDatabases() {
  Register();
  std::string pattern = (std::filesystem::temp_directory_path() / "rivulet-sim-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  g_shared.files.clear();
  g_shared.feigned = false;
  sqlite3_vfs_register(&g_shared.vfs, 1);
}

SimDatabases::~SimDatabases() {
  ++g_shared.generation;
  sqlite3_vfs_register(g_shared.real, 1);
  sqlite3_vfs_unregister(&g_shared.vfs);
  std::filesystem::remove_all(folder_);
}

void SimDatabases::Crash() { ++g_shared.generation; }
void SimDatabases::FeignSyncs() { g_shared.feigned = true; }

void SimDatabases::PowerCut(Random* random) {
  ++g_shared.generation;
  for (auto& [path, file] : g_shared.files) {
    for (const Change& c : file.pending) {
      const double fate = random->Unit();
      if (fate < 0.4) continue;
      const bool whole = c.bytes.empty() || fate < 0.8;
      const size_t length = whole ? c.bytes.size() : 1 + random->Below(c.bytes.size());
      Apply(c, length, &file.synced);
    }
    file.pending.clear();
    if (!std::filesystem::exists(path)) continue;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << file.synced;
    std::filesystem::remove(path + "-shm");
  }
}

bool SimDatabases::Dump(const std::string& path, const std::string& table, std::string* rows) const {
  sqlite3* db = nullptr;
  bool good = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK;
  rows->clear();
  const auto row = [](void* out, int count, char** values, char** names) {
    std::map<std::string, std::string> columns;
    for (int i = 0; i < count; ++i) columns[names[i]] = values[i] == nullptr ? "NULL" : values[i];
    std::string* const text = static_cast<std::string*>(out);
    for (const auto& [name, value] : columns) *text += name + "=" + value + " ";
    *text += "\n";
    return 0;
  };
  const std::string query = "SELECT * FROM \"" + table + "\" ORDER BY id";
  good = good && sqlite3_exec(db, query.c_str(), row, rows, nullptr) == SQLITE_OK;
  if (!good) *rows = sqlite3_errmsg(db);
  sqlite3_close(db);
  return good;
}

}  // namespace rivulet::sim
