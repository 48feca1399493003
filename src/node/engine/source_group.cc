#include "node/engine/source_group.h"

#include <algorithm>

namespace rivulet {
namespace {

// Text that is equal for sources that decode alike.
std::string Signature(const SourceSpec& s) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += part + "\n"; };
  const auto add_list = [&text](const std::vector<std::string>& parts) {
    for (const std::string& part : parts) text += std::to_string(part.size()) + ":" + part;
    text += "\n";
  };
  add(s.name.text);
  add(s.pipeline.text);
  for (const MarkedText& topic : s.topics) add(topic.text);
  add(std::to_string(static_cast<int>(s.format)) + s.csv.delimiter);
  for (const std::string& column : s.csv.columns) add(column);
  add(s.value_field.text);
  for (const FieldDeclaration& f : s.fields) {
    add(f.name.text + std::to_string(static_cast<int>(f.type)) + (f.required ? "!" : "") +
        (f.bad_is_null ? *f.bad_is_null ? "null" : "dead" : ""));
    if (f.nulls) add_list(*f.nulls);
  }
  add_list(s.nulls);
  add(s.bad_is_null ? "null" : "dead");
  const TimeSpec& t = s.time;
  add(t.arrival ? "arrival" : t.field.text);
  for (const MarkedText* part : {&t.value, &t.format, &t.zone}) add_list({part->text});
  add(std::to_string(static_cast<int>(t.unit)) + " " + std::to_string(t.delay.us) + " " +
      std::to_string(t.max_ahead.us) + " " + std::to_string(t.idle ? t.idle->us : -1));
  return text;
}

}  // namespace

std::string SourceGroup::Key(const Pipeline& pipeline) {
  const PipelinePlan& plan = pipeline.plan();
  const std::optional<ExplodeOptions>& explode = plan.source.explode;
  std::string key = Signature(plan.spec.source);
  for (const SourceSpec& other : plan.spec.others) key += Signature(other);
  key += explode ? explode->field + "\n" + explode->as + "\n" : "\n";
  key += pipeline.tables().empty() ? "\n" : pipeline.name() + "\n";
  key += std::to_string(pipeline.offset()) + " " + std::to_string(pipeline.watermark());
  for (const ChannelState& input : pipeline.inputs()) {
    key += " " + std::to_string(input.watermark) + " " + std::to_string(input.heard) +
           (input.counts ? "" : " idle");
  }
  key += " " + std::to_string(pipeline.listening().now) + " " + std::to_string(pipeline.listening().resumed);
  return key;
}

SourceGroup::SourceGroup(std::vector<Pipeline*> members, uint32_t slots)
    : members_(std::move(members)), slots_(slots) {
  const SourcePlan& first = members_.front()->plan().source;
  plan_.others.resize(first.others.size());
  for (size_t i = 0; i < first.sources(); ++i) CopySettings(first.at(i), &plan_.at(i));
  for (const Pipeline* member : members_) TakeMember(member->plan().source);
  for (size_t i = 0; i < first.sources(); ++i) {
    if (first.at(i).arrival_time) continue;
    const auto shared = [&](uint32_t own) {
      const auto& map = maps_.front();
      const auto pair =
          std::find_if(map.begin(), map.end(), [own](const auto& p) { return p.second == own; });
      return pair == map.end() ? 0 : pair->first;
    };
    plan_.at(i).time_column = shared(first.at(i).time_column);
    if (first.at(i).start_column) plan_.at(i).start_column = shared(*first.at(i).start_column);
    if (!plan_.at(i).computed_time) continue;
    for (uint32_t& input : plan_.at(i).computed_time->inputs) input = shared(input);
  }
  task_ = std::make_unique<SourceTask>(&plan_, slots, members_.front()->watermark());
  task_->SetTableFaults(&members_.front()->tables().faults());
  task_->RestoreChannels(members_.front()->inputs(), members_.front()->listening());
}

