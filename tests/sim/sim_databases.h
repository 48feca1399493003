// SQLite databases of simulated processes: real files in a folder of their own, through a VFS that knows
// what was synced, forgets the rest when the plug is pulled, and fails for processes that are gone.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"

namespace rivulet::sim {

// At most one at a time. While it is there, SQLite opens every database through it.
class SimDatabases {
 public:
  SimDatabases();
  ~SimDatabases();
  SimDatabases(const SimDatabases&) = delete;
  SimDatabases& operator=(const SimDatabases&) = delete;

  // Where databases are to be.
  const std::string& folder() const { return folder_; }

  // The process is killed: everything written stays.
  void Crash();
  // The plug is pulled: of what was written since a file's last sync, each piece stays, or a part of it, or
  // nothing.
  void PowerCut(Random* random);
  // From now on a sync only says that it did something.
  void FeignSyncs();

  // All rows of `table`, each with its columns by name: what two databases with the same content have in
  // common. False: it cannot be read, and `*rows` says why.
  bool Dump(const std::string& path, const std::string& table, std::string* rows) const;

 private:
  std::string folder_;
};

}  // namespace rivulet::sim
