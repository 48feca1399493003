#include "node/lane/link_watch.h"

#include <algorithm>

namespace rivulet {

void LinkWatch::Look(Monotonic now, const MqttLinkStats& link, const LogFunction& log) {
  const bool fresh = link.troubles != troubles_;
  unsaid_ += link.troubles - std::min(link.troubles, troubles_);
  troubles_ = link.troubles;
  if (unsaid_ > 0 && (fresh || !link.connected)) SayTrouble(now, link, log);
  if (link.connected && (!well_ || link.connects != connects_)) {
    // A connection that was lost and is back between two lines about its troubles is not news.
    if (!well_) log('i', role_ + ": connected to '" + link.broker + "'");
    well_ = true;
    connects_ = link.connects;
  }
}

void LinkWatch::SayTrouble(Monotonic now, const MqttLinkStats& link, const LogFunction& log) {
  Monotonic& said = said_[static_cast<size_t>(link.trouble)];
  if (said.us != 0 && now - said < kRepeatAfter) return;
  said = now;
  well_ = false;
  std::string line = role_ + ": " + std::string(LinkStateName(link.trouble)) + ", '" + link.broker +
                     "': " + link.reason;
  if (unsaid_ > 1) line += " (" + std::to_string(unsaid_) + " times since the last line)";
  unsaid_ = 0;
  log('w', line);
}

}  // namespace rivulet
