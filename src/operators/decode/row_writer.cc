#include "operators/decode/row_writer.h"

#include <utility>

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
    slot.accepts = slot.widen ? static_cast<TypeMask>(f.type | MaskOf(Type::kInt)) : f.type;
    slot.accepts_all = (f.type | MaskOf(Type::kNull)) == kAnyType;
    slots_.push_back(slot);
    if (f.required) required_.push_back(k);
  }
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

void RowWriter::Finish(const PayloadRef& message, std::string_view raw,
                       std::vector<DecodeError>* errors) {
  if (any_wrong_ || !required_.empty()) {
    DecodeError error;
    if (!Check(&error.code, &error.detail)) {
      error.offset = message.offset;
      error.raw = raw;
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
