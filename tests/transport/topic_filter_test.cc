#include "transport/topic_filter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "transport/topic.h"

namespace rivulet {
namespace {

// All topics of at most three levels over a small alphabet, with the reserved '$' and an empty level.
std::vector<std::string> AllTopics() {
  const std::vector<std::string> levels = {"a", "b", "", "$s"};
  std::vector<std::string> topics, last = {""};
  for (int depth = 0; depth < 3; ++depth) {
    std::vector<std::string> next;
    for (const std::string& prefix : last) {
      for (const std::string& level : levels) {
        next.push_back(depth == 0 ? level : prefix + "/" + level);
      }
    }
    topics.insert(topics.end(), next.begin(), next.end());
    last = std::move(next);
  }
  std::erase(topics, "");
  return topics;
}

std::string SomeFilter(Random* random) {
  const char* levels[] = {"a", "b", "+", "", "$s"};
  std::string filter;
  const uint64_t count = 1 + random->Below(3);
  for (uint64_t i = 0; i < count; ++i) {
    if (i > 0) filter += "/";
    if (i + 1 == count && random->Chance(0.3)) {
      filter += "#";
    } else {
      filter += levels[random->Below(std::size(levels))];
    }
  }
  return filter.empty() ? "+" : filter;
}

std::vector<bool> Matches(const std::string& filter, const std::vector<std::string>& topics) {
  const Result<TopicPattern> pattern = TopicPattern::Parse(filter);
  REQUIRE(pattern.ok());
  std::vector<bool> matches;
  std::vector<std::string_view> captures;
  for (const std::string& topic : topics) matches.push_back(pattern->Match(topic, &captures));
  return matches;
}

}  // namespace

TEST_CASE("topic filters: what the algebra says is what matching topics shows") {
  const std::vector<std::string> topics = AllTopics();
  Random random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string a = SomeFilter(&random), b = SomeFilter(&random);
    CAPTURE(a);
    CAPTURE(b);
    const std::vector<bool> in_a = Matches(a, topics), in_b = Matches(b, topics);
    bool shared = false, all = true;
    for (size_t k = 0; k < topics.size(); ++k) {
      shared = shared || (in_a[k] && in_b[k]);
      all = all && (in_a[k] || !in_b[k]);
    }
    CHECK(FiltersOverlap(a, b) == shared);
    // Covering is about topics of any length: what shows in three levels is necessary for it.
    if (FilterCovers(a, b)) CHECK(all);
    if (!shared) continue;
    const std::string join = JoinFilters(a, b);
    CHECK(FilterCovers(join, a));
    CHECK(FilterCovers(join, b));
  }
}

TEST_CASE("topic filters: disjoint ones match all, and no topic twice") {
  const std::vector<std::string> topics = AllTopics();
  Random random(8);
  for (int i = 0; i < 500; ++i) {
    std::vector<std::string> filters;
    for (uint64_t n = 1 + random.Below(6); n > 0; --n) filters.push_back(SomeFilter(&random));
    const std::vector<std::string> disjoint = DisjointFilters(filters);
    std::vector<int> times(topics.size(), 0);
    for (const std::string& filter : disjoint) {
      const std::vector<bool> in = Matches(filter, topics);
      for (size_t k = 0; k < topics.size(); ++k) times[k] += in[k];
    }
    for (const std::string& filter : filters) {
      CAPTURE(filter);
      const std::vector<bool> in = Matches(filter, topics);
      for (size_t k = 0; k < topics.size(); ++k) {
        CHECK(times[k] <= 1);
        if (in[k]) CHECK(times[k] == 1);
      }
    }
    std::reverse(filters.begin(), filters.end());
    CHECK(DisjointFilters(filters) == disjoint);
  }
}

TEST_CASE("topic filters: by example") {
  CHECK(FilterCovers("plant/#", "plant/+/temp"));
  CHECK(FilterCovers("plant/#", "plant"));
  CHECK_FALSE(FilterCovers("#", "$SYS/broker/load"));
  CHECK_FALSE(FilterCovers("plant/+", "plant/#"));
  CHECK_FALSE(FiltersOverlap("plant/+/temp", "plant/+/mean"));
  CHECK(JoinFilters("plant/+/temp", "plant/north/#") == "plant/+/#");
  CHECK(JoinFilters("a/b", "a/+") == "a/+");
  CHECK(DisjointFilters({"plant/#", "plant/+/temp", "cars/+"}) ==
        std::vector<std::string>{"cars/+", "plant/#"});
}

}  // namespace rivulet
