// NewFilters: filters that the lane's session wants, and of which it is not settled yet whether all that the
// broker had retained for them has come. Until then somebody must remember what has, or a restart would count
// it once more: the journal does, and, where that is trimmed, a row of the store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "node/engine/commit_listener.h"
#include "state/delta.h"
#include "state/store.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// The rows of filters: encoded as byte strings one behind the other.
std::string EncodeFilters(const std::vector<std::string>& filters);
// Empty, too, when there is no such row; `*found` says so.
Result<std::vector<std::string>> ReadFilters(const Store& store, const std::string& row, bool* found);

// The engine's thread only. What it changes it puts into a delta, for the next commit.
class NewFilters final : public CommitListener {
 public:
  // `commits_for_sure`: what so many commits have said outlives a power cut.
  explicit NewFilters(int commits_for_sure) : commits_for_sure_(commits_for_sure) {}

  // What the store says. `former`: what the session was subscribed to, which is what a store of version 0.1
  // knows. `*contents`: what has come of the filters that are not settled, as of the last trimming.
  Status Open(const Store& store, const std::vector<std::string>& former, std::vector<uint64_t>* contents);

  // The filters that are settled, of those wanted before.
  const std::vector<std::string>& settled() const { return settled_; }
  // From now on these are wanted, each once.
  void Want(std::vector<std::string> wanted, Delta* delta);
  const std::vector<std::string>& wanted() const { return wanted_; }

  // How the lane's link is. True when others are settled now: what is wanted has held for long enough. Those
  // that the broker refuses stay new, and hold up nothing.
  bool Look(Monotonic now, const MqttLinkStats& lane, Delta* delta);

  // Whether the journal may be trimmed without looking at what it holds of new filters.
  bool NothingToKeep() const { return idle_ && Sure(); }
  // `contents`, sorted, are what has come of new filters before `shown`: the store is to know. Returns up to
  // where it does for sure.
  Offset Keep(const std::vector<uint64_t>& contents, Offset shown, Delta* delta);
  // Up to there the store knew when it was last asked to.
  Offset kept() const { return kept_; }

  void OnCollected() override { collected_ = revision_; }
  void OnCommitted() override;

 private:
  bool Sure() const { return commits_ >= commits_for_sure_; }
  void Changed();
  // Those wanted that are settled; the row of contents goes with the last that is not.
  void PutSettled(Delta* delta);

  const int commits_for_sure_;
  std::vector<std::string> wanted_;   // sorted
  std::vector<std::string> settled_;  // a part of it
  bool stored_ = false;               // the store has a row of those settled
  uint64_t revision_ = 0;             // of what the store is to know,
  uint64_t collected_ = 0;            // as the commit under way says it, and
  int commits_ = 0;                   // how many have said it, as far as it matters
  // Since when the link has been as it is; 0: it does not hold.
  Monotonic since_;
  uint64_t connection_ = 0;
  std::vector<std::string> denied_;
  bool idle_ = false;                 // nothing more is to come of filters that are new
  std::vector<uint64_t> contents_;    // in the row
  Offset shown_, kept_;               // it is of what came before `shown_`, and surely before `kept_`
};

}  // namespace rivulet
