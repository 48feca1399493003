// Payloads through every decoder and into event times; JSON also against an independent parser. Input: a
// byte that chooses decoder (with 4: and takes an array apart; with 128: with null marks and the like) and
// time unit, a byte that lies behind the payload, then payloads separated by a byte 0x1e.
#include <bit>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "operators/decode/decoder.h"
#include "operators/decode/explode_decoder.h"
#include "tests/fuzz/fuzz_target.h"

namespace rivulet {
namespace {

using fuzz::Require;

constexpr uint32_t kColumns = 5;
constexpr expr::StaticType kFloatOrNull = MaskOf(Type::kFloat) | MaskOf(Type::kNull);
constexpr expr::StaticType kStringOrNull = MaskOf(Type::kString) | MaskOf(Type::kNull);

// Takes an array apart: of the field `engine`, or the whole payload.
std::unique_ptr<Decoder> MakeExplodeDecoder(uint8_t choice) {
  const std::vector<DecodedField> fields = {{"ts", kAnyType, (choice & 8) != 0, 0},
                                            {"speed", kFloatOrNull, false, 1},
                                            {"engine", kAnyType, false, 2}};
  const std::vector<DecodedField> whole = {{"ts", kAnyType, false, 0}};
  const std::vector<DecodedField> elements = {{"e", kAnyType, false, 3},
                                              {"e.id", kStringOrNull, false, 4}};
  switch (choice & 3) {
    case 0:
      return NewExplodeDecoder(NewJsonDecoder(fields), fields, {0, 1, 2}, elements, {"engine", "e"});
    case 1:
    case 2:
      return NewExplodeDecoder(NewCsvDecoder(fields, {';', {"ts", "speed", "engine"}}), fields,
                               {0, 1, 2}, elements, {"engine", "e"});
    default:
      return NewExplodeDecoder(NewValueDecoder(whole[0]), whole, {0}, elements, {"ts", "e"});
  }
}

std::unique_ptr<Decoder> MakeDecoder(uint8_t choice) {
  if ((choice & 4) != 0) return MakeExplodeDecoder(choice);
  std::vector<DecodedField> fields = {{"ts", kAnyType, (choice & 8) != 0, 0},
                                      {"speed", kFloatOrNull, false, 1},
                                      {"id", kStringOrNull, false, 2},
                                      {"engine.rpm", kAnyType, false, 3},
                                      {"engine", kAnyType, false, 4}};
  const bool rules = (choice & 128) != 0;
  if (rules) {
    fields[0].nulls = fields[1].nulls = {"NA", "", "-9999"};
    fields[1].bad_is_null = true;
    fields[2].as_text = true;
  }
  switch (choice & 3) {
    case 0: return rules ? NewNdjsonDecoder(fields) : NewJsonDecoder(fields);
    case 1: return NewCsvDecoder(fields, {});
    case 2: return NewCsvDecoder(fields, {';', {"ts", "speed", "", "id", "engine"}});
    default: return NewValueDecoder({"ts", kAnyType, (choice & 8) != 0, 0});
  }
}

struct Decoded {
  RecordBatch batch;
  std::vector<DecodeError> errors;
  std::deque<std::string> payloads;  // the views of batch and errors point into them
};

void Decode(uint8_t choice, char padding, std::string_view text, Decoded* out) {
  const std::unique_ptr<Decoder> decoder = MakeDecoder(choice);
  out->batch.Reset(kColumns, 2);
  for (uint64_t offset = 0; offset == 0 || !text.empty(); ++offset) {
    const size_t end = std::min(text.find('\x1e'), text.size());
    std::string& kept = out->payloads.emplace_back(text.substr(0, end));
    kept.append(kPayloadPadding, padding);
    kept.shrink_to_fit();
    const PayloadRef message{std::string_view(kept).substr(0, end), 0, offset};
    decoder->Decode(message, &out->batch, &out->errors);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string Show(const Decoded& decoded) {
  std::string text;
  for (uint32_t row = 0; row < decoded.batch.rows; ++row) {
    text += std::to_string(decoded.batch.offset[row]) + ":" +
            std::to_string(decoded.batch.raw[row].size());
    for (const Column& column : decoded.batch.columns) {
      text += " ";
      AppendJsonValue(&text, column.Get(row));
    }
    text += "\n";
  }
  for (const DecodeError& e : decoded.errors) {
    text += "E" + std::to_string(static_cast<int>(e.code)) + " " + std::to_string(e.offset) + ":" +
            std::to_string(e.raw.size()) + " " + e.detail + "\n";
  }
  return text;
}

void CheckBatch(const Decoded& decoded) {
  const RecordBatch& batch = decoded.batch;
  for (const Column& column : batch.columns) {
    Require(column.rows() >= batch.rows, "a column has every row");
    for (uint32_t row = batch.rows; row < column.rows(); ++row) {
      Require(column.is_null(row), "rows that do not count are null");
    }
  }
  for (uint32_t row = 0; row < batch.rows; ++row) {
    const Type speed = batch.columns[1].type(row);
    Require(speed == Type::kFloat || speed == Type::kNull, "a declared type is kept");
    Require(batch.offset[row] < decoded.payloads.size(), "a row knows its message");
  }
  for (const DecodeError& e : decoded.errors) {
    Require(e.code != ErrorCode::kOk && !e.detail.empty(), "an error says what is wrong");
    Require(e.offset < decoded.payloads.size(), "an error knows its message");
  }
}

void CheckTimes(uint8_t choice, RecordBatch* batch) {
  std::vector<RowError> errors;
  ExtractEventTime(batch, Selection::All(batch->rows), 0, static_cast<TimeUnit>((choice >> 4) % 5),
                   &errors);
  Require(errors.size() <= batch->rows, "at most one error a row");
  for (size_t k = 1; k < errors.size(); ++k) {
    Require(errors[k - 1].row < errors[k].row, "errors come in order of rows");
  }
}

// False where it makes more of a payload than RFC 8259, or less than a double can hold.
bool RefersToReference(std::string_view text) {
  if (text.find('\0') != text.npos || text.size() > 4096) return false;
  for (size_t k = 0; k + 1 < text.size(); ++k) {
    if (text[k] >= '0' && text[k] <= '9' && (text[k + 1] | 0x20) == 'e') return false;
  }
  const size_t first = text.find_first_not_of(" \r\n\t");
  return first != text.npos && text[first] == '{';
}

// Whether it is JSON, and what `ts` is in it.
void CheckReference(std::string_view text) {
  if (!RefersToReference(text)) return;
  std::string kept(text);
  kept.append(kPayloadPadding, '}');
  RecordBatch batch;
  batch.Reset(1, 1);
  std::vector<DecodeError> errors;
  NewJsonDecoder({{"ts", kAnyType, false, 0}})
      ->Decode({std::string_view(kept).substr(0, text.size()), 0, 0}, &batch, &errors);
  const bool deep = !errors.empty() && errors[0].detail.find("too deeply") != std::string::npos;
  const bool huge = !errors.empty() && errors[0].code == ErrorCode::kWrongFieldType;
  if (deep || huge) return;
  const nlohmann::json expected = nlohmann::json::parse(text, nullptr, false);
  Require(expected.is_discarded() == (batch.rows == 0), "both parsers take it, or neither");
  if (batch.rows == 0 || !expected.contains("ts")) return;
  const nlohmann::json& ts = expected["ts"];
  const Value got = batch.columns[0].Get(0);
  if (ts.is_string()) {
    Require(got.type == Type::kString && got.s == ts.get_ref<const std::string&>(), "equal text");
  }
  const bool whole = ts.is_number_integer() && (!ts.is_number_unsigned() || ts.get<uint64_t>() <= INT64_MAX);
  if (whole) Require(got.type == Type::kInt && got.i == ts.get<int64_t>(), "equal ints");
  if (ts.is_number() && !whole) {
    const auto bits = std::bit_cast<uint64_t>(ts.get<double>());
    Require(got.type == Type::kFloat && std::bit_cast<uint64_t>(got.f) == bits, "equal floats");
  }
}

void CheckIso(std::string_view text) {
  int64_t us = 0, again = 0;
  if (!ParseIso8601(text.substr(0, 64), &us)) return;
  const std::string formatted = FormatIso8601(us);
  // A zone can move a time out of the years that can be written.
  if (formatted.size() < 20 || formatted[4] != '-') return;
  Require(ParseIso8601(formatted, &again) && again == us, "a formatted time reads back");
}

}  // namespace
}  // namespace rivulet

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rivulet;
  fuzz::Input input(data, size);
  const uint8_t choice = input.Byte();
  const char padding = static_cast<char>(input.Byte());
  const std::string_view text = input.Rest();
  Decoded zero, other;
  Decode(choice, '\0', text, &zero);
  CheckBatch(zero);
  Decode(choice, padding, text, &other);
  fuzz::RequireEqual(Show(zero), Show(other), "bytes behind a payload make no difference");
  CheckTimes(choice, &zero.batch);
  CheckIso(text);
  CheckReference(text);
  return 0;
}
