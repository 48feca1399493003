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
  bool Accepts(uint32_t field, Type t) const { return (slots_[field].accepts & MaskOf(t)) != 0; }
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
  void Bool(uint32_t field, bool v) {
    if (Admit(field, Type::kBool, Found::kBool)) column(field).SetBool(row_, v);
  }
  void Int(uint32_t field, int64_t v) {
    if (!Admit(field, Type::kInt, Found::kInt)) return;
    if (slots_[field].widen) {
      column(field).SetFloat(row_, static_cast<double>(v));
    } else {
      column(field).SetInt(row_, v);
    }
  }
  void Float(uint32_t field, double v) {
    if (Admit(field, Type::kFloat, Found::kFloat)) column(field).SetFloat(row_, v);
  }
  // `found` says what the text stands for: a string, or an object or array asked for whole.
  void String(uint32_t field, std::string_view v, Found found = Found::kString) {
    if (Admit(field, Type::kString, found)) column(field).SetString(row_, v);
  }
  // A value no type can hold.
  void Wrong(uint32_t field, Found found) {
    states_[field] = static_cast<uint8_t>(kWrong + static_cast<uint8_t>(found));
    any_wrong_ = true;
    column(field).SetNull(row_);
  }

  // Accepts the row, with `raw` as its bytes, or adds an error and takes the row back.
  void Finish(const PayloadRef& message, std::string_view raw, std::vector<DecodeError>* errors);
  // Takes the unfinished row back.
  void Abandon();

 private:
  struct Slot {
    uint32_t column;
    TypeMask accepts;  // with kInt where a float is declared
    bool widen;        // ints become floats
    bool accepts_all;
  };
  // States of a field in this row; from kWrong on, minus kWrong it is what was Found.
  static constexpr uint8_t kAbsent = 0;  // or null
  static constexpr uint8_t kSet = 1;
  static constexpr uint8_t kWrong = 2;

  Column& column(uint32_t field) { return batch_->columns[slots_[field].column]; }
  bool Admit(uint32_t field, Type t, Found found) {
    if ((slots_[field].accepts & MaskOf(t)) == 0) {
      Wrong(field, found);
      return false;
    }
    states_[field] = kSet;
    return true;
  }
  bool Check(ErrorCode* code, std::string* detail) const;

  std::vector<DecodedField> fields_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> required_;  // indexes of the required fields
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
