// The parts of Planner that concern single kinds of windows.

#include <algorithm>
#include <iterator>

#include "base/units.h"
#include "node/plan/planner.h"
#include "operators/time/time_zone.h"
#include "operators/window/trigger_limits.h"

namespace rivulet {
namespace {

constexpr int64_t kMostFilled = 10'000;  // windows of a silent key; docs/limits.md

}  // namespace

// Windows without event time: of so many records, or of all time.
bool Planner::PlanUntimed(const WindowStep& step) {
  plan_->window.keep_us = step.keep.us;
  if (step.kind == WindowStep::Kind::kGlobal) return true;
  const auto fault = [&](std::string message) {
    faults_.Add(step.mark, ErrorCode::kBadWindow, std::move(message));
    return false;
  };
  if (step.count < 1 || step.count_slide < 1) return false;  // reported when it was read
  const auto count = static_cast<uint64_t>(step.count), slide = static_cast<uint64_t>(step.count_slide);
  if (slide < count && CountSlices(count, slide) > kMaxCountSlices) {
    return fault("its " + std::to_string(count) + " records in steps of " + std::to_string(slide) +
                 " are " + std::to_string(CountSlices(count, slide)) + " slices; at most " +
                 std::to_string(kMaxCountSlices) + " are kept for a key: let 'every' be larger");
  }
  plan_->window.count = count;
  plan_->window.count_slide = slide;
  return true;
}

void Planner::PlanWindowExtras(const WindowStep& step) {
  PlanGap(step);
  PlanZone(step);
  PlanEmit(step);
  PlanFill(step);
}

// Windows that know what was before them.
void Planner::PlanFill(const WindowStep& step) {
  WindowSpec& window = plan_->window;
  if (step.carry.us == 0 && step.fill == WindowStep::Fill::kNone) return;
  window.carry_us = step.carry.us;
  window.fill = static_cast<WindowSpec::Fill>(step.fill);
  // Without `fill` a window has a result when something is carried into it.
  window.keep_us = step.fill == WindowStep::Fill::kNone ? step.carry.us : step.keep.us;
  if (window.emit.any() || window.follows_clock()) {
    faults_.Add(step.mark, ErrorCode::kBadFill,
                "'carry' and 'fill' with early results ('emit'), a wall clock ('zone') or months; expected "
                "windows of one length that are put out when they close, with edges in UTC");
  }
  if (step.months == 0 && window.keep_us / step.size.us > kMostFilled) {
    faults_.Add(step.mark, ErrorCode::kBadFill,
                "a key that falls silent would have " + std::to_string(window.keep_us / step.size.us) +
                    " more windows; at most " + std::to_string(kMostFilled) + " are filled: expected '" +
                    (step.fill == WindowStep::Fill::kNone ? "carry" : "keep") + "' of at most " +
                    FormatDuration({step.size.us * kMostFilled}));
  }
}

void Planner::PlanGap(const WindowStep& step) {
  if (step.gap.text.empty()) return;
  plan_->window.own_gaps = true;
  const std::optional<expr::Program> program = Compile(step.gap);
  if (!program) return;
  const TypeMask numbers = MaskOf(Type::kInt) | MaskOf(Type::kFloat);
  if ((program->type() & numbers) == 0) {
    Fault(step.gap, ErrorCode::kWrongArgumentType,
          "the gap of a session is a number of milliseconds, '" + program->canonical() + "' is none");
    return;
  }
  if (program->column() >= 0) {
    plan_->gap_column = static_cast<uint32_t>(program->column());
    return;
  }
  const uint32_t column = scope_.Define("`gap: " + program->canonical() + "`", program->type());
  known_fields_ = scope_.fields().size();
  plan_->gap_column = column;
  plan_->arguments.AddSet(column, *program);
}

// Edges that follow a wall clock lie at the same hours of each day, or of the same day of months.
void Planner::PlanZone(const WindowStep& step) {
  if (step.months > 0) {
    plan_->window.calendar = {step.months, static_cast<int>(step.day), static_cast<int>(step.month)};
    if (step.offset >= Duration::Seconds(86'400)) {
      faults_.Add(step.mark, ErrorCode::kBadWindow,
                  "its offset is " + FormatDuration(step.offset) +
                      "; with months it is a time of day, less than 1d: 'day' is for days");
    }
  }
  if (step.zone.text.empty()) return;
  plan_->window.zone = step.zone.text;
  plan_->window.repeated_apart = step.repeated_apart;
  std::string error;
  if (!TimeZone::Find(step.zone.text, &error)) {
    Fault(step.zone, ErrorCode::kBadSettingValue, "'" + step.zone.text + "' " + error);
  }
  constexpr int64_t kHour = int64_t{3600} * 1'000'000, kDay = 24 * kHour;
  const int64_t size = step.size.us;
  if (step.months > 0) return;
  if (size % kDay == 0 || (size % kHour == 0 && kDay % size == 0)) return;
  faults_.Add(step.mark, ErrorCode::kBadWindow,
              "its length is " + FormatDuration(step.size) +
                  "; with 'zone' it must be whole days, or hours that divide a day");
}

void Planner::PlanEmit(const WindowStep& step) {
  EmitSpec& emit = plan_->window.emit;
  emit.on_change = step.emit.on_change;
  emit.records = static_cast<uint64_t>(step.emit.records);
  emit.interval_us = step.emit.interval.us;
  emit.discarding = step.emit.discarding;
  if (!emit.any() && !emit.discarding) return;
  const bool overlap = step.kind == WindowStep::Kind::kSliding || step.kind == WindowStep::Kind::kCumulate;
  if (overlap && step.slide.us > 0 && step.size.us / step.slide.us > kMaxEarlyOverlap) {
    faults_.Add(step.mark, ErrorCode::kBadWindow,
                "more than " + std::to_string(kMaxEarlyOverlap) +
                    " windows overlap; with early results or 'mode: discarding' each record is added to all "
                    "of them");
  }
  if (!emit.any()) return;
  constexpr std::string_view kEarly = "early";
  const auto taken = [&](const MarkedText& name) {
    if (name.text != kEarly) return;
    Fault(name, ErrorCode::kNameTaken, "'early' is the name of a field that early results have");
  };
  for (const auto& [name, text] : step.aggregates) taken(name);
  for (const Step& other : spec_.steps) {
    if (const auto* key = std::get_if<KeyStep>(&other.what)) {
      std::for_each(key->fields.begin(), key->fields.end(), taken);
    }
    if (const auto* set = std::get_if<SetStep>(&other.what)) {
      for (const auto& [name, text] : set->assignments) taken(name);
    }
  }
}

}  // namespace rivulet
