// RetainedFilter: which retained messages are news. MQTT 3.1.1 sends them again at every subscribe, and a
// node subscribes at every connect: taken as they come, a retained reading would be counted at each restart.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "transport/mqtt_link.h"
#include "transport/topic.h"

namespace rivulet {

// It remembers only what the journal has: a message that could not be journaled is as new when it comes
// again. Thread-safe.
class RetainedFilter {
 public:
  // The filters subscribed from now on, and those the session knew before.
  void Subscribed(const std::vector<std::string>& filters, const std::vector<std::string>& former);

  // What is retained on topics of these filters is news once more: somebody new wants it, to whom it makes no
  // difference that others have had it.
  void Renewed(const std::vector<std::string>& filters);

  // False for a retained message that the session has had before. In a resumed session whatever was
  // published since comes as an ordinary message, so retained ones are repetitions, except those of a filter
  // that is new and those that could not be journaled before. Any other message is news, if the journal does
  // not show it as a repetition after all: in a session that begins anew, what is the last of its topic
  // there; with a new filter of a resumed one, after a restart, whatever has come of it.
  enum class Verdict : uint8_t { kRepetition, kNews, kAsksPast };
  Verdict Judge(const MqttMessage& message) const;
  // The journal's entries, in order, as far as they have not been shown yet; then WasJournaled says.
  void Past(std::string_view topic, std::string_view payload);
  bool WasJournaled(const MqttMessage& message) const;
  // What has come of filters the session did not know, as far as it was shown: sorted hashes of topic and
  // payload. And those of a life before, which the journal need no longer have.
  std::vector<uint64_t> ContentsOfNew() const;
  void HadOfNew(const std::vector<uint64_t>& contents);
  // The journal has a message that is news.
  void Journaled(const MqttMessage& message);
  // The journal could not take it: the link lets it come again, in a session that is a resumed one then.
  void Refused(const MqttMessage& message);

 private:
  static constexpr size_t kRemembered = 1 << 16;
  using Contents = std::unordered_set<uint64_t>;  // of topic and payload
  static void Remember(Contents* contents, uint64_t content);

  mutable std::mutex mutex_;
  std::vector<TopicPattern> fresh_;   // filters the session did not know,
  std::vector<TopicPattern> former_;  // and those that it did
  std::vector<TopicPattern> renewed_;
  Contents journaled_;
  Contents journaled_anew_;           // since Renewed
  Contents refused_;
  std::unordered_map<uint64_t, uint64_t> last_;  // content, by topic
  Contents past_;                     // all, of filters that are new
};

}  // namespace rivulet
