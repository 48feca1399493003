// The algebra of MQTT topic filters: which topics two of them share, and one that has those of both.
//
// A broker may send a message once for each subscription that matches it (MQTT 5 section 3.3.4; some do so
// with 3.1.1 too). A session whose filters share no topic gets each message once from every broker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rivulet {

// Filters are valid ones, as TopicPattern::filter() gives them; a topic is a filter without wildcards.

// Whether `wide` matches every topic that `narrow` does.
bool FilterCovers(std::string_view wide, std::string_view narrow);

// Whether some topic matches both.
bool FiltersOverlap(std::string_view a, std::string_view b);

// The narrowest filter that covers both of two that overlap.
std::string JoinFilters(std::string_view a, std::string_view b);

// Filters that share no topic and match all that `filters` do: those that others cover are left out, those
// that overlap otherwise are joined. Such a join can match more than its parts. Sorted; depends on the set
// alone.
std::vector<std::string> DisjointFilters(std::vector<std::string> filters);

}  // namespace rivulet
