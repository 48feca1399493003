#include "tests/cases/trigger_model.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace rivulet {
namespace {

constexpr int64_t kHour = int64_t{3600} * 1'000'000;
constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Summer times of Berlin from 2023 to 2027: [begin, end), us.
constexpr std::pair<int64_t, int64_t> kSummers[] = {
    {1'679'792'400'000'000, 1'698'541'200'000'000}, {1'711'846'800'000'000, 1'729'990'800'000'000},
    {1'743'296'400'000'000, 1'761'440'400'000'000}, {1'774'746'000'000'000, 1'792'890'000'000'000},
    {1'806'195'600'000'000, 1'824'944'400'000'000}};

int64_t BerlinOffset(int64_t t) {
  for (const auto& [begin, end] : kSummers) {
    if (t >= begin && t < end) return 2 * kHour;
  }
  return kHour;
}

// The first instant at which the wall clock has reached `local`.
int64_t BerlinEdge(int64_t local) {
  std::vector<int64_t> candidates = {local - 2 * kHour, local - kHour};
  for (const auto& [begin, end] : kSummers) candidates.insert(candidates.end(), {begin, end});
  std::sort(candidates.begin(), candidates.end());
  for (const int64_t c : candidates) {
    if (c >= local - 2 * kHour && c + BerlinOffset(c) >= local) return c;
  }
  return local;
}

}  // namespace

std::pair<int64_t, int64_t> TriggerModel::ZoneWindow(int64_t t) const {
  // From well before: the last edge not behind t.
  int64_t local = FloorDiv(t - spec_.offset_us, spec_.size_us) * spec_.size_us + spec_.offset_us;
  local -= 2 * spec_.size_us;
  while (BerlinEdge(local + spec_.size_us) <= t) local += spec_.size_us;
  return {BerlinEdge(local), BerlinEdge(local + spec_.size_us)};
}

std::vector<std::pair<int64_t, int64_t>> TriggerModel::WindowsOf(const TriggerRecord& record) const {
  const int64_t t = record.time_us, size = spec_.size_us;
  std::vector<std::pair<int64_t, int64_t>> all;
  const auto align = [&](int64_t step) {
    return FloorDiv(t - spec_.offset_us, step) * step + spec_.offset_us;
  };
  switch (spec_.kind) {
    case TriggerSpec::Kind::kTumbling:
      if (spec_.zone) return {ZoneWindow(t)};
      return {{align(size), align(size) + size}};
    case TriggerSpec::Kind::kSliding:
      for (int64_t start = align(spec_.slide_us); start > t - size; start -= spec_.slide_us) {
        all.emplace_back(start, start + size);
      }
      std::reverse(all.begin(), all.end());
      return all;
    case TriggerSpec::Kind::kCumulate:
      for (int64_t end = align(size) + spec_.slide_us; end <= align(size) + size; end += spec_.slide_us) {
        if (end > t) all.emplace_back(align(size), end);
      }
      return all;
    case TriggerSpec::Kind::kSession:
      return {{t, t + (spec_.own_gaps ? std::min(record.gap_us, size) : size)}};
    default: return {{0, kForever}};
  }
}

void TriggerModel::Add(const TriggerRecord& record, const std::string& line) {
  ++places_;
  const Key key{record.sort_key, record.key};
  if (Over(key, std::max(record.time_us, watermark_.value_or(record.time_us)))) {
    for (Window& w : windows_[key]) {
      if (w.due && !Over(key, *w.due - 1)) Emit(key, &w, true);
    }
    windows_.erase(key);
    counted_.erase(key);
    touched_.erase(key);
  }
  const int64_t use = std::max(record.time_us, watermark_.value_or(record.time_us));
  const auto [touched, first] = touched_.emplace(key, use);
  if (!first) touched->second = std::max(touched->second, use);
  if (spec_.kind == TriggerSpec::Kind::kCount) {
    AddCount(key, record);
    return Advance(record.time_us - spec_.delay_us);
  }
  std::vector<Window>& windows = windows_[key];
  bool joined = false;
  for (const auto& [start, end] : WindowsOf(record)) {
    Window* window = nullptr;
    if (spec_.kind == TriggerSpec::Kind::kSession) {
      window = MergeSession(&windows, start, end);
    } else {
      for (Window& w : windows) {
        if (w.start == start && w.end == end) window = &w;
      }
    }
    // Windows that have expired are gone: only one that is not there can have.
    if (window == nullptr) {
      if (!global() && Reached(end + spec_.lateness_us)) continue;
      windows.push_back(Window{start, end, {}, {}, 0, 0, false, {}});
      window = &windows.back();
    }
    joined = true;
    AddTo(key, window, record);
  }
  if (!joined) late.push_back(line);
  Advance(record.time_us - spec_.delay_us);
}

bool TriggerModel::Over(const Key& key, int64_t watermark_us) const {
  const auto touched = touched_.find(key);
  return spec_.keep_us > 0 && !ending_ && touched != touched_.end() &&
         touched->second + spec_.keep_us <= watermark_us;
}

