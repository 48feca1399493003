// FillModel: what windows with `carry` and `fill` must put out, computed the slowest and plainest way: no
// record is forgotten, and each result is computed from all of them. Shares no code with the operators but
// the order of keys and the spelling of JSON numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rivulet {

struct FillSpec {
  enum class Fill { kNone, kNull, kLast, kZero } fill = Fill::kNone;
  // All in seconds.
  int64_t size = 0, offset = 0, lateness = 0, delay = 0, carry = 0, keep = 0;
  bool per_key = false;
  int64_t hold = 0;
};

struct FillRecord {
  int64_t time = 0;               // s
  std::string key, sort_key;      // as in results; what orders keys
  std::optional<int64_t> value;   // field v
};

class FillModel {
 public:
  explicit FillModel(const FillSpec& spec) : spec_(spec) {}
  void Add(const FillRecord& record, const std::string& line);
  void Punctuate(int64_t watermark) { Advance(watermark); }
  void Finish();

  std::vector<std::string> results;
  std::vector<std::string> late;  // lines as given

 private:
  using Key = std::pair<std::string, std::string>;  // sort key, key
  using Records = std::vector<FillRecord>;          // of a key, by time, of equal ones by arrival
  using Outputs = std::vector<std::optional<double>>;

  int64_t StartOf(int64_t t) const;
  std::optional<int64_t> Effective(const Key& key) const;
  bool Exists(const Records& records, int64_t start, bool records_only) const;
  std::optional<FillRecord> Carried(const Records& records, int64_t border) const;
  Outputs Compute(const Records& records, int64_t start) const;
  void Emit(const Key& key, int64_t start);
  void JoinClosed(const Key& key, const Records& before, int64_t start, int64_t watermark);
  void Advance(int64_t watermark);
  void MoveClock(const Key& key, int64_t time);
  // Ends of a key's windows with results that end behind `from` and up to `to`.
  std::vector<int64_t> Ends(const Key& key, std::optional<int64_t> from, int64_t to, bool records_only) const;

  FillSpec spec_;
  std::optional<int64_t> watermark_;  // less the hold
  std::map<Key, int64_t> clocks_;
  std::map<Key, Records> records_;
  std::map<std::pair<Key, int64_t>, uint32_t> revisions_;  // of the next result, by start
};

}  // namespace rivulet
