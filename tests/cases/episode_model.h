// What a detector with `for` says of a stream of records: looked at key by key and record by record.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace rivulet {

inline constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

struct KeyedRecord {
  std::string key;
  int64_t time = 0;
  int64_t watermark = kNoTime;         // just before it
  std::optional<int64_t> id, value;
  std::string line;
};

// What `select` makes of a record.
inline std::string Line(const KeyedRecord& r, const std::string& fields) {
  const std::string ms = std::to_string(r.time);
  return "{\"k\":\"" + r.key + "\",\"window_start\":" + ms + ",\"window_end\":" + ms + fields + "}";
}

inline std::string Field(const char* name, const std::optional<int64_t>& value) {
  return std::string(",\"") + name + "\":" + (value ? std::to_string(*value) : "null");
}

struct Said {
  bool truth = false;
  std::optional<int64_t> since;
  bool changed = false;
};

inline std::string Fields(const char* name, const Said& said) {
  return std::string(",\"") + name + "\":" + (said.truth ? "true" : "false") +
         Field((std::string(name) + "_since").c_str(), said.since);
}

// An episode as it goes on from record to record; the times at which it begins by itself are the caller's.
class Episode {
 public:
  virtual ~Episode() = default;
  // What a record that moves it makes it say.
  virtual Said Take(const KeyedRecord& r, int64_t hold) = 0;
  // Since when its condition has been true without having been so for long enough.
  virtual std::optional<int64_t> waits_since() const = 0;
  virtual void Begin() = 0;
  Said stands() const { return {begin_.has_value(), begin_, false}; }

 protected:
  std::optional<int64_t> begin_;
};

// when v > 5, until v < 3
class Hot final : public Episode {
 public:
  Said Take(const KeyedRecord& r, int64_t hold) override {
    if (!r.value) return stands();
    if (begin_) {
      if (*r.value >= 3) return stands();
      const Said said{false, begin_, true};
      begin_.reset();
      from_.reset();
      return said;
    }
    if (*r.value <= 5) from_.reset();
    if (*r.value > 5 && !from_) from_ = r.time;
    if (!from_ || r.time - *from_ < hold) return {};
    Begin();
    return {true, begin_, true};
  }
  std::optional<int64_t> waits_since() const override { return begin_ ? std::nullopt : from_; }
  void Begin() override { begin_ = from_; }

 private:
  std::optional<int64_t> from_;
};

// stuck: id
class Still final : public Episode {
 public:
  Said Take(const KeyedRecord& r, int64_t hold) override {
    if (!r.id) return stands();
    if (r.id != value_) {
      const Said said{false, begin_, begin_.has_value()};
      value_ = r.id;
      since_ = r.time;
      begin_.reset();
      return said;
    }
    if (begin_ || r.time - *since_ < hold) return stands();
    Begin();
    return {true, begin_, true};
  }
  std::optional<int64_t> waits_since() const override { return begin_ ? std::nullopt : since_; }
  void Begin() override { begin_ = since_; }

 private:
  std::optional<int64_t> value_, since_;
};

// Something a detector lets through, and its place: by W, then by the record that has caused it; what W has
// caused comes behind all records that met no more.
struct Passed {
  int64_t watermark;
  size_t position;
  std::string key;
  int64_t time;
  std::string line;
  auto place() const { return std::tie(watermark, position, key, time); }
};
inline constexpr size_t kByWatermark = std::numeric_limits<size_t>::max();

// A detector with `for`: what it says of each record, and what it lets through.
template <typename OneEpisode>
class EpisodeModel {
 public:
  EpisodeModel(const char* name, int64_t hold, int64_t keep) : name_(name), hold_(hold), keep_(keep) {}

  Said Take(const KeyedRecord& r, size_t position) {
    Key& key = keys_[r.key];
    if (key.waits && (r.watermark > key.wake || r.time > Due(key))) {
      const bool by_watermark = r.watermark > key.wake;
      Ring(&key, by_watermark ? key.wake : r.watermark, by_watermark ? kByWatermark : position);
    }
    if (key.touched != kNoTime && std::max(r.time, r.watermark) >= key.touched + keep_) key = Key();
    const bool moves = key.touched == kNoTime || r.time >= key.last.time;
    key.touched = std::max({key.touched, r.time, r.watermark});
    if (!moves) return key.episode.stands();
    const Said said = key.episode.Take(r, hold_);
    key.last = r;
    key.waits = key.episode.waits_since().has_value();
    if (key.waits) {
      key.wake = Due(key) + (r.watermark == kNoTime ? 0 : std::max<int64_t>(0, r.watermark - r.time));
      key.waits = key.wake < key.touched + keep_;
    }
    if (said.changed) passed_.push_back({r.watermark, position, r.key, r.time, LineOf(r, said)});
    return said;
  }
  // The input ends.
  std::vector<std::string> Finish() {
    for (auto& [name, key] : keys_) {
      if (key.waits) Ring(&key, key.wake, kByWatermark);
    }
    std::stable_sort(passed_.begin(), passed_.end(),
                     [](const Passed& a, const Passed& b) { return a.place() < b.place(); });
    std::vector<std::string> lines;
    for (const Passed& p : passed_) lines.push_back(p.line);
    return lines;
  }

 private:
  struct Key {
    OneEpisode episode;
    KeyedRecord last;
    int64_t touched = kNoTime, wake = 0;
    bool waits = false;
  };
  int64_t Due(const Key& key) const { return *key.episode.waits_since() + hold_; }
  std::string LineOf(const KeyedRecord& r, const Said& said) const {
    return Line(r, Field("v", r.value) + Fields(name_, said));
  }
  // The last record once more.
  void Ring(Key* key, int64_t watermark, size_t position) {
    KeyedRecord again = key->last;
    // Later than due, where it was not known whether the key would be remembered so long.
    again.time = std::max(Due(*key), again.time);
    key->episode.Begin();
    key->waits = false;
    Said said = key->episode.stands();
    said.changed = true;
    passed_.push_back({watermark, position, again.key, again.time, LineOf(again, said)});
  }

  const char* name_;
  int64_t hold_, keep_;
  std::map<std::string, Key> keys_;
  std::vector<Passed> passed_;
};

}  // namespace rivulet
