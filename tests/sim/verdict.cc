#include "sim/verdict.h"

#include <map>

namespace rivulet::sim {
namespace {

std::string Show(const PublishedResult& r) {
  return r.topic + " " + r.payload + " id " + r.id + " qos " + std::to_string(r.qos) +
         (r.retain ? " retained" : "");
}

}  // namespace

std::string CompareStream(const std::string& stream, const std::vector<PublishedResult>& published,
                          const std::vector<PublishedResult>& expected) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!places.emplace(expected[i].id, i).second) {
      return stream + ": the reference gives one id twice: " + Show(expected[i]);
    }
  }
  size_t next = 0;      // what may come next without a gap
  size_t furthest = 0;  // everything before has come
  for (const PublishedResult& r : published) {
    const auto it = places.find(r.id);
    if (it == places.end()) return stream + ": not expected: " + Show(r);
    const size_t place = it->second;
    if (r != expected[place]) {
      return stream + ": other bytes for the same id\n  came     " + Show(r) + "\n  expected " +
             Show(expected[place]);
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

}  // namespace rivulet::sim
