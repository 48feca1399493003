#include "sim/verdict.h"

#include <algorithm>
#include <map>

namespace rivulet::sim {
namespace {

std::string Show(const PublishedResult& r) {
  return r.topic + " " + r.payload + " id " + r.id + " qos " + std::to_string(r.qos) +
         (r.retain ? " retained" : "");
}

// Where a result stands: at `next` if it can, otherwise the last place before, otherwise the first
// behind. At least one of `places` has its bytes, or the answer is `none`.
size_t FindPlace(const PublishedResult& r, const std::vector<PublishedResult>& expected,
                 const std::vector<size_t>& places, size_t next, size_t none) {
  size_t found = none;
  for (const size_t place : places) {
    if (r == expected[place] && (found == none || place <= next)) found = place;
  }
  return found;
}

}  // namespace

std::string CompareStream(const std::string& stream, const std::vector<PublishedResult>& published,
                          const std::vector<PublishedResult>& expected, bool edited) {
  std::map<std::string, std::vector<size_t>> places;
  for (size_t i = 0; i < expected.size(); ++i) {
    std::vector<size_t>& same = places[expected[i].id];
    same.push_back(i);
    if (same.size() > 1 && !edited) {
      return stream + ": the reference gives one id twice: " + Show(expected[i]);
    }
  }
  size_t next = 0;      // what may come next without a gap
  size_t furthest = 0;  // everything before has come
  for (const PublishedResult& r : published) {
    const auto it = places.find(r.id);
    if (it == places.end()) return stream + ": not expected: " + Show(r);
    const size_t place = FindPlace(r, expected, it->second, next, expected.size());
    if (place == expected.size()) {
      return stream + ": other bytes for the same id\n  came     " + Show(r) + "\n  expected " +
             Show(expected[it->second.front()]);
    }
    if (place > next || place > furthest) {
      return stream + ": out of order, number " + std::to_string(place) + " where " +
             std::to_string(next) + " was due: " + Show(r);
    }
    next = place + 1;
    furthest = std::max(furthest, next);
  }
  if (furthest < expected.size()) {
    return stream + ": " + std::to_string(expected.size() - furthest) + " of " +
           std::to_string(expected.size()) + " missing, the first: " + Show(expected[furthest]);
  }
  return "";
}

std::string CompareFile(const std::string& name, const std::string& content,
                        const std::vector<PublishedResult>& expected) {
  size_t at = 0, line = 0;
  for (const PublishedResult& r : expected) {
    if (content.compare(at, r.payload.size() + 1, r.payload + "\n") != 0) {
      return name + ": line " + std::to_string(line + 1) + " of " + std::to_string(expected.size()) +
             " is other than expected\n  came     " +
             content.substr(at, content.find('\n', at) - at) + "\n  expected " + r.payload;
    }
    at += r.payload.size() + 1;
    ++line;
  }
  if (at == content.size()) return "";
  return name + ": not expected: " + content.substr(at);
}

}  // namespace rivulet::sim
