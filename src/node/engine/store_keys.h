// Where everything lives in the store: the one place that knows the first bytes of rows.
//
//   c name                      catalogue: what a pipeline is known as (see catalogue.h)
//   x name                      the text a pipeline runs with
//   n                           the next free pipeline id
//   f                           filters the lane's MQTT session is subscribed to
//   d                           epoch of the notes of deliveries (see delivery_notes.h)
//   w                           filters of pipelines whose retained messages have come
//   e                           contents of messages that came of the other ones (see new_filters.h)
//   p id(2)                     position: how far a pipeline has read, W, output sequences
//   o id(2) channel(1) seq(8)   output log entries
//   k id(2) channel(1) sink     sink cursors
//   s id(2) generation(1) ...   rows of the keyed operator: windows, a pattern, a join
//   h id(2) step(4) ...         rows of the keyed steps before it
//   t id(2) table(4) ...        rows of reference tables from topics
//
// Numbers are big endian, so a pipeline's rows are one range.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"

namespace rivulet::store_keys {

inline std::string Catalogue(std::string_view pipeline) { return "c" + std::string(pipeline); }
inline std::string Text(std::string_view pipeline) { return "x" + std::string(pipeline); }
inline std::string NextId() { return "n"; }
inline std::string Filters() { return "f"; }
inline std::string NotesEpoch() { return "d"; }
inline std::string SettledFilters() { return "w"; }
inline std::string NewContents() { return "e"; }

inline std::string WithId(char table, uint16_t id) {
  std::string key(1, table);
  PutOrderedU16(&key, id);
  return key;
}
inline std::string Position(uint16_t id) { return WithId('p', id); }
inline std::string Outputs(uint16_t id, uint8_t channel) {
  return WithId('o', id) + static_cast<char>(channel);
}
inline std::string SinkCursor(uint16_t id, uint8_t channel, std::string_view sink) {
  return WithId('k', id) + static_cast<char>(channel) + std::string(sink);
}
inline std::string Operator(uint16_t id, uint8_t generation) {
  return WithId('s', id) + static_cast<char>(generation);
}

inline std::string KeyedSteps(uint16_t id) { return WithId('h', id); }
inline std::string Tables(uint16_t id) { return WithId('t', id); }

}  // namespace rivulet::store_keys
