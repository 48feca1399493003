#include "tests/cases/window_model.h"

#include <algorithm>
#include <limits>

#include "base/json_writer.h"

namespace rivulet {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// A number of the model: ints and quarters only, so that sums are exact in any order.
std::string Number(double v) {
  std::string out;
  AppendJsonFloat(&out, v);
  return out;
}

}  // namespace

std::optional<int64_t> WindowModel::Effective(const Key& key) const {
  const auto clock = clocks_.find(key);
  if (clock == clocks_.end()) return watermark_;
  return watermark_ ? std::max(*watermark_, clock->second) : clock->second;
}

bool WindowModel::Expired(const Key& key, int64_t end) const {
  const std::optional<int64_t> w = Effective(key);
  return w && end + spec_.lateness_us <= *w;
}

std::vector<std::pair<int64_t, int64_t>> WindowModel::WindowsOf(int64_t t) const {
  std::vector<std::pair<int64_t, int64_t>> all;
  const int64_t slide = spec_.kind == ModelSpec::Kind::kSliding ? spec_.slide_us : spec_.size_us;
  const int64_t last = FloorDiv(t - spec_.offset_us, slide) * slide + spec_.offset_us;
  for (int64_t start = last; start > t - spec_.size_us; start -= slide) {
    all.emplace_back(start, start + spec_.size_us);
  }
  std::reverse(all.begin(), all.end());
  return all;
}

void WindowModel::Add(const ModelRecord& record, const std::string& line) {
  ++records_;
  if (spec_.kind == ModelSpec::Kind::kSession) {
    AddSession(record, line);
  } else {
    AddAligned(record, line);
  }
  Pass(record);
}

void WindowModel::Pass(const ModelRecord& record) {
  if (spec_.per_key) MoveClock({record.sort_key, record.key}, record.time_us - spec_.delay_us);
  Advance(record.time_us - spec_.delay_us);
}

void WindowModel::MoveClock(const Key& key, int64_t time_us) {
  const std::optional<int64_t> before = Effective(key);
  if (before && time_us <= *before) return;
  clocks_[key] = time_us;
  Close(&key, time_us);
}

void WindowModel::AddAligned(const ModelRecord& record, const std::string& line) {
  const Key key{record.sort_key, record.key};
  std::vector<Window>& windows = windows_[key];
  bool joined = false;
  for (const auto& [start, end] : WindowsOf(record.time_us)) {
    if (Expired(key, end)) continue;
    joined = true;
    auto it = std::find_if(windows.begin(), windows.end(),
                           [s = start](const Window& w) { return w.start == s; });
    if (it == windows.end()) {
      windows.push_back({start, end, {}, 0, false});
      it = windows.end() - 1;
    }
    it->records.emplace_back(record, records_);
    it->emitted = false;
    const std::optional<int64_t> w = Effective(key);
    if (w && end <= *w) Emit(key, &*it);
  }
  if (!joined) late.push_back(line);
}

void WindowModel::AddSession(const ModelRecord& record, const std::string& line) {
  const Key key{record.sort_key, record.key};
  std::vector<Window>& windows = windows_[key];
  Window merged{record.time_us, record.time_us + spec_.size_us, {{record, records_}}, 0, false};
  std::vector<Window> rest;
  // What the record's window touches, directly or through others, becomes one with it. Windows do not
  // touch each other, so one pass finds all.
  for (Window& w : windows) {
    if (w.end < record.time_us || w.start > record.time_us + spec_.size_us) {
      rest.push_back(std::move(w));
      continue;
    }
    merged.start = std::min(merged.start, w.start);
    merged.end = std::max(merged.end, w.end);
    merged.revision = std::max(merged.revision, w.revision);
    merged.records.insert(merged.records.end(), w.records.begin(), w.records.end());
  }
  windows = std::move(rest);
  if (Expired(key, merged.end)) {  // then it touched none: those that are left have not expired
    late.push_back(line);
    return;
  }
  windows.push_back(std::move(merged));
  const std::optional<int64_t> w = Effective(key);
  if (w && windows.back().end <= *w) Emit(key, &windows.back());
}

void WindowModel::Advance(int64_t watermark_us) {
  const int64_t held = watermark_us - spec_.hold_us;
  if (watermark_ && held <= *watermark_) return;
  watermark_ = held;
  Close(nullptr, held);
}

// Windows of one key, or of all.
void WindowModel::Close(const Key* only, int64_t watermark_us) {
  std::vector<std::tuple<int64_t, Key, int64_t>> closing;  // end, key, start
  for (const auto& [key, windows] : windows_) {
    if (only != nullptr && key != *only) continue;
    for (const Window& w : windows) {
      if (!w.emitted && w.end <= watermark_us) closing.emplace_back(w.end, key, w.start);
    }
  }
  std::sort(closing.begin(), closing.end());
  for (const auto& [end, key, start] : closing) {
    for (Window& w : windows_[key]) {
      if (w.start == start && w.end == end) Emit(key, &w);
    }
  }
  for (auto& [key, windows] : windows_) {
    std::erase_if(windows, [&](const Window& w) { return Expired(key, w.end); });
  }
}

void WindowModel::Finish() {
  int64_t end = std::numeric_limits<int64_t>::min();
  for (const auto& [key, windows] : windows_) {
    for (const Window& w : windows) end = std::max(end, w.end);
  }
  Advance(end + spec_.hold_us);
}

void WindowModel::Emit(const Key& key, Window* window) {
  std::sort(window->records.begin(), window->records.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.time_us, a.second) < std::tie(b.first.time_us, b.second);
  });
  size_t numbers = 0, above = 0;
  double sum = 0, low = 0, high = 0;
  std::optional<std::string> first, last, least;
  for (const auto& [record, place] : window->records) {
    if (record.text) {
      if (!first) first = record.text;
      last = record.text;
      if (!least || *record.text < *least) least = record.text;
    }
    if (record.number.is_null()) continue;
    const double v = record.number.AsFloat();
    sum += v;
    low = numbers == 0 ? v : std::min(low, v);
    high = numbers == 0 ? v : std::max(high, v);
    above += v > 10 ? 1 : 0;
    ++numbers;
  }
  const auto number = [numbers](double v) { return numbers == 0 ? "null" : Number(v); };
  const auto text = [](const std::optional<std::string>& s) { return s ? "\"" + *s + "\"" : "null"; };
  std::string out = "{\"k\":" + key.second;
  out += ",\"window_start\":" + std::to_string(FloorDiv(window->start, 1000));
  out += ",\"window_end\":" + std::to_string(FloorDiv(window->end, 1000));
  out += ",\"n\":" + std::to_string(window->records.size()) + ",\"total\":" + number(sum);
  out += ",\"mean\":" + number(sum / static_cast<double>(numbers)) + ",\"low\":" + number(low);
  out += ",\"high\":" + number(high) + ",\"a\":" + text(first) + ",\"z\":" + text(last);
  out += ",\"least\":" + text(least) + ",\"above\":" + std::to_string(above);
  if (window->revision > 0) out += ",\"revision\":" + std::to_string(window->revision);
  results.push_back(out + "}");
  ++window->revision;
  window->emitted = true;
}

}  // namespace rivulet
