#include "operators/decode/row_writer.h"

#include <algorithm>
#include <utility>

#include "operators/decode/text_value.h"

namespace rivulet::decode {
namespace {

std::string_view FoundName(Found found) {
  switch (found) {
    case Found::kNull: return "null";
    case Found::kBool: return "a bool";
    case Found::kInt: return "an int";
    case Found::kFloat: return "a float";
    case Found::kString: return "a string";
    case Found::kObject: return "an object";
    case Found::kArray: return "an array";
    case Found::kHugeNumber: return "a number beyond the range of float";
  }
  return "?";
}

// "float", "int or string": the types of a declaration.
std::string TypeNames(TypeMask mask) {
  std::string out;
  for (const Type t : {Type::kBool, Type::kInt, Type::kFloat, Type::kString}) {
    if ((mask & MaskOf(t)) == 0) continue;
    if (!out.empty()) out += " or ";
    out += TypeName(t);
  }
  return out.empty() ? "null" : out;
}

}  // namespace

RowWriter::RowWriter(std::vector<DecodedField> fields) : fields_(std::move(fields)) {
  states_.assign(fields_.size(), kAbsent);
  for (uint32_t k = 0; k < fields_.size(); ++k) {
    const DecodedField& f = fields_[k];
    const bool takes_int = (f.type & MaskOf(Type::kInt)) != 0;
    const bool takes_float = (f.type & MaskOf(Type::kFloat)) != 0;
    Slot slot;
    slot.column = f.column;
    slot.widen = takes_float && !takes_int;
    slot.takes = slot.widen ? static_cast<TypeMask>(f.type | MaskOf(Type::kInt)) : f.type;
    slot.accepts = slot.takes;
    if (!f.nulls.empty()) slot.accepts &= static_cast<TypeMask>(~MaskOf(Type::kString));
    std::vector<double>& numbers = null_numbers_.emplace_back();
    for (const std::string& text : f.nulls) {
      Value number;
      if (ParseNumber(Trim(text), &number)) numbers.push_back(number.AsFloat());
    }
    if (!numbers.empty()) {
      slot.accepts &= static_cast<TypeMask>(~(MaskOf(Type::kInt) | MaskOf(Type::kFloat)));
    }
    if (f.presence) slot.accepts = 0;
    slot.accepts_all = (f.type | MaskOf(Type::kNull)) == kAnyType;
    slots_.push_back(slot);
    if (f.required) required_.push_back(k);
  }
}

bool RowWriter::Set(uint32_t field, const Value& v) {
  if ((slots_[field].takes & MaskOf(v.type)) == 0) return false;
  states_[field] = kSet;
  switch (v.type) {
    case Type::kInt: SetInt(field, v.i); break;
    default: column(field).Set(row_, v);
  }
  return true;
}

bool RowWriter::StandsForNull(uint32_t field, const Value& v, std::string_view text) const {
  const std::vector<double>& numbers = null_numbers_[field];
  if (v.is_number() && std::find(numbers.begin(), numbers.end(), v.AsFloat()) != numbers.end()) return true;
  const std::vector<std::string>& nulls = fields_[field].nulls;
  if (v.type != Type::kString || nulls.empty()) return false;
  const std::string_view trimmed = Trim(text);
  return std::any_of(nulls.begin(), nulls.end(), [&](const std::string& n) { return Trim(n) == trimmed; });
}

void RowWriter::Consider(uint32_t field, const Value& v, std::string_view text, Found found) {
  const bool scalar = found < Found::kObject || found == Found::kHugeNumber;
  if (scalar && fields_[field].as_text) {
    Set(field, Value::String(text));
    return;
  }
  if (scalar && StandsForNull(field, v, text)) return Null(field);
  if (fields_[field].presence) {
    Set(field, Value::Bool(true));
    return;
  }
  if (found != Found::kHugeNumber && Set(field, v)) return;
  if (found == Found::kString) {
    const std::string_view trimmed = Trim(text);
    Value read;
    if (ParseNumber(trimmed, &read) && Set(field, read)) return;
    if ((trimmed == "true" || trimmed == "false") && Set(field, Value::Bool(trimmed == "true"))) return;
  }
  if (fields_[field].bad_is_null) return Null(field);
  Wrong(field, found);
}

void RowWriter::Wrong(uint32_t field, Found found) {
  states_[field] = static_cast<uint8_t>(kWrong + static_cast<uint8_t>(found));
  any_wrong_ = true;
  column(field).SetNull(row_);
}

bool RowWriter::Check(ErrorCode* code, std::string* detail) const {
  for (uint32_t k = 0; any_wrong_ && k < states_.size(); ++k) {
    if (states_[k] < kWrong) continue;
    *code = ErrorCode::kWrongFieldType;
    *detail = "field '" + fields_[k].name + "' is ";
    *detail += FoundName(static_cast<Found>(states_[k] - kWrong));
    *detail += ", expected " + TypeNames(fields_[k].type);
    return false;
  }
  for (const uint32_t k : required_) {
    if (states_[k] != kAbsent) continue;
    *code = ErrorCode::kMissingField;
    *detail = "field '" + fields_[k].name + "' is absent or null, but it is required";
    return false;
  }
  return true;
}

bool RowWriter::UndeclaredWrong() const {
  for (uint32_t k = 0; any_wrong_ && k < states_.size(); ++k) {
    if (states_[k] >= kWrong && AcceptsAll(k)) return true;
  }
  return false;
}

void RowWriter::Finish(const PayloadRef& message, std::string_view raw,
                       std::vector<DecodeError>* errors) {
  if (any_wrong_ || !required_.empty()) {
    DecodeError error;
    if (!Check(&error.code, &error.detail)) {
      error.offset = message.offset;
      error.raw = raw;
      error.undeclared = UndeclaredWrong();
      errors->push_back(std::move(error));
      Abandon();
      return;
    }
  }
  batch_->arrival[row_] = message.arrival_us;
  batch_->offset[row_] = message.offset;
  batch_->raw[row_] = raw;
  batch_->rows = row_ + 1;
}

void RowWriter::Abandon() {
  for (const Slot& slot : slots_) batch_->columns[slot.column].SetNull(row_);
}

void TakeBack(const std::vector<DecodedField>& fields, uint32_t rows, size_t error_count,
              RecordBatch* batch, std::vector<DecodeError>* errors) {
  for (const DecodedField& f : fields) {
    for (uint32_t row = rows; row < batch->rows; ++row) batch->columns[f.column].SetNull(row);
  }
  batch->rows = rows;
  errors->erase(errors->begin() + static_cast<std::ptrdiff_t>(error_count), errors->end());
}

}  // namespace rivulet::decode
