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

bool RetainedFilter::Admit(const MqttMessage& message) {
  if (!message.retained) return true;
  const std::lock_guard lock(mutex_);
  std::vector<std::string_view> captures;
  const bool fresh = std::any_of(fresh_.begin(), fresh_.end(), [&](const TopicPattern& pattern) {
    return pattern.Match(message.topic, &captures);
  });
  if (message.resumed && !fresh) return false;
  // A bound on memory; what is forgotten may be counted twice only if the session is lost as well.
  if (admitted_.size() >= kRemembered) admitted_.clear();
  return admitted_.insert(Hash64(message.topic) * 31 + Hash64(message.payload)).second;
}

}  // namespace rivulet
