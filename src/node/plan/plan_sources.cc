// The parts of Planner that concern pipelines with several sources. Their records meet in one batch: a name
// that several read is one column. What a source sets goes into columns of its own, so that no other
// sees it, and from there into a common one.
#include <algorithm>

#include "base/suggest.h"
#include "node/plan/planner.h"

namespace rivulet {
namespace {

constexpr std::string_view kSourceField = "source";

template <typename Fields>
auto FindNamed(Fields& fields, const std::string& name) {
  return std::find_if(fields.begin(), fields.end(), [&name](const auto& f) { return f.name == name; });
}

// Takes columns until `column` is the next.
void SkipColumns(uint32_t column, expr::Scope* scope) {
  // Back quotes cannot be part of a plain name.
  while (scope->column_count() < column) scope->Define("`passed over`", kAnyType);
}

}  // namespace

const DecodedField* Planner::FindPayload(const SourcePlan& source, const std::string& name) {
  const auto found = FindNamed(source.payload_fields, name);
  if (found != source.payload_fields.end()) return &*found;
  return source.value_field.name == name ? &source.value_field : nullptr;
}

std::vector<std::string> Planner::OwnNames(const SourcePlan& source) {
  std::vector<std::string> names;
  for (const DecodedField& f : source.payload_fields) names.push_back(f.name);
  for (const TopicField& f : source.topic_fields) names.push_back(f.name);
  return names;
}

bool Planner::HasField(const SourcePlan& source, const std::string& name) {
  return FindPayload(source, name) != nullptr ||
         FindNamed(source.topic_fields, name) != source.topic_fields.end();
}

uint32_t Planner::DefineField(const std::string& name, expr::StaticType type) {
  if (!several()) return scope_.Define(name, type);
  if (const expr::Field* known = scope_.Find(name)) {
    const uint32_t column = known->column;
    scope_.SetType(name, type);
    return column;
  }
  const uint32_t column = scope_.Define(name, type);
  read_fields_.push_back({name, column, type});
  return column;
}

void Planner::ReadObjects() {
  if (source_->format == SourceSpec::Format::kValue) {
    source_->payload_fields.push_back(source_->value_field);
  }
  source_->format = SourceSpec::Format::kJson;
}

void Planner::PlanSources() {
  SourcePlan& first = plan_->source;
  first.others.resize(spec_.others.size());
  set_fields_.resize(first.sources());
  for (size_t i = 0; i < first.sources(); ++i) {
    source_spec_ = &spec_of(i);
    source_ = &first.at(i);
    own_source_ = static_cast<uint8_t>(i);
    source_->name = source_spec_->name.text;
    // What other sources declare says nothing of this one.
    for (const CommonField& field : read_fields_) scope_.SetType(field.name, kAnyType);
    PlanTopics();
    PlanFields();
    PlanTime();
    PlanSourceSteps(i);
    if (!source_spec_->time.per.empty()) {
      Fault(source_spec_->time.per.front(), ErrorCode::kUnsupportedYet,
            "per-key time ('per') with several sources");
    }
    if (!options_.replay) continue;
    ReadObjects();
  }
  own_source_.reset();
  MeetSources();
}

bool Planner::OwnsColumn(const SourcePlan& source, uint32_t column) const {
  if (IsOpenSource(*source_spec_, options_)) return true;
  const auto is = [column](const auto& field) { return field.column == column; };
  const auto& set = set_fields_[static_cast<size_t>(source_spec_ == &spec_.source
                                                        ? 0
                                                        : source_spec_ - spec_.others.data() + 1)];
  return std::any_of(source.payload_fields.begin(), source.payload_fields.end(), is) ||
         std::any_of(source.topic_fields.begin(), source.topic_fields.end(), is) ||
         (!source.value_field.name.empty() && is(source.value_field)) || IsEventTimeColumn(column) ||
         std::any_of(set.begin(), set.end(), is);
}

void Planner::CheckOwnFields(const SourcePlan& source, const MarkedText& text,
                             const expr::Program& program) {
  std::vector<uint32_t> columns;
  program.AddColumns(&columns);
  for (const uint32_t column : columns) {
    if (OwnsColumn(source, column)) continue;
    const auto& fields = scope_.fields();
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [column](const auto& f) { return f.column == column; });
    const std::string name = field == fields.end() ? "" : field->name;
    Fault(text, ErrorCode::kUnknownName,
          "'" + name + "' is not a field of source '" + source.name + "'" +
              DidYouMean(name, OwnNames(source)));
    return;
  }
}

