#include "node/config/stream_join_reader.h"

#include <set>

#include "base/units.h"

namespace rivulet {
namespace {

// Longest interval either way: as long as windows.
constexpr Duration kLongest{int64_t{10} * 366 * 24 * 3600 * 1'000'000};
constexpr std::string_view kWithin =
    "a duration such as 10s, or the bounds of right time less left time such as [-10s, 5s]";

// A duration that may be negative.
bool TakeBound(const Setting& setting, Duration* out, Faults* faults) {
  const bool minus = setting.node->is_scalar() && setting.node->scalar.text.starts_with("-");
  if (!minus) return TakeDuration(setting, Duration{}, kLongest, out, faults);
  YamlNode positive = *setting.node;
  positive.scalar.text.erase(0, 1);
  const Setting rest{&positive, setting.label, setting.name_mark};
  if (!TakeDuration(rest, Duration{}, kLongest, out, faults)) return false;
  out->us = -out->us;
  return true;
}

void ReadWithin(const Setting& setting, Faults* faults, StreamJoinStep* step) {
  if (!setting.node->is_list()) {
    if (TakeDuration(setting, Duration{}, kLongest, &step->upper, faults)) {
      step->lower = Duration{-step->upper.us};
    }
    return;
  }
  const std::vector<YamlNode>& items = setting.node->items;
  if (items.size() != 2) {
    faults->Add(setting.mark(), ErrorCode::kBadSettingValue,
                setting.label + " has " + std::to_string(items.size()) + " bounds; expected " +
                    std::string(kWithin));
    return;
  }
  const bool lower = TakeBound({&items[0], "the first bound of " + setting.label, items[0].mark()},
                               &step->lower, faults);
  const bool upper = TakeBound({&items[1], "the second bound of " + setting.label, items[1].mark()},
                               &step->upper, faults);
  if (!lower || !upper || step->lower <= step->upper) return;
  faults->Add(setting.mark(), ErrorCode::kBadSettingValue,
              setting.label + " goes from " + FormatDuration(step->lower) + " to " +
                  FormatDuration(step->upper) + "; expected the smaller bound first");
}

}  // namespace

StreamJoinStep ReadStreamJoin(const Setting& setting, Faults* faults) {
  StreamJoinStep step;
  step.mark = setting.mark();
  const SettingReader reader(*setting.node, settings::kStreamJoin, faults);
  if (!reader.usable()) return step;
  constexpr std::string_view kSide = "the name of a source";
  for (const auto& [name, side] : {std::pair{"left", &step.left}, {"right", &step.right}}) {
    if (const auto given = reader.Require(name, kSide)) TakeText(*given, kSide, side, faults);
  }
  if (const auto on = reader.Find("on")) {
    constexpr std::string_view kOn = "a field that both sides have, or a list of them";
    std::set<std::string> seen;
    const auto take = [&](const Setting& item) {
      MarkedText field;
      if (!TakeText(item, kOn, &field, faults)) return;
      if (!seen.insert(field.text).second) {
        faults->Add(field.mark, ErrorCode::kDuplicateSetting,
                    QuoteForMessage(field.text) + " in 'on' was already given; remove one");
        return;
      }
      step.on.push_back(std::move(field));
    };
    TakeOneOrMore(*on, kOn, take, faults);
  }
  if (const auto within = reader.Require("within", kWithin)) ReadWithin(*within, faults, &step);
  using Kind = StreamJoinStep::Type;
  reader.Choice<Kind>("type", {"inner", "left", "full"}, {Kind::kInner, Kind::kLeft, Kind::kFull},
                      &step.type);
  return step;
}

}  // namespace rivulet
