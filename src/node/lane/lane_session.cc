#include "node/lane/lane_session.h"

#include <algorithm>

#include "node/engine/store_keys.h"
#include "transport/topic_filter.h"

namespace rivulet {
namespace {

constexpr size_t kPastEntries = 4096;
constexpr size_t kPastBytes = 512 << 10;

// A table that is new wants what others have had, by a subscription made once more. Others stay as they were.
void Renew(const std::vector<MqttSubscription>& before, const std::vector<std::string>& renewed,
           uint32_t number, std::vector<MqttSubscription>* subscriptions) {
  for (MqttSubscription& s : *subscriptions) {
    const auto same = [&s](const MqttSubscription& b) { return b.filter == s.filter; };
    const auto part = [&s](const std::string& filter) { return FilterCovers(s.filter, filter); };
    const auto known = std::find_if(before.begin(), before.end(), same);
    if (known != before.end()) s.renewal = known->renewal;
    if (std::any_of(renewed.begin(), renewed.end(), part)) s.renewal = number;
  }
}

}  // namespace

Result<std::vector<std::string>> LaneSession::FormerFilters(const Store& store) {
  bool found = false;
  return ReadFilters(store, store_keys::Filters(), &found);
}

Status LaneSession::Open(const Store& store, Journal* journal) {
  journal_ = journal;
  std::vector<std::string> former;
  RIVULET_ASSIGN_OR_RETURN(former, FormerFilters(store));
  std::vector<uint64_t> contents;
  RIVULET_RETURN_IF_ERROR(new_filters_.Open(store, former, &contents));
  retained_.HadOfNew(contents);
  return Status::Ok();
}

void LaneSession::Subscribe(const std::vector<WantedFilter>& wanted, const Store& store, Delta* delta) {
  const Result<std::vector<std::string>> stored = FormerFilters(store);
  const std::vector<std::string> former = stored.ok() ? *stored : std::vector<std::string>();
  const std::vector<std::string> settled = new_filters_.settled();
  SubscriptionPlan plan = PlanSubscriptions(wanted, qos_, former, settled);
  Renew(subscriptions_, plan.renewed, ++renewals_, &plan.subscriptions);
  if (plan.subscriptions == subscriptions_ && plan.wanted == new_filters_.wanted()) return;
  subscriptions_ = plan.subscriptions;
  new_filters_.Want(plan.wanted, delta);
  retained_.Subscribed(plan.wanted, settled);
  retained_.Renewed(plan.renewed);
  std::vector<std::string> filters;
  for (const MqttSubscription& s : subscriptions_) filters.push_back(s.filter);
  if (filters != former) delta->Put(store_keys::Filters(), EncodeFilters(filters));
  {
    const std::lock_guard lock(wanted_mutex_);
    wanted_patterns_.clear();
    for (const std::string& filter : plan.wanted) {
      Result<TopicPattern> pattern = TopicPattern::Parse(filter);
      if (plan.wider && pattern.ok()) wanted_patterns_.push_back(std::move(*pattern));
    }
  }
  if (plan.wider) {
    std::string line = "filters of pipelines overlap; subscribed so that each message comes once: ";
    for (size_t i = 0; i < filters.size(); ++i) line += (i == 0 ? "'" : ", '") + filters[i] + "'";
    log_('i', line + ". What no pipeline reads is not taken");
  }
  link_->Subscribe(std::move(plan.subscriptions));
}

// On the link's thread.
bool LaneSession::IsNews(const MqttMessage& message) {
  {
    const std::lock_guard lock(wanted_mutex_);
    std::vector<std::string_view> captures;
    const auto matches = [&](const TopicPattern& p) { return p.Match(message.topic, &captures); };
    if (!wanted_patterns_.empty() &&
        std::none_of(wanted_patterns_.begin(), wanted_patterns_.end(), matches)) {
      return false;
    }
  }
  switch (retained_.Judge(message)) {
    case RetainedFilter::Verdict::kRepetition: return false;
    case RetainedFilter::Verdict::kNews: return true;
    case RetainedFilter::Verdict::kAsksPast: break;
  }
  ShowPast();
  return !retained_.WasJournaled(message);
}

// What the journal holds, as far as it was not looked at yet. Damage costs certainty, not messages. On the
// link's thread and on the engine's.
bool LaneSession::ShowPast() {
  const std::lock_guard lock(past_mutex_);
  past_shown_ = std::max(past_shown_, journal_->begin());
  Result<std::unique_ptr<Journal::Reader>> reader = journal_->NewReader(past_shown_);
  if (!reader.ok()) return false;
  std::vector<JournalEntry> entries;
  do {
    if (!(*reader)->Read(kPastEntries, kPastBytes, &entries).ok()) return false;
    for (const JournalEntry& e : entries) retained_.Past(e.topic, e.payload);
    if (!entries.empty()) past_shown_ = entries.back().offset + 1;
  } while (!entries.empty());
  return true;
}

void LaneSession::Look(Monotonic now, const MqttLinkStats& link, Delta* delta) {
  if (!new_filters_.Look(now, link, delta)) return;
  retained_.Subscribed(new_filters_.wanted(), new_filters_.settled());
}

// The journal knows what has come of filters that are new. Before it is trimmed, the store does.
Offset LaneSession::Trimmable(uint64_t retain_bytes, Delta* delta) {
  if (new_filters_.NothingToKeep()) return journal_->end();
  if (journal_->Stats().bytes <= retain_bytes || !ShowPast()) return new_filters_.kept();
  return new_filters_.Keep(retained_.ContentsOfNew(), past_shown_, delta);
}

}  // namespace rivulet
