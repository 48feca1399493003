#include "node/lane/subscription_plan.h"

#include <doctest/doctest.h>

namespace rivulet {
namespace {

std::vector<std::string> FiltersOf(const SubscriptionPlan& plan) {
  std::vector<std::string> filters;
  for (const MqttSubscription& s : plan.subscriptions) filters.push_back(s.filter);
  return filters;
}

using Filters = std::vector<std::string>;

}  // namespace

TEST_CASE("subscription plan: what covers the rest is enough") {
  const SubscriptionPlan plan =
      PlanSubscriptions({{"plant/#"}, {"plant/+/temp"}, {"cars/+"}}, 1, {}, {});
  CHECK(FiltersOf(plan) == Filters{"cars/+", "plant/#"});
  CHECK(plan.wanted == Filters{"cars/+", "plant/#", "plant/+/temp"});
  CHECK_FALSE(plan.wider);
  for (const MqttSubscription& s : plan.subscriptions) CHECK_FALSE(s.all_retained);
}

TEST_CASE("subscription plan: filters that overlap are joined, and more may come than is wanted") {
  const SubscriptionPlan plan = PlanSubscriptions({{"plant/+/temp"}, {"plant/north/#"}}, 2, {}, {});
  CHECK(FiltersOf(plan) == Filters{"plant/+/#"});
  CHECK(plan.subscriptions[0].qos == 2);
  CHECK(plan.wider);
}

TEST_CASE("subscription plan: a known subscription that serves somebody new is asked for what is retained") {
  const Filters former = {"plant/+/#"};
  const Filters known = {"plant/+/temp", "plant/north/#"};
  CHECK_FALSE(PlanSubscriptions({{"plant/+/temp"}, {"plant/north/#"}}, 1, former, known)
                  .subscriptions[0]
                  .all_retained);
  const SubscriptionPlan more =
      PlanSubscriptions({{"plant/+/temp"}, {"plant/north/#"}, {"plant/+/humidity"}}, 1, former, known);
  REQUIRE(FiltersOf(more) == former);
  CHECK(more.subscriptions[0].all_retained);
}

TEST_CASE("subscription plan: a new table has its rows, unless they are records too") {
  const WantedFilter table{"fleet/meta/+", true, true};
  const Filters both = {"fleet/meta/+", "cars/+"};
  const SubscriptionPlan alone = PlanSubscriptions({table, {"cars/+"}}, 1, both, both);
  CHECK(alone.renewed == Filters{"fleet/meta/+"});
  CHECK(alone.subscriptions[1].filter == "fleet/meta/+");
  CHECK(alone.subscriptions[1].all_retained);
  CHECK_FALSE(alone.subscriptions[0].all_retained);
  const SubscriptionPlan read =
      PlanSubscriptions({table, {"fleet/#"}}, 1, {"fleet/#"}, {"fleet/#", "fleet/meta/+"});
  CHECK(read.renewed.empty());
  CHECK(FiltersOf(read) == Filters{"fleet/#"});
  CHECK_FALSE(read.subscriptions[0].all_retained);
}

}  // namespace rivulet
