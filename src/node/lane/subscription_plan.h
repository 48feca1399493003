// SubscriptionPlan: from what pipelines want of a broker to what the lane's session subscribes to, so that
// every broker sends every message once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transport/mqtt_link.h"
#include "transport/topic.h"

namespace rivulet {

// One filter that one pipeline wants.
struct WantedFilter {
  std::string filter;
  // Of a table that is new: all rows that the broker holds are wanted, also where others had them before.
  bool fresh_table = false;
  bool of_table = false;
};

struct SubscriptionPlan {
  std::vector<MqttSubscription> subscriptions;  // share no topic
  std::vector<std::string> wanted;              // sorted, each once
  std::vector<std::string> renewed;             // see RetainedFilter::Renewed
  // Some subscription matches more than anybody wants: what comes is to be looked at.
  bool wider = false;
};

// `former`: what the session was subscribed to, and `former_wanted` why.
SubscriptionPlan PlanSubscriptions(const std::vector<WantedFilter>& wanted, int qos,
                                   const std::vector<std::string>& former,
                                   const std::vector<std::string>& former_wanted);

}  // namespace rivulet
