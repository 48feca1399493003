#include "tests/cases/fill_model.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/json_writer.h"

namespace rivulet {

int64_t FillModel::StartOf(int64_t t) const {
  const int64_t from = t - spec_.offset;
  return from - ((from % spec_.size) + spec_.size) % spec_.size + spec_.offset;
}

std::optional<int64_t> FillModel::Effective(const Key& key) const {
  const auto clock = clocks_.find(key);
  if (clock == clocks_.end()) return watermark_;
  return watermark_ ? std::max(*watermark_, clock->second) : clock->second;
}

bool FillModel::Exists(const Records& records, int64_t start, bool records_only) const {
  bool inside = false;
  std::optional<int64_t> last;
  for (const FillRecord& r : records) {
    inside = inside || (r.time >= start && r.time < start + spec_.size);
    if (r.time < start) last = r.time;
  }
  const int64_t keep = spec_.fill == FillSpec::Fill::kNone ? spec_.carry : spec_.keep;
  return inside || (!records_only && last && start - *last <= keep);
}

// The key's last reading before a border, when it counts there.
std::optional<FillRecord> FillModel::Carried(const Records& records, int64_t border) const {
  std::optional<FillRecord> last;
  for (const FillRecord& r : records) {
    if (r.time < border && r.value) last = r;
  }
  if (!last || spec_.carry == 0 || border - last->time > spec_.carry) return std::nullopt;
  last->time = border;
  return last;
}

// n, total, held, mean, up.
FillModel::Outputs FillModel::Compute(const Records& records, int64_t start) const {
  const int64_t end = start + spec_.size;
  Records readings;
  double n = 0;
  std::optional<double> total;
  if (const auto first = Carried(records, start)) readings.push_back(*first);
  for (const FillRecord& r : records) {
    if (r.time < start || r.time >= end) continue;
    ++n;
    if (!r.value) continue;
    total = total.value_or(0) + static_cast<double>(*r.value);
    readings.push_back(r);
  }
  if (const auto last = Carried(records, end)) readings.push_back(*last);
  if (readings.empty()) return {n, total, {}, {}, {}};
  double held = 0, up = 0;
  for (size_t i = 1; i < readings.size(); ++i) {
    const auto from = static_cast<double>(*readings[i - 1].value);
    const auto to = static_cast<double>(*readings[i].value);
    held += from * static_cast<double>(readings[i].time - readings[i - 1].time);
    up += to >= from ? to - from : to;
  }
  const auto seconds = static_cast<double>(readings.back().time - readings.front().time);
  return {n, total, held, seconds > 0 ? held / seconds : static_cast<double>(*readings.back().value), up};
}

void FillModel::Emit(const Key& key, int64_t start) {
  const Records& records = records_[key];
  Outputs outputs = Compute(records, start);
  if (!Exists(records, start, true)) {
    Outputs fallback(outputs.size());
    if (spec_.fill == FillSpec::Fill::kZero) fallback.assign(outputs.size(), 0);
    std::optional<int64_t> source;
    for (const FillRecord& r : records) {
      if (r.time < start) source = StartOf(r.time);
    }
    if (spec_.fill == FillSpec::Fill::kLast && source) fallback = Compute(records, *source);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i]) outputs[i] = fallback[i];
    }
  }
  static const char* const kNames[] = {"n", "total", "held", "mean", "up"};
  std::string out = "{\"k\":" + key.second + ",\"window_start\":" + std::to_string(start * 1000) +
                    ",\"window_end\":" + std::to_string((start + spec_.size) * 1000);
  for (size_t i = 0; i < outputs.size(); ++i) {
    out += std::string(",\"") + kNames[i] + "\":";
    if (outputs[i]) {
      AppendJsonFloat(&out, *outputs[i]);
    } else {
      out += "null";
    }
  }
  const uint32_t revision = revisions_[{key, start}]++;
  if (revision > 0) out += ",\"revision\":" + std::to_string(revision);
  results.push_back(out + "}");
}

