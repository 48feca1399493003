// What the decoder tests share: payloads with the padding decoders may read, and results as text.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "operators/decode/decoder.h"

namespace rivulet {

// Runs payloads through one decoder into one batch.
class DecodeFixture {
 public:
  DecodeFixture(std::unique_ptr<Decoder> decoder, uint32_t columns)
      : decoder_(std::move(decoder)), columns_(columns) {
    batch.Reset(columns, 2);
  }

  // Bytes behind the payload are set to `padding`: hostile ones must make no difference.
  void Feed(std::string_view payload, char padding = '\0') {
    std::string& kept = kept_.emplace_back(payload);
    kept.append(kPayloadPadding, padding);
    const PayloadRef message{std::string_view(kept).substr(0, payload.size()),
                             static_cast<int64_t>(1000 + next_), next_};
    ++next_;
    decoder_->Decode(message, &batch, &errors);
  }

  // The batch as JSON-like text: "[1,\"a\"] [null,2.5]".
  std::string Rows() const {
    std::string out;
    for (uint32_t row = 0; row < batch.rows; ++row) {
      out += row == 0 ? "[" : " [";
      for (uint32_t c = 0; c < columns_; ++c) {
        if (c > 0) out += ",";
        AppendJsonValue(&out, batch.columns[c].Get(row));
      }
      out += "]";
    }
    return out;
  }

  // Rows of one payload, decoded alone.
  std::string Decode(std::string_view payload, char padding = '\0') {
    batch.Reset(columns_, 2);
    errors.clear();
    Feed(payload, padding);
    return Rows();
  }

  // The only error of one payload, decoded alone, which must not leave a row.
  DecodeError Error(std::string_view payload, char padding = '\0') {
    CHECK(Decode(payload, padding) == "");
    CheckInvariants();
    REQUIRE(errors.size() == 1);
    return errors[0];
  }

  // Rows that are not counted are null in every column; those that are know their message.
  void CheckInvariants() const {
    bool unused_null = true;
    for (const Column& column : batch.columns) {
      REQUIRE(column.rows() >= batch.rows);
      for (uint32_t row = batch.rows; row < column.rows(); ++row) {
        unused_null = unused_null && column.is_null(row);
      }
      for (uint32_t row = 0; row < batch.rows; ++row) {
        if (column.type(row) != Type::kString) continue;
        const StringRef ref = column.cells()[row].s;
        REQUIRE(uint64_t{ref.offset} + ref.length <= column.heap().size());
      }
    }
    CHECK(unused_null);
    for (uint32_t row = 0; row < batch.rows; ++row) {
      REQUIRE(batch.offset[row] < next_);
      REQUIRE(batch.arrival[row] == static_cast<int64_t>(1000 + batch.offset[row]));
      REQUIRE(batch.raw[row].data() >= kept_[batch.offset[row]].data());
    }
  }

  RecordBatch batch;
  std::vector<DecodeError> errors;

 private:
  std::unique_ptr<Decoder> decoder_;
  uint32_t columns_;
  std::deque<std::string> kept_;  // raw views point into it
  uint64_t next_ = 0;
};

inline constexpr expr::StaticType kBoolType = MaskOf(Type::kBool) | MaskOf(Type::kNull);
inline constexpr expr::StaticType kIntType = MaskOf(Type::kInt) | MaskOf(Type::kNull);
inline constexpr expr::StaticType kFloatType = MaskOf(Type::kFloat) | MaskOf(Type::kNull);
inline constexpr expr::StaticType kStringType = MaskOf(Type::kString) | MaskOf(Type::kNull);

}  // namespace rivulet
