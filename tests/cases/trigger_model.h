// TriggerModel: what windows with early results, of so many records, of all time, with gaps or a time
// zone of their own must put out, computed the slowest and plainest way: every window keeps its records,
// and every rule is applied to one record after the other. Shares no code with the operators but the
// order of keys.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rivulet {

struct TriggerSpec {
  enum class Kind { kTumbling, kSliding, kSession, kCumulate, kCount, kGlobal } kind = Kind::kTumbling;
  int64_t size_us = 0, slide_us = 0, offset_us = 0, lateness_us = 0, delay_us = 0;
  int64_t count = 0, count_slide = 0;
  bool own_gaps = false;     // size_us is the longest
  bool zone = false;         // Europe/Berlin, from 2023 to 2027
  bool on_change = false, discarding = false;
  size_t records = 0;
  int64_t interval_us = 0;
  int64_t keep_us = 0;       // count, global; 0: for ever
};

struct TriggerRecord {
  int64_t time_us = 0;
  int64_t gap_us = 0;
  std::string key, sort_key;  // as in results; what orders keys
  int64_t value = 0;
  std::string text;
};

class TriggerModel {
 public:
  explicit TriggerModel(const TriggerSpec& spec) : spec_(spec) {}

  void Add(const TriggerRecord& record, const std::string& line);
  void Punctuate(int64_t watermark_us) { Advance(watermark_us); }
  void Finish();

  std::vector<std::string> results;
  std::vector<std::string> late;     // lines as given

 private:
  struct Placed {
    TriggerRecord record;
    size_t place;                    // in the input
  };
  struct Window {
    int64_t start = 0, end = 0;
    std::vector<Placed> all, unseen;  // unseen: that no result has shown
    size_t since = 0;                // records since the last result by number
    uint32_t revision = 0;           // of the next result
    bool closed = false;
    std::optional<int64_t> due;
  };
  using Key = std::pair<std::string, std::string>;  // sort key, key

  bool global() const { return spec_.kind == TriggerSpec::Kind::kGlobal; }
  std::vector<std::pair<int64_t, int64_t>> WindowsOf(const TriggerRecord& record) const;
  std::pair<int64_t, int64_t> ZoneWindow(int64_t t) const;
  Window* MergeSession(std::vector<Window>* windows, int64_t start, int64_t end) const;
  // W has passed the key's last use by `keep`.
  bool Over(const Key& key, int64_t watermark_us) const;
  void AddCount(const Key& key, const TriggerRecord& record);
  void AddTo(const Key& key, Window* window, const TriggerRecord& record);
  void Advance(int64_t watermark_us);
  bool Reached(int64_t time) const { return watermark_ && time <= *watermark_; }
  int64_t IdOf(const Window& window) const;
  void Emit(const Key& key, Window* window, bool early);
  void Show(const Key& key, int64_t start, int64_t end, std::vector<Placed> records,
            uint32_t revision, bool early);

  TriggerSpec spec_;
  std::optional<int64_t> watermark_;
  std::map<Key, std::vector<Window>> windows_;
  std::map<Key, std::vector<Placed>> counted_;
  std::map<Key, int64_t> touched_;  // last use
  bool ending_ = false;
  size_t places_ = 0;
};

}  // namespace rivulet
