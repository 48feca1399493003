#include "node/live/retained_filter.h"

#include <algorithm>

#include "base/hash.h"

namespace rivulet {

void RetainedFilter::Subscribed(const std::vector<std::string>& filters,
                                const std::vector<std::string>& former) {
  const std::lock_guard lock(mutex_);
  for (const std::string& filter : filters) {
    if (std::find(former.begin(), former.end(), filter) != former.end()) continue;
    Result<TopicPattern> pattern = TopicPattern::Parse(filter);
    if (pattern.ok()) fresh_.push_back(std::move(*pattern));
  }
}

void RetainedFilter::Renewed(const std::vector<std::string>& filters) {
  const std::lock_guard lock(mutex_);
  renewed_.clear();
  admitted_anew_.clear();
  for (const std::string& filter : filters) {
    Result<TopicPattern> pattern = TopicPattern::Parse(filter);
    if (pattern.ok()) renewed_.push_back(std::move(*pattern));
  }
}

bool RetainedFilter::Admit(const MqttMessage& message) {
  if (!message.retained) return true;
  const std::lock_guard lock(mutex_);
  const auto is_of = [&message](const std::vector<TopicPattern>& patterns) {
    std::vector<std::string_view> captures;
    return std::any_of(patterns.begin(), patterns.end(), [&](const TopicPattern& pattern) {
      return pattern.Match(message.topic, &captures);
    });
  };
  const bool renewed = is_of(renewed_);
  if (message.resumed && !renewed && !is_of(fresh_)) return false;
  // A bound on memory; what is forgotten may be counted twice only if the session is lost as well.
  if (admitted_.size() >= kRemembered) admitted_.clear();
  if (admitted_anew_.size() >= kRemembered) admitted_anew_.clear();
  const uint64_t content = Hash64(message.topic) * 31 + Hash64(message.payload);
  const bool first = admitted_.insert(content).second;
  return renewed ? admitted_anew_.insert(content).second : first;
}

}  // namespace rivulet