// The scope becomes this source's for the time, with its own columns for what it sets.
void Planner::PlanSourceSteps(size_t index) {
  SourcePlan& source = *source_;
  expr::Scope before = scope_;
  const size_t read_before = read_fields_.size();
  std::vector<CommonField>& own = set_fields_[index];
  for (const auto& [name, text] : source_spec_->set) {
    std::optional<expr::Program> program = Compile(text);
    if (!CheckNewName(name)) continue;
    if (program) CheckOwnFields(source, text, *program);
    const expr::StaticType type = program ? program->type() : kAnyType;
    const uint32_t column = scope_.Define(name.text, type);
    known_fields_ = scope_.fields().size();
    if (program) source.steps.AddSet(column, std::move(*program));
    const auto known = FindNamed(own, name.text);
    if (known == own.end()) {
      own.push_back({name.text, column, type});
    } else {
      *known = {name.text, column, type};
    }
  }
  if (!source_spec_->where.text.empty()) {
    if (std::optional<expr::Program> program = CompileCondition(source_spec_->where)) {
      CheckOwnFields(source, source_spec_->where, *program);
      source.steps.AddWhere(std::move(*program));
    }
  }
  const uint32_t columns = scope_.column_count();
  std::swap(scope_, before);
  for (size_t i = read_before; i < read_fields_.size(); ++i) {
    SkipColumns(read_fields_[i].column, &scope_);
    scope_.Define(read_fields_[i].name, kAnyType);
  }
  SkipColumns(columns, &scope_);
  known_fields_ = scope_.fields().size();
}

// What a field that is read can be in the records of any source.
expr::StaticType Planner::CommonType(const std::string& name) {
  constexpr expr::StaticType kNumbers = MaskOf(Type::kInt) | MaskOf(Type::kFloat);
  expr::StaticType common = MaskOf(Type::kNull), declared = 0;
  const SourcePlan* declares = nullptr;
  for (size_t i = 0; i < plan_->source.sources(); ++i) {
    const SourcePlan& source = plan_->source.at(i);
    const SourceSpec& spec = spec_of(i);
    if (!HasField(source, name)) {
      if (IsOpenSource(spec, options_)) common = kAnyType;
      continue;
    }
    const DecodedField* field = FindPayload(source, name);
    const expr::StaticType type = field != nullptr ? field->type : MaskOf(Type::kString);
    common |= type;
    if ((type | MaskOf(Type::kNull)) == kAnyType) continue;
    const auto own = static_cast<expr::StaticType>(type & ~MaskOf(Type::kNull));
    const bool fits = declared == 0 || declared == own || ((declared | own) & ~kNumbers) == 0;
    if (!fits) {
      Fault(spec.name, ErrorCode::kNameTaken,
            "'" + name + "' has one type in source '" + declares->name + "' and another in '" +
                source.name + "'; fields with equal names are one field: leave it undeclared in one of "
                "them, or 'set' it to one type");
      return kAnyType;
    }
    declared = own;
    declares = &source;
  }
  return common;
}

void Planner::MeetSources() {
  SourcePlan& first = plan_->source;
  std::vector<std::string> set;
  for (const std::vector<CommonField>& fields : set_fields_) {
    for (const CommonField& f : fields) {
      if (std::find(set.begin(), set.end(), f.name) == set.end()) set.push_back(f.name);
    }
  }
  for (const CommonField& field : read_fields_) {
    const bool replaced = std::find(set.begin(), set.end(), field.name) != set.end();
    scope_.SetType(field.name, replaced ? kAnyType : CommonType(field.name));
  }
  for (const std::string& name : set) MeetField(name);
  for (size_t i = 0; i < first.sources(); ++i) {
    const std::string taken(kSourceField);
    if (!HasField(first.at(i), taken) && FindNamed(read_fields_, taken) == read_fields_.end() &&
        FindNamed(set_fields_[i], taken) == set_fields_[i].end()) {
      continue;
    }
    Fault(spec_of(i).name, ErrorCode::kNameTaken,
          "'source' is the field that says which source a record is of; read it under another name");
    break;
  }
  first.name_column = scope_.Define(kSourceField, MaskOf(Type::kString));
  known_fields_ = scope_.fields().size();
}

// A field that some sources set gets a common column.
void Planner::MeetField(const std::string& name) {
  SourcePlan& first = plan_->source;
  std::vector<std::optional<uint32_t>> from;
  expr::StaticType type = MaskOf(Type::kNull);
  for (size_t i = 0; i < first.sources(); ++i) {
    const auto set = FindNamed(set_fields_[i], name);
    const SourceSpec& spec = spec_of(i);
    from.emplace_back();
    if (set != set_fields_[i].end()) {
      from.back() = set->column;
      type |= set->type;
    } else if (HasField(first.at(i), name) || IsOpenSource(spec, options_)) {
      auto read = FindNamed(read_fields_, name);
      if (read == read_fields_.end()) {
        read = read_fields_.insert(read, {name, scope_.Define(name, kAnyType), kAnyType});
      }
      from.back() = read->column;
      const DecodedField* field = FindPayload(first.at(i), name);
      type |= field != nullptr ? field->type : kAnyType;
    }
  }
  const uint32_t common = scope_.Define(name, type);
  for (size_t i = 0; i < first.sources(); ++i) {
    if (from[i]) first.at(i).meeting.emplace_back(*from[i], common);
  }
}

// A source that does not declare its fields has each that is asked for.
void Planner::FinishSources() {
  if (!several()) return;
  for (size_t i = 0; i < plan_->source.sources(); ++i) {
    SourcePlan& source = plan_->source.at(i);
    if (!IsOpenSource(spec_of(i), options_)) continue;
    for (const CommonField& field : read_fields_) {
      if (HasField(source, field.name)) continue;
      source.payload_fields.push_back({field.name, kAnyType, false, field.column});
    }
  }
}

}  // namespace rivulet