void FillModel::Add(const FillRecord& record, const std::string& line) {
  const Key key{record.sort_key, record.key};
  const int64_t start = StartOf(record.time), end = start + spec_.size;
  const std::optional<int64_t> watermark = Effective(key);
  if (watermark && end + spec_.lateness <= *watermark) {
    late.push_back(line);
  } else {
    Records& records = records_[key];
    const Records before = records;
    const auto place = std::upper_bound(records.begin(), records.end(), record.time,
                                        [](int64_t t, const FillRecord& r) { return t < r.time; });
    records.insert(place, record);
    if (watermark && end <= *watermark) JoinClosed(key, before, start, *watermark);
  }
  if (spec_.per_key) MoveClock(key, record.time - spec_.delay);
  Advance(record.time - spec_.delay);
}

// The record is in a window that has closed: what later ones took from before them may be another thing now.
void FillModel::JoinClosed(const Key& key, const Records& before, int64_t start, int64_t watermark) {
  Emit(key, start);
  std::set<int64_t> revised{start};
  const auto point = [](const std::optional<FillRecord>& r) {
    return r ? std::optional<std::pair<int64_t, int64_t>>({r->time, *r->value}) : std::nullopt;
  };
  for (const int64_t end : Ends(key, start + spec_.size, watermark, false)) {
    const Records& after = records_[key];
    const int64_t from = end - spec_.size;
    bool changed = !Exists(before, from, false);
    // The reading itself, not only what it is at the border: an older one may have the same value.
    const auto taken = [&](const Records& records) {
      std::optional<FillRecord> last;
      for (const FillRecord& r : records) {
        if (r.time < from && r.value) last = r;
      }
      return Carried(records, from) ? last : std::nullopt;
    };
    changed = changed || point(taken(before)) != point(taken(after));
    if (spec_.fill == FillSpec::Fill::kLast && !Exists(after, from, true)) {
      int64_t source = 0;
      for (const FillRecord& r : after) {
        if (r.time < from) source = StartOf(r.time);
      }
      changed = changed || revised.count(source) > 0;
    }
    if (!changed) continue;
    revised.insert(from);
    Emit(key, from);
  }
}

std::vector<int64_t> FillModel::Ends(const Key& key, std::optional<int64_t> from, int64_t to,
                                     bool records_only) const {
  std::vector<int64_t> ends;
  const auto found = records_.find(key);
  if (found == records_.end() || found->second.empty()) return ends;
  const Records& records = found->second;
  int64_t start = StartOf(records.front().time);
  if (from) start = std::max(start, StartOf(*from));
  const int64_t last = records.back().time + spec_.keep + spec_.carry + spec_.size;
  for (; start + spec_.size <= to && start <= last; start += spec_.size) {
    const int64_t end = start + spec_.size;
    if ((!from || end > *from) && Exists(records, start, records_only)) ends.push_back(end);
  }
  return ends;
}

void FillModel::MoveClock(const Key& key, int64_t time) {
  const std::optional<int64_t> before = Effective(key);
  if (before && time <= *before) return;
  for (const int64_t end : Ends(key, before, time, false)) Emit(key, end - spec_.size);
  clocks_[key] = time;
}

void FillModel::Advance(int64_t watermark) {
  const int64_t held = watermark - spec_.hold;
  if (watermark_ && held <= *watermark_) return;
  std::vector<std::pair<int64_t, Key>> closing;
  for (const auto& [key, records] : records_) {
    for (const int64_t end : Ends(key, Effective(key), held, false)) closing.emplace_back(end, key);
  }
  std::sort(closing.begin(), closing.end());
  for (const auto& [end, key] : closing) Emit(key, end - spec_.size);
  watermark_ = held;
}

void FillModel::Finish() {
  std::vector<std::pair<int64_t, Key>> closing;
  for (const auto& [key, records] : records_) {
    const int64_t to = std::numeric_limits<int64_t>::max() / 4;
    for (const int64_t end : Ends(key, Effective(key), to, true)) closing.emplace_back(end, key);
  }
  std::sort(closing.begin(), closing.end());
  for (const auto& [end, key] : closing) Emit(key, end - spec_.size);
}

}  // namespace rivulet
