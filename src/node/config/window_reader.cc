#include "node/config/window_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "base/units.h"

namespace rivulet {
namespace {

using Kind = WindowStep::Kind;

constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"tumbling", Kind::kTumbling}, {"sliding", Kind::kSliding}, {"session", Kind::kSession},
    {"cumulate", Kind::kCumulate}, {"count", Kind::kCount},     {"global", Kind::kGlobal}};
constexpr std::string_view kKindNames = "tumbling, sliding, session, cumulate, count, global";
constexpr int64_t kMostMonths = 120;
constexpr int64_t kMostRecords = 1'000'000'000;
// Results say where windows begin and end in ms: shorter ones could not be told apart.
constexpr Duration kShortest = Duration::Millis(1);
// Ten years, as the longest window.
constexpr Duration kLongestKeep = Duration::Seconds(10ll * 366 * 86'400);

void ReadSession(const Setting& setting, Faults* faults, WindowStep* step) {
  if (!setting.node->is_map()) {
    TakeDuration(setting, kShortest, kMaxDuration, &step->size, faults);
    return;
  }
  const SettingReader reader(*setting.node, settings::kSession, faults);
  constexpr std::string_view kGap = "an expression for the gap in milliseconds, such as hold * 1000";
  if (reader.Require("gap", kGap)) reader.Text("gap", kGap, &step->gap);
  if (reader.Require("max", "the longest gap, such as max: 30m")) {
    reader.DurationOf("max", kShortest, kMaxDuration, &step->size);
  }
}

// "1 month", "2 quarters", "1 year". None when it is something else.
std::optional<int64_t> ParseMonths(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"month", 1}, {"quarter", 3}, {"year", 12}};
  const char* end = text.data() + text.size();
  int64_t count = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count < 1 || count > kMostMonths) return std::nullopt;
  std::string_view unit(stop, static_cast<size_t>(end - stop));
  if (!unit.starts_with(' ')) return std::nullopt;
  unit.remove_prefix(1);
  if (unit.ends_with('s')) unit.remove_suffix(1);
  for (const auto& [name, months] : kUnits) {
    if (unit == name && count * months <= kMostMonths) return count * months;
  }
  return std::nullopt;
}

// A duration, or so many months of the calendar.
void ReadTumbling(const Setting& setting, Faults* faults, WindowStep* step) {
  constexpr std::string_view kWords[] = {"month", "quarter", "year"};
  const std::string_view text =
      setting.node->is_scalar() ? std::string_view(setting.node->scalar.text) : std::string_view();
  const bool calendar = std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
  if (!calendar) {
    TakeDuration(setting, kShortest, kMaxDuration, &step->size, faults);
    return;
  }
  const std::optional<int64_t> months = ParseMonths(text);
  if (!months) {
    faults->Add(setting.mark(), ErrorCode::kBadSettingValue,
                setting.label + " is " + QuoteForMessage(text) +
                    "; expected a duration, or a length such as 1 month, 1 quarter or 1 year, ten "
                    "years at most");
    return;
  }
  step->months = *months;
  step->size = Duration::Seconds(*months * 30 * 86'400);
}

void ReadGlobal(const Setting& setting, Faults* faults) {
  bool on = true;
  if (TakeBool(setting, &on, faults) && !on) {
    faults->Add(setting.mark(), ErrorCode::kBadSettingValue,
                "'global' in 'window' is false; expected true, or another kind of window");
  }
}

// Takes the setting that names the window's kind. False when there is none.
bool ReadKind(const SettingReader& reader, Faults* faults, WindowStep* step) {
  int found = 0;
  for (const auto& [name, kind] : kKinds) {
    const std::optional<Setting> setting = reader.Find(name);
    if (!setting) continue;
    if (++found > 1) {
      faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                  "'window' has two kinds; expected only one of: " + std::string(kKindNames));
      continue;
    }
    step->kind = kind;
    switch (kind) {
      case Kind::kSession: ReadSession(*setting, faults, step); break;
      case Kind::kCount: TakeInt(*setting, 1, kMostRecords, &step->count, faults); break;
      case Kind::kGlobal: ReadGlobal(*setting, faults); break;
      case Kind::kTumbling: ReadTumbling(*setting, faults, step); break;
      default: TakeDuration(*setting, kShortest, kMaxDuration, &step->size, faults);
    }
  }
  if (found == 0) {
    reader.Missing("tumbling", "tumbling, sliding, session or cumulate with a duration, count with a "
                               "number, or global");
  }
  return found > 0;
}

void ReadSlide(const SettingReader& reader, Faults* faults, WindowStep* step) {
  const std::optional<Setting> every = reader.Find("every");
  const bool needed = step->kind == Kind::kSliding || step->kind == Kind::kCumulate;
  if (step->kind == Kind::kCount) {
    step->count_slide = step->count;
    if (every) TakeInt(*every, 1, std::max<int64_t>(1, step->count), &step->count_slide, faults);
    return;
  }
  if (!needed) {
    if (every) {
      faults->Add(every->name_mark, ErrorCode::kBadSettingValue,
                  "'every' in 'window' has no meaning here; expected it only with 'sliding', "
                  "'cumulate' or 'count'");
    }
    return;
  }
  if (!every) {
    reader.Missing("every", step->kind == Kind::kSliding
                                ? "how far the window slides, such as every: 10s"
                                : "how much the window grows each time, such as every: 10m");
    return;
  }
  const Duration max = step->size.us > 0 ? step->size : kMaxDuration;
  TakeDuration(*every, kShortest, max, &step->slide, faults);
}

