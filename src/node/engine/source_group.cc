#include "node/engine/source_group.h"

#include <algorithm>

namespace rivulet {
namespace {

// Text that is equal for sources that decode alike.
std::string Signature(const SourceSpec& s) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += part + "\n"; };
  for (const MarkedText& topic : s.topics) add(topic.text);
  add(std::to_string(static_cast<int>(s.format)) + s.csv.delimiter);
  for (const std::string& column : s.csv.columns) add(column);
  add(s.value_field.text);
  for (const FieldDeclaration& f : s.fields) {
    add(f.name.text + std::to_string(static_cast<int>(f.type)) + (f.required ? "!" : ""));
  }
  const TimeSpec& t = s.time;
  add(t.arrival ? "arrival" : t.field.text);
  add(std::to_string(static_cast<int>(t.unit)) + " " + std::to_string(t.delay.us) + " " +
      std::to_string(t.max_ahead.us) + " " + std::to_string(t.idle ? t.idle->us : -1));
  return text;
}

}  // namespace

std::string SourceGroup::Key(const Pipeline& pipeline) {
  const std::optional<ExplodeOptions>& explode = pipeline.plan().source.explode;
  const std::string exploded = explode ? explode->field + "\n" + explode->as + "\n" : "\n";
  const std::string alone = pipeline.tables().empty() ? "\n" : pipeline.name() + "\n";
  return Signature(pipeline.plan().spec.source) + exploded + alone +
         std::to_string(pipeline.offset()) + " " +
         std::to_string(pipeline.watermark());
}

SourceGroup::SourceGroup(std::vector<Pipeline*> members, uint32_t slots)
    : members_(std::move(members)), slots_(slots) {
  const SourcePlan& first = members_.front()->plan().source;
  plan_.topics = first.topics;
  plan_.format = first.format;
  plan_.csv = first.csv;
  plan_.explode = first.explode;
  plan_.arrival_time = first.arrival_time;
  plan_.time_unit = first.time_unit;
  plan_.delay = first.delay;
  plan_.idle = first.idle;
  plan_.max_ahead = first.max_ahead;
  for (const Pipeline* member : members_) {
    const SourcePlan& source = member->plan().source;
    ColumnMap map;
    for (const TopicField& f : source.topic_fields) {
      auto known = std::find_if(plan_.topic_fields.begin(), plan_.topic_fields.end(),
                                [&f](const TopicField& k) { return k.name == f.name; });
      if (known == plan_.topic_fields.end()) {
        known = plan_.topic_fields.insert(known, {f.name, plan_.columns++});
      }
      map.emplace_back(known->column, f.column);
    }
    for (const DecodedField& f : source.payload_fields) {
      auto known = std::find_if(plan_.payload_fields.begin(), plan_.payload_fields.end(),
                                [&f](const DecodedField& k) { return k.name == f.name; });
      if (known == plan_.payload_fields.end()) {
        known = plan_.payload_fields.insert(known, f);
        known->column = plan_.columns++;
      }
      map.emplace_back(known->column, f.column);
    }
    if (source.format == SourceSpec::Format::kValue) {
      if (plan_.value_field.name.empty()) {
        plan_.value_field = source.value_field;
        plan_.value_field.column = plan_.columns++;
      }
      map.emplace_back(plan_.value_field.column, source.value_field.column);
    }
    if (member == members_.front() && !source.arrival_time) {
      const auto time = std::find_if(map.begin(), map.end(), [&source](const auto& pair) {
        return pair.second == source.time_column;
      });
      plan_.time_column = time == map.end() ? 0 : time->first;
    }
    maps_.push_back(std::move(map));
  }
  task_ = std::make_unique<SourceTask>(&plan_, slots, members_.front()->watermark());
  task_->SetTableFaults(&members_.front()->tables().faults());
}

Status SourceGroup::Turn(std::span<const InputMessage> messages, uint64_t next_offset,
                         TaskRunner* runner) {
  for (Pipeline* member : members_) member->ApplyTables(messages);
  const size_t share = (messages.size() + slots_ - 1) / slots_;
  runner->Run(slots_, [&](uint32_t i) {
    const size_t begin = std::min(messages.size(), i * share);
    task_->Decode(i, messages.subspan(begin, std::min(share, messages.size() - begin)));
  });
  task_->Combine();
  for (size_t m = 0; m < members_.size(); ++m) {
    RIVULET_RETURN_IF_ERROR(members_[m]->SharedTurn(task_.get(), maps_[m], next_offset, runner));
  }
  return Status::Ok();
}

void SourceGroup::Skip(uint64_t next_offset) {
  for (Pipeline* member : members_) member->SkipTo(next_offset);
}

}  // namespace rivulet
