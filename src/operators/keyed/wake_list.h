// WakeList: which keys of a KeyedTable want to be looked at when W has passed a time: those in memory, and
// the rows of all that were committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/state/timer_rows.h"
#include "operators/state/key_share.h"

namespace rivulet {

// One thread.
class WakeList {
 public:
  // Rows are under `prefix`, whose last byte is a letter. `view` must outlive this.
  WakeList(std::string prefix, const StateView* view) : rows_(std::move(prefix), view) {}

  Status Open() { return rows_.Open(); }

  // A key in memory is to be looked at when W reaches `time`. `stored`: there is a row.
  void Add(int64_t time, std::string_view key, bool stored);
  // Not any more.
  void Remove(int64_t time, std::string_view key);
  // At another time.
  void Move(int64_t from, int64_t to, std::string_view key);
  // The key left memory, and has a row.
  void Leave(int64_t time, std::string_view key);

  // The earliest time that may ring; `cold`: some keys are in the store only. kNoTimer: none
  int64_t next(bool cold) const;
  // Up to which at most about `limit` ring, within `point`.
  Status Limit(bool cold, size_t limit, FirePoint* point) const;
  // Appends keys in the store only, of those that are `wanted`, that ring up to `point`.
  Status TakeStored(const FirePoint& point, const std::function<bool(std::string_view)>& wanted,
                    std::vector<std::string>* due) {
    return rows_.TakeDue(fired_, point, wanted, due);
  }
  // The first key in memory that rings up to `point`; false when there is none, and then none will be added.
  bool First(const FirePoint& point, std::string* key);

  // Rows that went since the last time; then that of `time` and `key`, unless there is one.
  void CollectGone(StateChanges* changes);
  void CollectNew(int64_t time, std::string_view key, StateChanges* changes);
  // Gives back what is only kept for keys to come.
  void DropSpares() { spares_.clear(); }
  size_t changed() const { return gone_.size(); }
  size_t MemoryBytes() const { return (list_.size() + spares_.size() + gone_.size()) * kEntryBytes; }

 private:
  static constexpr size_t kEntryBytes = 112;
  static constexpr size_t kSpares = 64;
  using Entry = std::pair<int64_t, std::string>;
  using List = std::map<Entry, bool>;

  const Entry& Probe(int64_t time, std::string_view key) const;
  // Empty when it is not there.
  List::node_type Take(int64_t time, std::string_view key);
  void Insert(List::node_type node, int64_t time, bool stored);

  TimerRows rows_;
  List list_;                             // whether it has a row
  std::vector<List::node_type> spares_;   // for keys that come
  std::vector<Entry> gone_;               // rows that a commit is to delete
  FirePoint fired_;
  mutable Entry probe_;                   // scratch
};

}  // namespace rivulet
