#include "node/lane/subscription_plan.h"

#include <algorithm>

#include "transport/topic_filter.h"

namespace rivulet {
namespace {

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

SubscriptionPlan PlanSubscriptions(const std::vector<WantedFilter>& wanted, int qos,
                                   const std::vector<std::string>& former,
                                   const std::vector<std::string>& former_wanted) {
  SubscriptionPlan plan;
  for (const WantedFilter& w : wanted) {
    if (!Contains(plan.wanted, w.filter)) plan.wanted.push_back(w.filter);
    // Pipelines that read the topic as records would count what they have had.
    const bool read = std::any_of(wanted.begin(), wanted.end(), [&w](const WantedFilter& other) {
      return !other.of_table && FiltersOverlap(other.filter, w.filter);
    });
    if (w.fresh_table && !read && !Contains(plan.renewed, w.filter)) plan.renewed.push_back(w.filter);
  }
  std::sort(plan.wanted.begin(), plan.wanted.end());
  for (const std::string& filter : DisjointFilters(plan.wanted)) {
    MqttSubscription s{filter, qos};
    for (const std::string& part : plan.wanted) {
      if (!FilterCovers(filter, part)) continue;
      // To a subscription that it knows a broker sends what is retained only when asked.
      const bool unseen = Contains(former, filter) && !Contains(former_wanted, part);
      s.all_retained = s.all_retained || unseen || Contains(plan.renewed, part);
    }
    plan.wider = plan.wider || !Contains(plan.wanted, filter);
    plan.subscriptions.push_back(std::move(s));
  }
  return plan;
}

}  // namespace rivulet
