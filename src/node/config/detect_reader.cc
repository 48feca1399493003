#include "node/config/detect_reader.h"

#include <algorithm>
#include <span>
#include <string>

namespace rivulet {
namespace {

using Kind = DetectStep::Kind;

// What each kind can have besides name and pass.
struct KindSettings {
  std::string_view name;
  Kind kind;
  std::string_view expected;
  std::string_view limit;             // a further expression
  std::span<const std::string_view> others;
};

constexpr std::string_view kFor[] = {"for"};
constexpr std::string_view kForOver[] = {"for", "over"};
constexpr std::string_view kBelonging[] = {"until", "for", "by", "score", "over"};

constexpr KindSettings kKinds[] = {
    {"when", Kind::kWhen, "a condition such as coolant > 110", "until", kFor},
    {"change", Kind::kChange, "an expression such as speed", "by", {}},
    {"stuck", Kind::kStuck, "an expression such as level", "", kFor},
    {"gap", Kind::kGap, "", "", {}},
    {"anomaly", Kind::kAnomaly, "an expression such as vibration", "score", kForOver},
};

const KindSettings* FindKind(const SettingReader& reader) {
  return FindOnlyKind(reader, kKinds,
                      "'detect' has two kinds; expected only one of: when, change, stuck, gap, anomaly",
                      "when, change, stuck, gap or anomaly");
}

// Settings that another kind has.
void CheckBelonging(const SettingReader& reader, const KindSettings& kind, Faults* faults) {
  for (const std::string_view name : kBelonging) {
    const std::optional<Setting> setting = reader.Find(name);
    const auto others = kind.others;
    if (!setting || name == kind.limit ||
        std::find(others.begin(), others.end(), name) != others.end()) {
      continue;
    }
    faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                "'" + std::string(name) + "' in 'detect' has no meaning with '" +
                    std::string(kind.name) + "'");
  }
}

}  // namespace

DetectStep ReadDetect(const Setting& setting, Faults* faults) {
  DetectStep step;
  step.mark = setting.mark();
  const SettingReader reader(*setting.node, settings::kDetect, faults);
  if (!reader.usable()) return step;
  if (reader.Require("name", "the name of the field that says it, such as name: overheated")) {
    reader.Text("name", "a field's name", &step.name);
  }
  reader.Choice<bool>("pass", {"changes", "all"}, {false, true}, &step.all);
  const KindSettings* kind = FindKind(reader);
  if (kind == nullptr) return step;
  step.kind = kind->kind;
  CheckBelonging(reader, *kind, faults);
  if (step.kind == Kind::kGap) {
    reader.DurationOf("gap", kOneMicro, kMaxDuration, &step.hold);
    return step;
  }
  reader.Text(kind->name, kind->expected, &step.of);
  if (!kind->limit.empty()) reader.Text(kind->limit, "an expression", &step.limit);
  reader.DurationOf("for", Duration{}, kMaxDuration, &step.hold);
  if (step.kind == Kind::kStuck) reader.Require("for", "for how long, such as for: 5m");
  reader.Int("over", 2, 1'000'000, &step.over);
  return step;
}

}  // namespace rivulet
