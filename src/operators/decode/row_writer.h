// RowWriter: the row a decoder is filling. It enforces declared types and required fields, and
// takes a row at fault back without a trace, so that the decoders only find values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "operators/decode/decoder.h"

namespace rivulet::decode {

// What a value was in the payload, as named to people; the first five are the numbers of Type.
enum class Found : uint8_t { kNull, kBool, kInt, kFloat, kString, kObject, kArray, kHugeNumber };

// One per decoder. Fields are named by their index in the vector given. A field written twice keeps
// the last value, its faults included. Not thread-safe.
class RowWriter {
 public:
  explicit RowWriter(std::vector<DecodedField> fields);

  const std::vector<DecodedField>& fields() const { return fields_; }
  // True when the field takes values of type `t` (an int for a float included).
  bool Accepts(uint32_t field, Type t) const { return (slots_[field].takes & MaskOf(t)) != 0; }
  // True when no type was declared for the field.
  bool AcceptsAll(uint32_t field) const { return slots_[field].accepts_all; }

  // Starts the row behind the last one of `batch`. It counts only once Finish has accepted it.
  void Begin(RecordBatch* batch) {
    batch->EnsureRoom();
    batch_ = batch;
    row_ = batch->rows;
    any_wrong_ = false;
    for (uint8_t& state : states_) state = kAbsent;
  }

  void Null(uint32_t field) {
    states_[field] = kAbsent;
    column(field).SetNull(row_);
  }
  // `text` of a number is how it was written.
  void Bool(uint32_t field, bool v) {
    if (!Admit(field, Type::kBool)) {
      return Consider(field, Value::Bool(v), v ? "true" : "false", Found::kBool);
    }
    column(field).SetBool(row_, v);
  }
  void Int(uint32_t field, int64_t v, std::string_view text) {
    if (!Admit(field, Type::kInt)) return Consider(field, Value::Int(v), text, Found::kInt);
    SetInt(field, v);
  }
  void Float(uint32_t field, double v, std::string_view text) {
    if (!Admit(field, Type::kFloat)) return Consider(field, Value::Float(v), text, Found::kFloat);
    column(field).SetFloat(row_, v);
  }
  // An int, a float, or null for a number beyond the range of a float.
  void Number(uint32_t field, const Value& v, std::string_view text) {
    if (v.type == Type::kInt) return Int(field, v.i, text);
    if (v.type == Type::kFloat) return Float(field, v.f, text);
    Consider(field, v, text, Found::kHugeNumber);
  }
  // `found` says what the text stands for: a string, or an object or array asked for whole.
  void String(uint32_t field, std::string_view v, Found found = Found::kString) {
    if (!Admit(field, Type::kString)) return Consider(field, Value::String(v), v, found);
    column(field).SetString(row_, v);
  }

  // Accepts the row, with `raw` as its bytes, or adds an error and takes the row back.
  void Finish(const PayloadRef& message, std::string_view raw, std::vector<DecodeError>* errors);
  // Takes the unfinished row back.
  void Abandon();

 private:
  struct Slot {
    uint32_t column;
    TypeMask takes;    // with kInt where a float is declared
    TypeMask accepts;  // of these, what is taken as it is: it cannot be one of the field's `nulls`
    bool widen;        // ints become floats
    bool accepts_all;
  };
  // States of a field in this row; from kWrong on, minus kWrong it is what was Found.
  static constexpr uint8_t kAbsent = 0;  // or null
  static constexpr uint8_t kSet = 1;
  static constexpr uint8_t kWrong = 2;

  Column& column(uint32_t field) { return batch_->columns[slots_[field].column]; }
  bool Admit(uint32_t field, Type t) {
    if ((slots_[field].accepts & MaskOf(t)) == 0) return false;
    states_[field] = kSet;
    return true;
  }
  void SetInt(uint32_t field, int64_t v) {
    if (slots_[field].widen) {
      column(field).SetFloat(row_, static_cast<double>(v));
    } else {
      column(field).SetInt(row_, v);
    }
  }
  // What was not admitted at once: null, text that reads as another type, only there, or wrong.
  void Consider(uint32_t field, const Value& v, std::string_view text, Found found);
  bool Set(uint32_t field, const Value& v);
  bool StandsForNull(uint32_t field, const Value& v, std::string_view text) const;
  // A value no type of the field can hold.
  void Wrong(uint32_t field, Found found);
  bool Check(ErrorCode* code, std::string* detail) const;
  // Whether one of those with Wrong values is not declared.
  bool UndeclaredWrong() const;

  std::vector<DecodedField> fields_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> required_;  // indexes of the required fields
  std::vector<std::vector<double>> null_numbers_;  // by field: those of its `nulls` that are numbers
  std::vector<uint8_t> states_;
  RecordBatch* batch_ = nullptr;
  uint32_t row_ = 0;
  bool any_wrong_ = false;
};

// Takes rows and errors added since `rows` and `error_count` back: a payload that turns out
// malformed leaves one error and nothing else. `fields` are those the rows were written through.
void TakeBack(const std::vector<DecodedField>& fields, uint32_t rows, size_t error_count,
              RecordBatch* batch, std::vector<DecodeError>* errors);

}  // namespace rivulet::decode