TriggerModel::Window* TriggerModel::MergeSession(std::vector<Window>* windows, int64_t start,
                                                 int64_t end) const {
  Window merged;
  merged.start = start;
  merged.end = end;
  std::vector<Window> rest;
  bool touched = false;
  // Sessions do not touch each other, so one pass finds all.
  for (Window& w : *windows) {
    if (w.end < start || w.start > end) {
      rest.push_back(std::move(w));
      continue;
    }
    touched = true;
    merged.start = std::min(merged.start, w.start);
    merged.end = std::max(merged.end, w.end);
    merged.revision = std::max(merged.revision, w.revision);
    merged.since += w.since;
    if (w.due) merged.due = std::min(merged.due.value_or(kForever), *w.due);
    merged.all.insert(merged.all.end(), w.all.begin(), w.all.end());
    merged.unseen.insert(merged.unseen.end(), w.unseen.begin(), w.unseen.end());
  }
  if (!touched) {
    *windows = std::move(rest);
    return nullptr;
  }
  *windows = std::move(rest);
  windows->push_back(std::move(merged));
  return &windows->back();
}

void TriggerModel::AddCount(const Key& key, const TriggerRecord& record) {
  std::vector<Placed>& all = counted_[key];
  all.push_back({record, places_});
  const auto total = static_cast<int64_t>(all.size());
  if (total < spec_.count || (total - spec_.count) % spec_.count_slide != 0) return;
  const std::vector<Placed> content(all.end() - static_cast<std::ptrdiff_t>(spec_.count), all.end());
  const auto by_time = [](const Placed& a, const Placed& b) {
    return a.record.time_us < b.record.time_us;
  };
  const auto [first, last] = std::minmax_element(content.begin(), content.end(), by_time);
  Show(key, first->record.time_us, last->record.time_us, content, 0, false);
}

void TriggerModel::AddTo(const Key& key, Window* window, const TriggerRecord& record) {
  window->all.push_back({record, places_});
  window->unseen.push_back({record, places_});
  ++window->since;
  window->closed = !global() && Reached(window->end);
  const bool full = spec_.records > 0 && window->since >= spec_.records;
  if (full) window->since = 0;
  if (window->closed || full || spec_.on_change) return Emit(key, window, !window->closed);
  if (spec_.interval_us == 0 || window->due) return;
  int64_t behind = window->start;
  if (global()) {
    behind = record.time_us;
    const auto& shown = spec_.discarding ? window->unseen : window->all;
    for (const Placed& p : shown) behind = std::min(behind, p.record.time_us);
  }
  if (watermark_) behind = std::max(behind, *watermark_);
  window->due = (FloorDiv(behind, spec_.interval_us) + 1) * spec_.interval_us;
}

void TriggerModel::Advance(int64_t watermark_us) {
  if (watermark_ && watermark_us <= *watermark_) return;
  watermark_ = watermark_us;
  // Time, key, window, whether early.
  std::vector<std::tuple<int64_t, Key, int64_t, bool>> events;
  for (const auto& [key, windows] : windows_) {
    for (const Window& w : windows) {
      // What is due at the very moment at which the key is over still comes.
      if (w.due && *w.due < w.end && *w.due <= watermark_us && !Over(key, *w.due - 1)) {
        events.emplace_back(*w.due, key, IdOf(w), true);
      }
      if (!w.closed && w.end <= watermark_us) events.emplace_back(w.end, key, IdOf(w), false);
    }
  }
  std::sort(events.begin(), events.end());
  for (const auto& [time, key, id, early] : events) {
    for (Window& w : windows_[key]) {
      if (IdOf(w) != id) continue;
      w.closed = !early;
      if (!early && spec_.discarding && w.unseen.empty()) continue;
      Emit(key, &w, early);
    }
  }
  std::erase_if(windows_, [&](const auto& entry) { return Over(entry.first, watermark_us); });
  if (global()) return;
  for (auto& [key, windows] : windows_) {
    std::erase_if(windows, [this](const Window& w) { return Reached(w.end + spec_.lateness_us); });
  }
}

void TriggerModel::Finish() {
  ending_ = true;
  if (global()) return Advance(kForever);
  int64_t end = watermark_.value_or(0);
  for (const auto& [key, windows] : windows_) {
    for (const Window& w : windows) end = std::max(end, w.end);
  }
  Advance(end);
}

int64_t TriggerModel::IdOf(const Window& window) const {
  return spec_.kind == TriggerSpec::Kind::kCumulate ? window.end : window.start;
}

void TriggerModel::Emit(const Key& key, Window* window, bool early) {
  const std::vector<Placed>& shown = spec_.discarding ? window->unseen : window->all;
  int64_t start = window->start, end = window->end;
  if (global()) {
    start = kForever;
    end = std::numeric_limits<int64_t>::min();
    for (const Placed& p : shown) {
      start = std::min(start, p.record.time_us);
      end = std::max(end, p.record.time_us);
    }
  }
  Show(key, start, end, shown, window->revision++, early);
  window->unseen.clear();
  window->due.reset();
}

void TriggerModel::Show(const Key& key, int64_t start, int64_t end, std::vector<Placed> records,
                        uint32_t revision, bool early) {
  std::sort(records.begin(), records.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.record.time_us, a.place) < std::tie(b.record.time_us, b.place);
  });
  int64_t total = 0;
  for (const Placed& p : records) total += p.record.value;
  const auto text = [&](size_t i) { return "\"" + records[i].record.text + "\""; };
  std::string out = "{\"k\":" + key.second;
  out += ",\"window_start\":" + std::to_string(FloorDiv(start, 1000));
  out += ",\"window_end\":" + std::to_string(FloorDiv(end, 1000));
  out += ",\"n\":" + std::to_string(records.size()) + ",\"total\":" + std::to_string(total);
  out += ",\"a\":" + text(0) + ",\"z\":" + text(records.size() - 1);
  if (revision > 0) out += ",\"revision\":" + std::to_string(revision);
  if (early) out += ",\"early\":true";
  results.push_back(out + "}");
}

}  // namespace rivulet
