// Planning of the step `explode`, which is part of the source: see operators/decode/explode_decoder.h.
#include <algorithm>

#include "base/suggest.h"
#include "node/plan/planner.h"

namespace rivulet {

void Planner::PlanExplode(const ExplodeStep& step, SourceMark mark) {
  if (several()) {
    faults_.Add(mark, ErrorCode::kUnsupportedYet,
                "'explode' with several sources; take the array apart in a pipeline of its own");
    return;
  }
  if (&step != std::get_if<ExplodeStep>(&spec_.steps.front().what)) {
    faults_.Add(mark, ErrorCode::kStepOrder,
                "'explode' behind another step; expected it as the first, as records are made from "
                "elements before their times are found");
    return;
  }
  SourcePlan& source = plan_->source;
  const ExplodeOptions options{step.field.text, step.as.text};
  const std::optional<expr::Field> field = scope_.Resolve(options.field);
  TakeNewFields();
  if (!field) {
    Fault(step.field, ErrorCode::kUnknownName,
          "field '" + options.field + "'" + DidYouMean(options.field, scope_.Names()));
  }
  if (!expr::IsPlainName(options.as) || options.as.find('.') != std::string::npos) {
    Fault(step.as, ErrorCode::kBadSettingValue,
          "'" + options.as + "' cannot be the name of elements; expected letters, digits and '_'");
    return;
  }
  const auto is_level = [&source](const std::string& name) {
    return std::any_of(source.topics.begin(), source.topics.end(), [&](const TopicPattern& t) {
      return std::find(t.names().begin(), t.names().end(), name) != t.names().end();
    });
  };
  const auto& cells = source.csv.columns;
  if (is_level(options.as) || IsOfElement(options.field, options) ||
      std::find(cells.begin(), cells.end(), options.as) != cells.end()) {
    Fault(step.as, ErrorCode::kNameTaken, "'" + options.as + "' is a field of the whole record");
  }
  if (is_level(options.field)) {
    Fault(step.field, ErrorCode::kUnknownName,
          "'" + options.field + "' is a level of the topic; expected a field of the payload");
  }
  CheckNewName(step.as);
  source.explode = options;
}

}  // namespace rivulet
