#include "node/lane/retained_filter.h"

#include <algorithm>

#include "base/hash.h"

namespace rivulet {
namespace {

std::vector<TopicPattern> PatternsOf(const std::vector<std::string>& filters) {
  std::vector<TopicPattern> patterns;
  for (const std::string& filter : filters) {
    Result<TopicPattern> pattern = TopicPattern::Parse(filter);
    if (pattern.ok()) patterns.push_back(std::move(*pattern));
  }
  return patterns;
}

bool IsOf(const std::vector<TopicPattern>& patterns, std::string_view topic) {
  std::vector<std::string_view> captures;
  return std::any_of(patterns.begin(), patterns.end(), [&](const TopicPattern& pattern) {
    return pattern.Match(topic, &captures);
  });
}

uint64_t ContentOf(std::string_view topic, std::string_view payload) {
  return Hash64(topic) * 31 + Hash64(payload);
}
uint64_t ContentOf(const MqttMessage& message) { return ContentOf(message.topic, message.payload); }

}  // namespace

void RetainedFilter::Subscribed(const std::vector<std::string>& filters,
                                const std::vector<std::string>& former) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> fresh;
  for (const std::string& filter : filters) {
    if (std::find(former.begin(), former.end(), filter) == former.end()) fresh.push_back(filter);
  }
  fresh_ = PatternsOf(fresh);
  if (fresh_.empty()) past_.clear();
  former_ = PatternsOf(former);
}

void RetainedFilter::Renewed(const std::vector<std::string>& filters) {
  const std::lock_guard lock(mutex_);
  journaled_anew_.clear();
  renewed_ = PatternsOf(filters);
}

RetainedFilter::Verdict RetainedFilter::Judge(const MqttMessage& message) const {
  if (!message.retained) return Verdict::kNews;
  const std::lock_guard lock(mutex_);
  const uint64_t content = ContentOf(message);
  if (refused_.contains(content)) return Verdict::kNews;
  if (IsOf(renewed_, message.topic)) {
    return journaled_anew_.contains(content) ? Verdict::kRepetition : Verdict::kNews;
  }
  const bool fresh = IsOf(fresh_, message.topic) && !IsOf(former_, message.topic);
  if (message.resumed && !fresh) return Verdict::kRepetition;
  return journaled_.contains(content) ? Verdict::kRepetition : Verdict::kAsksPast;
}

void RetainedFilter::Past(std::string_view topic, std::string_view payload) {
  const std::lock_guard lock(mutex_);
  if (last_.size() >= kRemembered) last_.clear();
  last_[Hash64(topic)] = ContentOf(topic, payload);
  if (IsOf(fresh_, topic)) Remember(&past_, ContentOf(topic, payload));
}

bool RetainedFilter::WasJournaled(const MqttMessage& message) const {
  const std::lock_guard lock(mutex_);
  const uint64_t content = ContentOf(message);
  if (message.resumed && past_.contains(content)) return true;
  const auto found = last_.find(Hash64(message.topic));
  return found != last_.end() && found->second == content;
}

std::vector<uint64_t> RetainedFilter::ContentsOfNew() const {
  const std::lock_guard lock(mutex_);
  std::vector<uint64_t> contents(past_.begin(), past_.end());
  std::sort(contents.begin(), contents.end());
  return contents;
}

void RetainedFilter::HadOfNew(const std::vector<uint64_t>& contents) {
  const std::lock_guard lock(mutex_);
  for (const uint64_t content : contents) Remember(&past_, content);
}

void RetainedFilter::Journaled(const MqttMessage& message) {
  if (!message.retained) return;
  const std::lock_guard lock(mutex_);
  const uint64_t content = ContentOf(message);
  refused_.erase(content);
  Remember(&journaled_, content);
  if (!renewed_.empty() && IsOf(renewed_, message.topic)) Remember(&journaled_anew_, content);
}

void RetainedFilter::Refused(const MqttMessage& message) {
  if (!message.retained) return;
  const std::lock_guard lock(mutex_);
  Remember(&refused_, ContentOf(message));
}

// A bound on memory; what is forgotten may be counted twice only if the session is lost as well.
void RetainedFilter::Remember(Contents* contents, uint64_t content) {
  if (contents->size() >= kRemembered) contents->clear();
  contents->insert(content);
}

}  // namespace rivulet
