#include "node/lane/new_filters.h"

#include <algorithm>

#include "base/coding.h"
#include "node/engine/store_keys.h"
#include "transport/topic_filter.h"

namespace rivulet {
namespace {

// A subscription has brought what the broker had retained for it when it has held for so long.
constexpr Duration kRetainedWithin = Duration::Seconds(10);

bool Contains(const std::vector<std::string>& filters, const std::string& filter) {
  return std::find(filters.begin(), filters.end(), filter) != filters.end();
}

std::string EncodeContents(const std::vector<uint64_t>& contents) {
  std::string value;
  value.reserve(contents.size() * sizeof(uint64_t));
  for (const uint64_t content : contents) PutFixed(&value, content);
  return value;
}

}  // namespace

std::string EncodeFilters(const std::vector<std::string>& filters) {
  std::string value;
  for (const std::string& filter : filters) PutBytes(&value, filter);
  return value;
}

Result<std::vector<std::string>> ReadFilters(const Store& store, const std::string& row, bool* found) {
  std::string value;
  RIVULET_ASSIGN_OR_RETURN(*found, store.Get(row, &value));
  std::vector<std::string> filters;
  std::string_view in = value, filter;
  while (*found && GetBytes(&in, &filter)) filters.emplace_back(filter);
  return filters;
}

Status NewFilters::Open(const Store& store, const std::vector<std::string>& former,
                        std::vector<uint64_t>* contents) {
  RIVULET_ASSIGN_OR_RETURN(settled_, ReadFilters(store, store_keys::SettledFilters(), &stored_));
  if (!stored_) settled_ = former;
  std::string value;
  bool found = false;
  RIVULET_ASSIGN_OR_RETURN(found, store.Get(store_keys::NewContents(), &value));
  std::string_view in = value;
  uint64_t content = 0;
  while (found && GetFixed(&in, &content)) contents_.push_back(content);
  *contents = contents_;
  wanted_ = settled_;
  commits_ = commits_for_sure_;
  return Status::Ok();
}

void NewFilters::Want(std::vector<std::string> wanted, Delta* delta) {
  std::sort(wanted.begin(), wanted.end());
  wanted_ = std::move(wanted);
  since_ = {};
  std::vector<std::string> still = wanted_;
  std::erase_if(still, [this](const std::string& filter) { return !Contains(settled_, filter); });
  idle_ = still == wanted_;
  if (stored_ && still == settled_) return;
  settled_ = std::move(still);
  PutSettled(delta);
}

bool NewFilters::Look(Monotonic now, const MqttLinkStats& lane, Delta* delta) {
  if (settled_ == wanted_) return false;
  if (!lane.connected && lane.state != LinkState::kSubscriptionRefused) {
    since_ = {};
    idle_ = false;
    return false;
  }
  if (since_.us == 0 || lane.connection != connection_ || lane.denied != denied_) {
    since_ = now;
    idle_ = false;
    connection_ = lane.connection;
    denied_ = lane.denied;
  }
  if (now - since_ < kRetainedWithin) return false;
  idle_ = true;
  std::vector<std::string> settled;
  for (const std::string& filter : wanted_) {
    const bool denied = std::any_of(denied_.begin(), denied_.end(), [&filter](const std::string& d) {
      return d.empty() || FilterCovers(d, filter);
    });
    if (!denied || Contains(settled_, filter)) settled.push_back(filter);
  }
  if (settled == settled_) return false;
  settled_ = std::move(settled);
  PutSettled(delta);
  return true;
}

Offset NewFilters::Keep(const std::vector<uint64_t>& contents, Offset shown, Delta* delta) {
  if (contents != contents_) {
    contents_ = contents;
    delta->Put(store_keys::NewContents(), EncodeContents(contents_));
    Changed();
  }
  shown_ = std::max(shown_, shown);
  if (Sure()) kept_ = shown_;
  return kept_;
}

void NewFilters::OnCommitted() {
  if (collected_ == revision_ && !Sure()) ++commits_;
}

void NewFilters::Changed() {
  ++revision_;
  commits_ = 0;
}

void NewFilters::PutSettled(Delta* delta) {
  stored_ = true;
  delta->Put(store_keys::SettledFilters(), EncodeFilters(settled_));
  if (settled_ == wanted_ && !contents_.empty()) {
    delta->Delete(store_keys::NewContents());
    contents_.clear();
  }
  Changed();
}

}  // namespace rivulet
