// RetainedFilter: which retained messages are news. MQTT 3.1.1 sends them again at every
// subscribe, and a node
// subscribes at every connect: taken as they come, a retained reading would be counted at each
// restart.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "transport/mqtt_link.h"
#include "transport/topic.h"

namespace rivulet {

// Thread-safe.
class RetainedFilter {
 public:
  // The filters subscribed from now on, and those the session knew before.
  void Subscribed(const std::vector<std::string>& filters, const std::vector<std::string>& former);

  // What is retained on topics of these filters is news once more: somebody new wants it, to whom it makes no
  // difference that others have had it.
  void Renewed(const std::vector<std::string>& filters);

  // False for a retained message that the session has had before. In a resumed session whatever was
  // published since comes as an ordinary message, so retained ones are repetitions, except those
  // of a filter
  // that is new. Any other message is admitted.
  bool Admit(const MqttMessage& message);

 private:
  static constexpr size_t kRemembered = 1 << 16;

  std::mutex mutex_;
  std::vector<TopicPattern> fresh_;         // filters the session did not know
  std::unordered_set<uint64_t> admitted_;   // topic and payload of retained messages let through
  std::vector<TopicPattern> renewed_;
  std::unordered_set<uint64_t> admitted_anew_;  // likewise, of those since Renewed
};

}  // namespace rivulet
