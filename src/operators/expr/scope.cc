#include "operators/expr/scope.h"

namespace rivulet::expr {

const Field* Scope::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::optional<Field> Scope::Resolve(std::string_view name) {
  if (const Field* field = Find(name)) return *field;
  if (!open_) return std::nullopt;
  Define(name, kAnyType);
  return fields_.back();
}

uint32_t Scope::Define(std::string_view name, StaticType type) {
  const uint32_t column = AddColumn();
  for (Field& field : fields_) {
    if (field.name != name) continue;
    field.type = type;
    field.column = column;
    return column;
  }
  fields_.push_back({std::string(name), type, column});
  return column;
}

void Scope::SetType(std::string_view name, StaticType type) {
  for (Field& field : fields_) {
    if (field.name == name) field.type = type;
  }
}

std::vector<std::string> Scope::Names() const {
  std::vector<std::string> names;
  names.reserve(fields_.size());
  for (const Field& field : fields_) names.push_back(field.name);
  return names;
}

}  // namespace rivulet::expr
