#include "operators/window/pane_layout.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"

namespace rivulet {
std::string PaneLayouts::Describe(const AggregatePlan& plan) {
  std::string text;
  for (const AccumulatorSlot& slot : plan.slots()) text += slot.signature + "\n";
  return text;
}

PaneLayouts::PaneLayouts(const AggregatePlan* plan, std::vector<std::string> previous)
    : plan_(plan), descriptions_(std::move(previous)) {
  const std::string current = Describe(*plan);
  if (descriptions_.empty() || descriptions_.back() != current) descriptions_.push_back(current);
  sources_.resize(descriptions_.size());
  for (size_t i = 0; i + 1 < descriptions_.size(); ++i) sources_[i] = ParseLayout(descriptions_[i]);
}

std::vector<PaneLayouts::Source> PaneLayouts::ParseLayout(const std::string& description) const {
  std::vector<Source> sources;
  std::string_view rest = description;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const std::optional<AccumulatorSpec> spec = ParseAccumulator(line.substr(0, line.find('(')));
    if (!spec) return {};
    Source source{NewAccumulator(*spec), -1};
    if (source.accumulator == nullptr) return {};
    for (size_t s = 0; s < plan_->slots().size(); ++s) {
      const bool taken = std::any_of(sources.begin(), sources.end(), [s](const Source& o) {
        return o.slot == static_cast<int32_t>(s);
      });
      if (!taken && plan_->slots()[s].signature == line) source.slot = static_cast<int32_t>(s);
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

void PaneLayouts::Encode(uint32_t revision, const char* block, std::string* out) const {
  PutVarint(out, descriptions_.size() - 1);
  PutVarint(out, revision);
  plan_->Encode(block, out);
}

Status PaneLayouts::Decode(std::string_view row, uint32_t* revision, char* block) const {
  const Status corrupt(ErrorCode::kCorrupt, "a stored window pane cannot be read");
  uint64_t layout = 0, number = 0;
  if (!GetVarint(&row, &layout) || !GetVarint(&row, &number) || layout >= descriptions_.size()) {
    return corrupt;
  }
  *revision = static_cast<uint32_t>(number);
  if (layout + 1 == descriptions_.size()) {
    if (!plan_->Decode(&row, block)) return corrupt;
    if (row.empty()) return Status::Ok();
    plan_->Destroy(block);
    return corrupt;
  }
  const std::vector<Source>& sources = sources_[layout];
  if (sources.empty()) return corrupt;
  plan_->Init(block);
  std::vector<int64_t> discarded;
  for (const Source& source : sources) {
    const Accumulator& accumulator = *source.accumulator;
    if (source.slot < 0) discarded.resize(std::max(discarded.size(), accumulator.size() / 8 + 1));
    char* state = source.slot >= 0 ? block + plan_->slots()[static_cast<size_t>(source.slot)].offset
                                   : reinterpret_cast<char*>(discarded.data());
    const bool ok = accumulator.Decode(&row, state);
    if (source.slot < 0) accumulator.Destroy(state);
    if (!ok) {
      plan_->Destroy(block);
      return corrupt;
    }
  }
  if (row.empty()) return Status::Ok();
  plan_->Destroy(block);
  return corrupt;
}

}  // namespace rivulet
