#include "node/plan/pipeline_plan.h"

#include <limits>
#include <utility>

#include "node/plan/planner.h"

namespace rivulet {

// The decoder of the format fills a batch of its own, column after column, with the fields that are not
// of the elements.
std::unique_ptr<Decoder> SourcePlan::NewExplodeDecoder() const {
  SourcePlan outer = *this;
  outer.explode.reset();
  outer.payload_fields.clear();
  std::vector<DecodedField> outer_fields, element_fields;
  std::vector<uint32_t> columns_of;
  const auto add = [&](DecodedField* field) {
    columns_of.push_back(std::exchange(field->column, static_cast<uint32_t>(columns_of.size())));
    outer_fields.push_back(*field);
  };
  if (format == SourceSpec::Format::kValue) add(&outer.value_field);
  for (const DecodedField& f : payload_fields) {
    if (IsOfElement(f.name, *explode)) {
      element_fields.push_back(f);
    } else if (format != SourceSpec::Format::kValue) {
      outer.payload_fields.push_back(f);
      add(&outer.payload_fields.back());
    }
  }
  return rivulet::NewExplodeDecoder(outer.NewDecoder(), std::move(outer_fields),
                                    std::move(columns_of), std::move(element_fields), *explode);
}

std::unique_ptr<Decoder> SourcePlan::NewDecoder() const {
  if (explode) return NewExplodeDecoder();
  switch (format) {
    case SourceSpec::Format::kJson: return NewJsonDecoder(payload_fields);
    case SourceSpec::Format::kNdjson: return NewNdjsonDecoder(payload_fields);
    case SourceSpec::Format::kCsv: return NewCsvDecoder(payload_fields, csv);
    case SourceSpec::Format::kValue:
      return NewValueDecoder(value_field);
  }
  return nullptr;
}

// What is kept of a record has no names: those of both sides must be the same.
std::string PipelinePlan::JoinSignature() const {
  std::string text = "join " + std::to_string(static_cast<int>(join.type)) + " " +
                     std::to_string(join.lower_us) + " " + std::to_string(join.upper_us) + "\n" +
                     source.at(join.left_source).name + "\n" + source.at(join.right_source).name + "\n" +
                     std::to_string(join.left_values);
  for (const std::string& field : join_fields) text += "\n" + field;
  return text;
}

// The end of the input is the end for all.
bool SourcePlan::FollowsTime() const {
  if (brings_watermark) return false;
  for (size_t i = 0; i < sources(); ++i) {
    if (at(i).arrival_time || at(i).idle) return true;
  }
  return false;
}

int64_t SourcePlan::Brought(int64_t watermark) const {
  if (!brings_watermark || watermark == std::numeric_limits<int64_t>::max()) return watermark;
  return SaturatingSub(watermark, delay.us);
}

std::string PipelinePlan::StateSignature() const {
  std::string text;
  for (const std::string& key : key_names) text += key + "\n";
  if (selects()) return text + "select";
  if (matches()) return text + pattern.Signature();
  if (joins()) return text + JoinSignature();
  text += std::to_string(static_cast<int>(window.kind)) + " " + std::to_string(window.size_us) +
          " " + std::to_string(window.slide_us) + " " + std::to_string(window.offset_us);
  if (window.per_key.on) text += " per key";
  if (!window.keyed()) return text;
  text += " keyed " + std::to_string(window.count) + " " + std::to_string(window.count_slide) + " " +
          window.zone + (window.own_gaps ? " gaps" : "") + (window.emit.discarding ? " discarding" : "");
  if (window.calendar.months > 0) {
    text += " months " + std::to_string(window.calendar.months) + " " +
            std::to_string(window.calendar.day) + " " + std::to_string(window.calendar.first_month);
  }
  if (window.repeated_apart) text += " apart";
  if (window.filled()) text += " filled";
  return text;
}

std::unique_ptr<PipelinePlan> PlanPipeline(const PipelineSpec& spec, const PlanOptions& options,
                                           ConfigErrors* errors) {
  return Planner(spec, options, errors).Run();
}

}  // namespace rivulet
