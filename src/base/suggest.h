// "did you mean ...": the nearest valid name to one that is not.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rivulet {

// The candidate with the smallest Damerau-Levenshtein distance (optimal string alignment, case
// folded), or "" when none is near: more than a third of the name's length (at least 1) away.
// Ties go to the first in `candidates`.
std::string NearestName(std::string_view name, std::span<const std::string> candidates);

// " (did you mean 'x'?)" or "", to be appended to a message.
std::string DidYouMean(std::string_view name, std::span<const std::string> candidates);

}  // namespace rivulet