// What members have in common.
void SourceGroup::CopySettings(const SourcePlan& from, SourcePlan* to) {
  to->name = from.name;
  to->pipeline = from.pipeline;
  to->brings_watermark = from.brings_watermark;
  to->topics = from.topics;
  to->format = from.format;
  to->csv = from.csv;
  to->explode = from.explode;
  to->arrival_time = from.arrival_time;
  to->computed_time = from.computed_time;
  to->time = from.time;
  to->delay = from.delay;
  to->idle = from.idle;
  to->max_ahead = from.max_ahead;
}

// Adds what the member needs to the plan. Equal names are one column, in all its sources.
void SourceGroup::TakeMember(const SourcePlan& member) {
  ColumnMap map;
  const auto column_of = [&](const std::string& name, uint32_t own) {
    const auto known = std::find(columns_.begin(), columns_.end(), name);
    const auto column = static_cast<uint32_t>(known - columns_.begin());
    if (known == columns_.end()) columns_.push_back(name);
    plan_.columns = static_cast<uint32_t>(columns_.size());
    const std::pair<uint32_t, uint32_t> pair{column, own};
    if (std::find(map.begin(), map.end(), pair) == map.end()) map.push_back(pair);
    return column;
  };
  for (size_t i = 0; i < member.sources(); ++i) {
    const SourcePlan& from = member.at(i);
    SourcePlan& to = plan_.at(i);
    const auto has = [](const auto& fields, const std::string& name) {
      return std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; });
    };
    for (const TopicField& f : from.topic_fields) {
      const uint32_t column = column_of(f.name, f.column);
      if (!has(to.topic_fields, f.name)) to.topic_fields.push_back({f.name, column});
    }
    for (const DecodedField& f : from.payload_fields) {
      const uint32_t column = column_of(f.name, f.column);
      const auto known = std::find_if(to.payload_fields.begin(), to.payload_fields.end(),
                                      [&f](const DecodedField& k) { return k.name == f.name; });
      if (known == to.payload_fields.end()) {
        to.payload_fields.push_back(f);
        to.payload_fields.back().column = column;
      } else if (known->presence) {  // the value says that as well
        *known = f;
        known->column = column;
      }
    }
    if (from.format == SourceSpec::Format::kValue) {
      to.value_field = from.value_field;
      to.value_field.column = column_of(from.value_field.name, from.value_field.column);
    }
  }
  if (member.several()) plan_.name_column = column_of("source", member.name_column);
  maps_.push_back(std::move(map));
}

Status SourceGroup::Turn(std::span<const InputMessage> messages, uint64_t next_offset,
                         TaskRunner* runner, const std::function<bool(const Pipeline&)>& waits) {
  for (Pipeline* member : members_) member->ApplyTables(messages);
  const size_t share = (messages.size() + slots_ - 1) / slots_;
  runner->Run(slots_, [&](uint32_t i) {
    const size_t begin = std::min(messages.size(), i * share);
    task_->Decode(i, messages.subspan(begin, std::min(share, messages.size() - begin)));
  });
  // What one pipeline reads must never be a fault of another.
  if (members_.size() > 1 && task_->UndeclaredFault()) return TurnApart(messages, next_offset, runner, waits);
  task_->Combine();
  for (size_t m = 0; m < members_.size(); ++m) {
    if (waits(*members_[m])) continue;
    RIVULET_RETURN_IF_ERROR(members_[m]->SharedTurn(task_.get(), maps_[m], next_offset, runner));
  }
  return Status::Ok();
}

Status SourceGroup::TurnApart(std::span<const InputMessage> messages, uint64_t next_offset,
                              TaskRunner* runner, const std::function<bool(const Pipeline&)>& waits) {
  apart_ = true;
  for (Pipeline* member : members_) {
    if (waits(*member)) continue;
    // Whatever the group takes matches each member: this is for it to know which source's it is.
    for (const InputMessage& m : messages) (void)member->source().Matches(m.topic_id, m.topic);
    RIVULET_RETURN_IF_ERROR(member->Turn(messages, next_offset, runner));
  }
  return Status::Ok();
}

void SourceGroup::Skip(uint64_t next_offset) {
  for (Pipeline* member : members_) member->SkipTo(next_offset);
}

}  // namespace rivulet
