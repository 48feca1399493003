// Decoders: payload bytes to rows of a batch. Only the fields a pipeline uses are taken out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "base/status.h"
#include "operators/expr/scope.h"

namespace rivulet {

// Bytes that must be readable (their value does not matter) behind every payload given to a
// decoder: vector code reads past the end. Buffers of messages keep this much slack.
inline constexpr size_t kPayloadPadding = 64;

// One field to take out of the payload.
struct DecodedField {
  std::string name;  // "speed"; "engine.rpm" reaches into nested JSON objects (a literal key
                     // "engine.rpm" at top level wins over the path)
  expr::StaticType type = kAnyType;  // declared type; a value of another type is kWrongFieldType
                                     // (an int is taken where a float is declared, and widened; text
                                     // that reads as a number or bool, where one is declared)
  bool required = false;             // absent or null is kMissingField
  uint32_t column = 0;               // where it goes in the batch
  // Texts that stand for null ("NA"), blanks around them aside; one that is a number stands for that number.
  std::vector<std::string> nulls{};
  bool bad_is_null = false;          // a value of another type is null instead of kWrongFieldType
  bool as_text = false;              // numbers and bools are taken as the text they are written as
  // Nobody reads it: it is true where the payload has a value for it that is not null, whatever that is.
  bool presence = false;
};

struct CsvOptions {
  char delimiter = ',';
  // Column names in order. Empty: the first line the decoder sees is a header.
  std::vector<std::string> columns;
};

// What could not be decoded: one payload, or one element of a payload that is an array.
struct DecodeError {
  uint64_t offset = 0;        // lane offset of the message
  ErrorCode code;
  std::string detail;         // "field 'speed' is a string, expected float"
  std::string_view raw;       // the payload or element at fault; lives as long as rows' `raw`
  uint32_t element = 0;       // which element of an exploded array; see ElementPlace
  bool undeclared = false;    // a field is at fault that only counts for who reads it, as it is not declared
};

// One message as read from a log.
struct PayloadRef {
  std::string_view payload;  // kPayloadPadding readable bytes behind it
  int64_t arrival_us = 0;
  uint64_t offset = 0;
};

// Appends records to a batch. A byte order mark in front of a payload and NUL bytes behind it, which some
// devices send, are no part of it. One instance per thread (it owns a parser's scratch memory).
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends the payload's records: sets the projected columns, `arrival`, `offset` and `raw` of
  // each new row (EnsureRoom before each). A record at fault appends nothing and is added to
  // `errors`; other elements of the same array and other lines still count. A payload that is not
  // well-formed JSON, or holds more than a payload may (decode/limits.h: kRecordTooLarge), counts
  // for nothing and is one error. Rows of the batch that are not counted stay null.
  virtual void Decode(const PayloadRef& message, RecordBatch* batch,
                      std::vector<DecodeError>* errors) = 0;
};

// JSON: one object, or an array of objects. Numbers: whole numbers within int64 are ints (-0 is 0),
// all others floats. Nested objects and arrays that are asked for whole arrive as their JSON text.
// Duplicate keys: the last one counts. Anything but white space behind the value is malformed.
std::unique_ptr<Decoder> NewJsonDecoder(std::vector<DecodedField> fields);

// Several JSON values, one a line, each as NewJsonDecoder takes it: a line at fault is one error, the others
// count. Blank lines are left out.
std::unique_ptr<Decoder> NewNdjsonDecoder(std::vector<DecodedField> fields);

// CSV (RFC 4180 quoting): one or more lines per payload. A cell that reads as a number is one
// unless its field is declared string; an empty unquoted cell is null. A header read from the data
// is remembered by the decoder alone: one that starts in the middle of a lane needs `columns`.
std::unique_ptr<Decoder> NewCsvDecoder(std::vector<DecodedField> fields, CsvOptions options);

// The whole payload is one value: a number, true/false, or text (white space trimmed), in the
// single field given. An empty payload is malformed.
std::unique_ptr<Decoder> NewValueDecoder(DecodedField field);

// --- event time ---

// In full: operators/decode/event_time.h.
enum class TimeUnit : uint8_t { kSeconds, kMillis, kMicros, kNanos, kIso8601 };

// Converts column `column` of the selected rows into batch->event_time (us). ints and floats are
// epoch in `unit`; strings are ISO 8601 (any unit; no zone is UTC) or a number in `unit`. Null is
// kMissingField; what cannot be understood or does not fit int64 us is kBadTime.
void ExtractEventTime(RecordBatch* batch, Selection selection, uint32_t column, TimeUnit unit,
                      std::vector<RowError>* errors);

// ISO 8601 date-time (operators/expr/iso_text.h) to us since 1970 UTC. False when malformed or
// beyond int64.
bool ParseIso8601(std::string_view text, int64_t* us);
// "2017-03-21T05:00:02Z", fraction (3 or 6 digits) only when not zero.
std::string FormatIso8601(int64_t us);

}  // namespace rivulet
