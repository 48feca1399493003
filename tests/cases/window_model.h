// WindowModel: what a window step must put out, computed the slowest and plainest way: every window keeps
// its records, and every rule of event time is applied to one record after the other. Shares no code with
// the operators but the order of keys and the spelling of JSON numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/value.h"

namespace rivulet {

struct ModelSpec {
  enum class Kind { kTumbling, kSliding, kSession } kind = Kind::kTumbling;
  int64_t size_us = 0, slide_us = 0, offset_us = 0, lateness_us = 0, delay_us = 0;
  bool per_key = false;
  int64_t hold_us = 0;
};

struct ModelRecord {
  int64_t time_us = 0;
  std::string key;           // as in results
  std::string sort_key;      // what orders keys
  Value number;              // field v: null, int or float
  std::optional<std::string> text;  // field s
};

class WindowModel {
 public:
  explicit WindowModel(const ModelSpec& spec) : spec_(spec) {}

  void Add(const ModelRecord& record, const std::string& line);
  // A record that a step behind the key took out, or whose aggregates found it at fault.
  void Pass(const ModelRecord& record);
  // A record at fault whose time was good: it moves the watermark all the same.
  void Refuse(int64_t time_us) { Advance(time_us - spec_.delay_us); }
  void Punctuate(int64_t watermark_us) { Advance(watermark_us); }
  void Finish();

  std::vector<std::string> results;
  std::vector<std::string> late;     // lines as given

 private:
  struct Window {
    int64_t start = 0, end = 0;
    std::vector<std::pair<ModelRecord, size_t>> records;  // with their place in the input
    uint32_t revision = 0;     // of the next emission
    bool emitted = false;      // as it is now
  };
  using Key = std::pair<std::string, std::string>;  // sort key, key

  std::vector<std::pair<int64_t, int64_t>> WindowsOf(int64_t t) const;
  void AddAligned(const ModelRecord& record, const std::string& line);
  void AddSession(const ModelRecord& record, const std::string& line);
  void Advance(int64_t watermark_us);
  void MoveClock(const Key& key, int64_t time_us);
  void Close(const Key* only, int64_t watermark_us);
  void Emit(const Key& key, Window* window);
  // The watermark that holds for a key; none before anything is known.
  std::optional<int64_t> Effective(const Key& key) const;
  bool Expired(const Key& key, int64_t end) const;

  ModelSpec spec_;
  std::optional<int64_t> watermark_;  // none before the first record; less the hold
  std::map<Key, int64_t> clocks_;
  std::map<Key, std::vector<Window>> windows_;
  size_t records_ = 0;
};

}  // namespace rivulet
