#include "operators/aggregate/aggregate_arguments.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/types.h"
#include "base/units.h"

namespace rivulet {
namespace {

using Kind = AggregateParameter::Kind;

std::string CountText(size_t n) {
  return n == 0 ? "no argument" : n == 1 ? "one argument" : std::to_string(n) + " arguments";
}

std::string Number(double v) {
  std::string text;
  AppendJsonFloat(&text, v);
  return text;
}

// "a number from 0 to 1", "'linear' or 'step'"
std::string Expected(const AggregateParameter& p) {
  if (p.kind == Kind::kWord) {
    std::string text;
    for (const std::string_view word : p.words) {
      text += (text.empty() ? "'" : " or '") + std::string(word) + "'";
    }
    return text;
  }
  if (p.kind == Kind::kDuration) return "a duration such as 30s, at least 1ms and at most ten years";
  const std::string what = p.kind == Kind::kWhole ? "an int" : "a number";
  if (p.high > 1e300) return what;
  return what + " from " + Number(p.low) + " to " + Number(p.high);
}

Status CheckCount(const AggregateDefinition& d, size_t given) {
  const size_t most = d.most_values + d.parameters.size();
  const auto required = static_cast<size_t>(
      std::count_if(d.parameters.begin(), d.parameters.end(),
                    [](const AggregateParameter& p) { return !p.fallback; }));
  const size_t least = d.least_values + required;
  if (given >= least && given <= most) return Status::Ok();
  std::string takes = CountText(most);
  if (least == 0) takes = "at most " + takes;
  else if (least < most) takes = std::to_string(least) + " to " + takes;
  return {ErrorCode::kWrongArgumentCount, "'" + std::string(d.name) + "' takes " + takes + ": " +
                                              std::string(d.name) + "(" + std::string(d.usage) +
                                              "), found " + std::to_string(given)};
}

Status CheckValue(const AggregateDefinition& d, const expr::Program& value) {
  const expr::StaticType type = value.type() & ~MaskOf(Type::kNull);
  if (type == 0 || (type & d.accepts) != 0) return Status::Ok();
  const bool wants_bool = d.accepts == MaskOf(Type::kBool);
  return {ErrorCode::kWrongArgumentType,
          "'" + std::string(d.name) + "' needs " + (wants_bool ? "a bool" : "a number") + ", '" +
              value.canonical() + "' is not one"};
}

// A word that need not be given, and was not: in its place stands the number behind it.
bool LeftOut(const AggregateParameter& p, const AggregateDefinition& d, const expr::Program& given) {
  if (p.kind != Kind::kWord || !p.fallback || &p == &d.parameters.back()) return false;
  const std::optional<Value> constant = given.constant();
  return constant && constant->is_number();
}

bool ReadParameter(const AggregateParameter& p, const Value& v, double* number) {
  if (p.kind == Kind::kWord) {
    if (v.type != Type::kString) return false;
    const auto word = std::find(p.words.begin(), p.words.end(), v.s);
    *number = static_cast<double>(word - p.words.begin());
    return word != p.words.end();
  }
  if (v.type != Type::kInt && (p.kind != Kind::kNumber || v.type != Type::kFloat)) return false;
  *number = v.AsFloat();
  return *number >= p.low && *number <= p.high;
}

}  // namespace

Result<AggregateArguments> CheckArguments(const AggregateDefinition& definition,
                                          const expr::AggregateCall& call, size_t* offset) {
  *offset = call.function_offset;
  RIVULET_RETURN_IF_ERROR(CheckCount(definition, call.arguments.size()));
  AggregateArguments found;
  found.values = std::min<size_t>(call.arguments.size(), definition.most_values);
  for (size_t i = 0; i < found.values; ++i) {
    RIVULET_RETURN_IF_ERROR(CheckValue(definition, call.arguments[i]));
  }
  size_t of_state = 0, of_finisher = 0, next = found.values;
  for (const AggregateParameter& p : definition.parameters) {
    double number = p.fallback.value_or(0);
    if (next < call.arguments.size() && !LeftOut(p, definition, call.arguments[next])) {
      const expr::Program& given = call.arguments[next];
      *offset = call.argument_offsets[next++];
      const std::optional<Value> constant = given.constant();
      if (!constant || !ReadParameter(p, *constant, &number)) {
        return Status(ErrorCode::kBadArgument,
                      "'" + std::string(p.name) + "' of " + std::string(definition.name) + "(" +
                          std::string(definition.usage) + ") is '" + given.canonical() +
                          "'; expected " + Expected(p) + (constant ? "" : ", written as a constant"));
      }
    }
    (p.shapes_state ? found.of_state[of_state++] : found.of_finisher[of_finisher++]) = number;
  }
  if (next < call.arguments.size()) {
    *offset = call.argument_offsets[next];
    return Status(ErrorCode::kBadArgument, "'" + call.arguments[next].canonical() +
                                               "' is behind its place; expected " +
                                               std::string(definition.name) + "(" +
                                               std::string(definition.usage) + ")");
  }
  return found;
}

}  // namespace rivulet