// `every 1s`, `every 100 records`, `on change`, `on close`. False when it is none of them.
bool ParseEmit(std::string_view text, EmitSetting* emit) {
  std::array<std::string_view, 3> words;
  size_t count = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) {
      if (count == words.size()) return false;
      words[count++] = text.substr(0, end);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (count == 2 && words[0] == "on" && words[1] == "change") return emit->on_change = true;
  if (count == 2 && words[0] == "on" && words[1] == "close") return true;
  if (count < 2 || words[0] != "every") return false;
  if (count == 2) {
    const Result<Duration> interval = ParseDuration(words[1]);
    if (!interval.ok() || interval->us <= 0 || *interval > kMaxDuration || emit->interval.us > 0) {
      return false;
    }
    emit->interval = *interval;
    return true;
  }
  const char* end = words[1].data() + words[1].size();
  int64_t records = 0;
  const auto [stop, error] = std::from_chars(words[1].data(), end, records);
  const bool unit = words[2] == "records" || (words[2] == "record" && records == 1);
  if (error != std::errc() || stop != end || !unit || records < 1 || records > kMostRecords ||
      emit->records > 0) {
    return false;
  }
  emit->records = records;
  return true;
}

void ReadEmit(const SettingReader& reader, Faults* faults, WindowStep* step) {
  constexpr std::string_view kExpected = "on close, on change, every 1s or every 100 records";
  EmitSetting& emit = step->emit;
  if (const std::optional<Setting> setting = reader.Find("emit")) {
    emit.given = true;
    TakeOneOrMore(
        *setting, kExpected,
        [&](const Setting& item) {
          MarkedText text;
          if (!TakeText(item, kExpected, &text, faults) || ParseEmit(text.text, &emit)) return;
          faults->Add(text.mark, ErrorCode::kBadSettingValue,
                      item.label + " is " + QuoteForMessage(text.text) + "; expected " +
                          std::string(kExpected) + ", each at most once");
        },
        faults);
  }
  const std::optional<Setting> mode = reader.Find("mode");
  if (!mode) return;
  reader.Choice("mode", {"accumulating", "discarding"}, {false, true}, &emit.discarding);
  if (!emit.given) {
    faults->Add(mode->name_mark, ErrorCode::kBadSettingValue,
                "'mode' in 'window' has no meaning without 'emit', which says when early results come");
  }
}

void ReadFill(const SettingReader& reader, WindowStep* step) {
  using Fill = WindowStep::Fill;
  const std::optional<Setting> setting = reader.Find("fill");
  // To YAML the word null is no text.
  if (setting && setting->node->is_null() && !setting->node->scalar.text.empty()) {
    step->fill = Fill::kNull;
    return;
  }
  reader.Choice("fill", {"null", "last", "0"}, {Fill::kNull, Fill::kLast, Fill::kZero}, &step->fill);
}

// Settings that the window's kind leaves without a meaning.
void CheckMeaning(const SettingReader& reader, Faults* faults, const WindowStep& step) {
  const auto refuse = [&](std::string_view name, std::string_view why) {
    const std::optional<Setting> setting = reader.Find(name);
    if (!setting) return;
    faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                "'" + std::string(name) + "' in 'window' has no meaning " + std::string(why));
  };
  if (step.kind == Kind::kSession) refuse("offset", "for sessions, which begin with a record");
  if (step.kind == Kind::kCount) {
    refuse("offset", "for windows of so many records");
    refuse("lateness", "for windows of so many records: they go by arrival, and nothing is late");
    refuse("emit", "for windows of so many records, which are put out when they are full");
  }
  if (step.kind == Kind::kGlobal) {
    refuse("offset", "for a window that is all time");
    refuse("lateness", "for a window that is all time: nothing is late");
    if (!step.emit.given) {
      reader.Missing("emit", "when a window that never ends is put out, such as emit: every 1m");
    }
  }
  if (step.kind != Kind::kCount && step.kind != Kind::kGlobal && !reader.Find("fill")) {
    refuse("keep",
           "here, where windows end by themselves; expected it only with 'count', 'global' or 'fill'");
  }
  if (step.kind != Kind::kTumbling) {
    refuse("carry", "here; expected it only with 'tumbling', whose windows follow one another");
    refuse("fill", "here; expected it only with 'tumbling', whose windows follow one another");
  } else if (reader.Find("fill") && !reader.Find("keep")) {
    reader.Missing("keep", "for how long after its last record a key's windows are filled, such as keep: 1d");
  }
  if (step.kind != Kind::kTumbling) refuse("zone", "here; expected it only with 'tumbling'");
  if (step.months == 0) refuse("day", "here; expected it only with windows of months, quarters or years");
  if (step.months < 2) refuse("month", "here; expected it only with windows of quarters or years");
  if (step.zone.text.empty() || step.months > 0 || step.size >= Duration::Seconds(86'400)) {
    refuse("repeated_hour", "here; expected it only with 'zone' and windows shorter than a day");
  }
}

}  // namespace

void ReadWindowSettings(const SettingReader& reader, Faults* faults, WindowStep* step) {
  if (!ReadKind(reader, faults, step)) return;
  ReadSlide(reader, faults, step);
  reader.DurationOf("lateness", Duration{}, kMaxDuration, &step->lateness);
  reader.DurationOf("offset", Duration{}, kMaxDuration, &step->offset);
  reader.Text("zone", "a time zone such as Europe/Berlin", &step->zone);
  reader.DurationOf("keep", kOneMicro, kLongestKeep, &step->keep);
  reader.Int("day", 1, 31, &step->day);
  reader.Int("month", 1, 12, &step->month);
  reader.Choice("repeated_hour", {"together", "apart"}, {false, true}, &step->repeated_apart);
  reader.DurationOf("carry", kOneMicro, kLongestKeep, &step->carry);
  ReadFill(reader, step);
  ReadEmit(reader, faults, step);
  CheckMeaning(reader, faults, *step);
}

}  // namespace rivulet
