// The JSON decoder: the only file that knows simdjson.
//
// What is checked: everything. The index pass checks UTF-8, control characters and the ends of
// strings over the whole payload; the walk below visits each value once, wanted or not, and checks
// brackets, commas, colons, escapes and the spelling of numbers, true, false and null. Only the
// magnitude of a number nobody asked for goes unlooked at. A payload at fault in any of this is
// malformed as a whole: none of its records counts.
//
// Choices where RFC 8259 leaves one: -0 is the int 0
// (-0.0 is a float); a lone surrogate escape is malformed; whole numbers outside int64 and all
// numbers with fraction or exponent are floats (nearest even); one beyond the range of a float is
// kWrongFieldType where it is asked for.
//
// The index has no end mark of its own: behind the last token the walk would see padding. So each
// key and value is checked to lie within the payload before it is looked at, and the end of each
// inner object or array not to be the last token.
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "operators/decode/decoder.h"
#include "operators/decode/field_tree.h"
#include "operators/decode/flat_object.h"
#include "operators/decode/json_scalar.h"
#include "operators/decode/limits.h"
#include "operators/decode/payload_text.h"
#include "operators/decode/row_writer.h"

namespace rivulet {
namespace decode {
namespace {

namespace ondemand = simdjson::ondemand;
static_assert(kPayloadPadding >= simdjson::SIMDJSON_PADDING);

std::string_view TrimRight(const char* begin, const char* end) {
  while (end > begin && IsJsonSpace(end[-1])) --end;
  return {begin, static_cast<size_t>(end - begin)};
}

class JsonDecoder final : public Decoder {
 public:
  explicit JsonDecoder(std::vector<DecodedField> fields)
      : writer_(std::move(fields)), root_(BuildFieldTree(writer_.fields())) {
    literal_seen_.resize(writer_.fields().size());
    for (const DecodedField& f : writer_.fields()) {
      has_paths_ = has_paths_ || f.name.find('.') != f.name.npos;
    }
  }

  void Decode(const PayloadRef& message, RecordBatch* batch,
              std::vector<DecodeError>* errors) override;

 private:
  // What the walk found wrong, and where. `what` is a literal of this file or of the library.
  struct Fault {
    ErrorCode code = ErrorCode::kMalformedPayload;
    const char* what = nullptr;
    const char* at = nullptr;
  };

  bool TryFlat(const PayloadRef& message, std::string_view text, RecordBatch* batch,
               std::vector<DecodeError>* errors);

  // The walk. Each returns false with fault_ set when the text is malformed.
  bool Parse(const PayloadRef& message, std::string_view text, RecordBatch* batch,
             std::vector<DecodeError>* errors);
  bool RootObject(const PayloadRef& message, std::string_view text, RecordBatch* batch,
                  std::vector<DecodeError>* errors);
  bool RootArray(const PayloadRef& message, RecordBatch* batch, std::vector<DecodeError>* errors);
  bool Record(ondemand::object& object, RecordBatch* batch, int depth);
  bool WalkObject(ondemand::object& object, FieldNode* node, int depth);
  bool FindNode(ondemand::field& field, const char* raw, FieldNode* parent,
                const KeyOrder::Key** expected, FieldNode** node);
  bool Take(ondemand::value& value, FieldNode* node, int depth);
  bool TakeString(ondemand::value& value, std::string_view token, const FieldNode& node);
  bool TakeNumber(const char* at, const FieldNode& node);
  bool TakeContainer(ondemand::value& value, const char* at, FieldNode* node, int depth);
  bool Skip(ondemand::value& value, int depth);
  bool SkipString(ondemand::value& value, std::string_view token);
  bool SkipObject(ondemand::object& object, int depth);
  bool SkipArray(ondemand::value& value, int depth);

  // The index of the field `node` writes to now, or -1: a literal key was seen and wins.
  int32_t Target(const FieldNode& node) {
    if (!has_paths_ || node.field < 0) return node.field;
    const auto field = static_cast<size_t>(node.field);
    if (node.literal) literal_seen_[field] = 1;
    return node.path && literal_seen_[field] != 0 ? -1 : node.field;
  }
  // A key on the way to fields deeper down appears (again): what an earlier one gave is void.
  void ForgetBelow(const FieldNode& node) {
    for (const uint32_t field : node.below) {
      if (literal_seen_[field] == 0) writer_.Null(field);
    }
  }

  bool Fail(const char* what, const char* at) {
    fault_.what = what;
    fault_.at = at;
    return false;
  }
  // The same whoever reads the field.
  bool FailWord(const char* at) { return Fail("expected true, false or null", at); }
  bool Fail(simdjson::error_code code) {
    const char* at = nullptr;
    if (doc_.current_location().get(at) != simdjson::SUCCESS || at > end_) at = end_;
    return Fail(simdjson::error_message(code), at);
  }
  bool Inside(const char* at) { return at < end_ || Fail("the text ends too early", end_); }
  // Call when the container that begins at `at` has been walked: `text` is its bytes. False when
  // the walk has left the payload: a container within another is not the end.
  bool Closed(const char* at, std::string_view* text) {
    const char* next = nullptr;
    if (const auto code = doc_.current_location().get(next)) return Fail(code);
    if (next <= at || next >= end_) return Fail("the text ends too early", end_);
    *text = TrimRight(at, next);
    return true;
  }

  void Report(const PayloadRef& message, std::vector<DecodeError>* errors) const;

  RowWriter writer_;
  std::unique_ptr<FieldNode> root_;
  std::vector<uint8_t> literal_seen_;  // per field, in this record
  bool has_paths_ = false;
  static constexpr uint32_t kFlatPatience = 16, kFlatPause = 64;
  uint32_t flat_misses_ = 0;           // payloads in a row that were not flat
  ondemand::parser parser_;
  ondemand::document doc_;
  const char* begin_ = nullptr;  // of the JSON text
  const char* end_ = nullptr;
  Fault fault_;
};

void JsonDecoder::Decode(const PayloadRef& message, RecordBatch* batch,
                         std::vector<DecodeError>* errors) {
  const uint32_t rows = batch->rows;
  const size_t error_count = errors->size();
  std::string_view text = WithoutMarks(message.payload);
  if (TryFlat(message, text, batch, errors)) return;
  if (!Parse(message, text, batch, errors)) {
    TakeBack(writer_.fields(), rows, error_count, batch, errors);
    // The library looks one byte behind the text for a bracket, and words its complaint by it. What is
    // reported must depend on the payload alone.
    std::string copy;
    if (const char behind = text.data()[text.size()]; behind == '}' || behind == ']') {
      copy.assign(text).append(kPayloadPadding, ' ');
      text = std::string_view(copy).substr(0, text.size());
      Parse(message, text, batch, errors);
      TakeBack(writer_.fields(), rows, error_count, batch, errors);
    }
    Report(message, errors);
  }
  if (parser_.capacity() > kKeptScratchBytes) {
    doc_ = ondemand::document();
    parser_ = ondemand::parser();
  }
}

// The short way. Where it leads nowhere time and again it is only tried now and then.
bool JsonDecoder::TryFlat(const PayloadRef& message, std::string_view text, RecordBatch* batch,
                          std::vector<DecodeError>* errors) {
  if (has_paths_ || (flat_misses_ > kFlatPatience && flat_misses_++ % kFlatPause != 0)) return false;
  writer_.Begin(batch);
  if (!ReadFlatObject(text, *root_, &writer_)) {
    writer_.Abandon();
    ++flat_misses_;
    return false;
  }
  flat_misses_ = 0;
  writer_.Finish(message, text, errors);
  return true;
}

void JsonDecoder::Report(const PayloadRef& message, std::vector<DecodeError>* errors) const {
  DecodeError error;
  error.offset = message.offset;
  error.code = fault_.code;
  error.detail = fault_.what;
  if (fault_.at != nullptr) {
    const std::ptrdiff_t before = WithoutMarks(message.payload).data() - message.payload.data();
    error.detail = "not well-formed JSON near byte " +
                   std::to_string(fault_.at - begin_ + before) +
                   ": " + error.detail;
  }
  error.raw = message.payload;
  errors->push_back(std::move(error));
}

bool JsonDecoder::Parse(const PayloadRef& message, std::string_view text, RecordBatch* batch,
                        std::vector<DecodeError>* errors) {
  fault_ = Fault();
  begin_ = text.data();
  end_ = begin_ + text.size();
  const char* first = begin_;
  while (first < end_ && IsJsonSpace(*first)) ++first;
  if (first == end_) return Fail("payload is empty, expected a JSON object or array", nullptr);
  if (text.size() > kMaxJsonBytes) {
    fault_.code = ErrorCode::kRecordTooLarge;
    return Fail("payload is larger than a JSON payload may be (16 MB)", nullptr);
  }
  if (*first != '{' && *first != '[') {
    return Fail("expected an object or an array of objects", first);
  }
  if (text.size() > parser_.capacity()) {
    const size_t wanted = std::bit_ceil(text.size() < 4096 ? size_t{4096} : text.size());
    if (const auto code = parser_.allocate(wanted)) {
      fault_.code = ErrorCode::kRecordTooLarge;
      return Fail(simdjson::error_message(code), nullptr);
    }
  }
  const auto code =
      parser_.iterate(begin_, text.size(), text.size() + simdjson::SIMDJSON_PADDING).get(doc_);
  if (code == simdjson::UTF8_ERROR) return Fail("not valid UTF-8", begin_ + FirstInvalidUtf8(text));
  if (code != simdjson::SUCCESS) return Fail(simdjson::error_message(code), begin_);
  const bool well_formed =
      *first == '{' ? RootObject(message, text, batch, errors) : RootArray(message, batch, errors);
  if (!well_formed) return false;
  const char* next = nullptr;
  if (doc_.current_location().get(next) == simdjson::OUT_OF_BOUNDS) return true;  // all was read
  return Fail("expected nothing but white space behind the value", std::min(next, end_));
}

bool JsonDecoder::RootObject(const PayloadRef& message, std::string_view text, RecordBatch* batch,
                             std::vector<DecodeError>* errors) {
  ondemand::object object;
  if (const auto code = doc_.get_object().get(object)) return Fail(code);
  if (!Record(object, batch, 1)) return false;
  writer_.Finish(message, text, errors);
  return true;
}

bool JsonDecoder::RootArray(const PayloadRef& message, RecordBatch* batch,
                            std::vector<DecodeError>* errors) {
  ondemand::array array;
  if (const auto code = doc_.get_array().get(array)) return Fail(code);
  uint32_t count = 0;
  for (simdjson::simdjson_result<ondemand::value> element : array) {
    if (const auto code = element.error()) return Fail(code);
    ondemand::value& value = element.value_unsafe();
    if (++count > kMaxRecordsPerPayload) {
      fault_.code = ErrorCode::kRecordTooLarge;
      return Fail("the array has more elements than one payload may have (65536)", nullptr);
    }
    const std::string_view token = value.raw_json_token();
    const char* const at = token.data();
    if (!Inside(at)) return false;
    std::string_view raw = TrimRight(at, at + token.size());
    if (*at != '{') {
      if (!Skip(value, 1) || (*at == '[' && !Closed(at, &raw))) return false;
      errors->push_back({message.offset, ErrorCode::kMalformedPayload,
                         "element " + std::to_string(count - 1) + " of the array is not an object",
                         raw});
      continue;
    }
    ondemand::object object;
    if (const auto code = value.get_object().get(object)) return Fail(code);
    if (!Record(object, batch, 2)) return false;
    if (!Closed(at, &raw)) {
      writer_.Abandon();
      return false;
    }
    writer_.Finish(message, raw, errors);
  }
  return true;
}

bool JsonDecoder::Record(ondemand::object& object, RecordBatch* batch, int depth) {
  writer_.Begin(batch);
  if (has_paths_) std::memset(literal_seen_.data(), 0, literal_seen_.size());
  if (WalkObject(object, root_.get(), depth)) return true;
  writer_.Abandon();
  return false;
}

bool JsonDecoder::WalkObject(ondemand::object& object, FieldNode* node, int depth) {
  const KeyOrder::Key* expected = node->order.first();
  for (simdjson::simdjson_result<ondemand::field> item : object) {
    if (const auto code = item.error()) return Fail(code);
    ondemand::field& field = item.value_unsafe();
    const char* const raw = field.key().raw();
    if (!Inside(raw)) return false;
    FieldNode* child = nullptr;
    if (const KeyOrder::Key* key = KeyOrder::Predict(raw - 1, expected)) {
      child = key->node;
      expected = key + 1;
    } else if (!FindNode(field, raw, node, &expected, &child)) {
      return false;
    }
    if (child == nullptr ? !Skip(field.value(), depth) : !Take(field.value(), child, depth)) {
      return false;
    }
  }
  return true;
}

// Looks the key up and remembers it. The index pass has made sure that a quote closes it.
bool JsonDecoder::FindNode(ondemand::field& field, const char* raw, FieldNode* parent,
                           const KeyOrder::Key** expected, FieldNode** node) {
  const char* end = raw;
  bool escaped = false;
  for (; *end != '"'; ++end) {
    if (*end != '\\') continue;
    escaped = true;
    ++end;
  }
  const std::string_view raw_key(raw, static_cast<size_t>(end - raw));
  std::string_view key = raw_key;
  if (escaped) {
    if (const auto code = field.unescaped_key().get(key)) return Fail(code);
  }
  *node = parent == nullptr ? nullptr : parent->Find(key);
  if (parent != nullptr) *expected = parent->order.Learn(raw_key, *node, *expected);
  return true;
}

bool JsonDecoder::Take(ondemand::value& value, FieldNode* node, int depth) {
  const std::string_view token = value.raw_json_token();
  const char* const at = token.data();
  if (!Inside(at)) return false;
  if (!node->below.empty()) ForgetBelow(*node);
  switch (*at) {
    case '"': return TakeString(value, token, *node);
    case '{':
    case '[': return TakeContainer(value, at, node, depth + 1);
    case 't':
    case 'f': {
      const bool truth = *at == 't';
      if (!IsJsonWord(at, truth ? "true" : "false")) break;
      if (const int32_t field = Target(*node); field >= 0) writer_.Bool(field, truth);
      return true;
    }
    case 'n': {
      if (!IsJsonWord(at, "null")) break;
      if (const int32_t field = Target(*node); field >= 0) writer_.Null(field);
      return true;
    }
    default: return TakeNumber(at, *node);
  }
  return FailWord(at);
}

bool JsonDecoder::TakeString(ondemand::value& value, std::string_view token,
                             const FieldNode& node) {
  std::string_view text;
  if (std::memchr(token.data(), '\\', token.size()) != nullptr) {
    if (const auto code = value.get_string().get(text)) return Fail(code);
  } else {
    ondemand::raw_json_string raw;
    if (const auto code = value.get_raw_json_string().get(raw)) return Fail(code);
    text = TrimRight(token.data(), token.data() + token.size());
    text = text.substr(1, text.size() - 2);
  }
  if (const int32_t field = Target(node); field >= 0) writer_.String(field, text);
  return true;
}

// The library's own conversion is not used: version 3.0.1 misreads numbers below 1 of 20 and more digits.
bool JsonDecoder::TakeNumber(const char* at, const FieldNode& node) {
  const JsonNumber number = ScanJsonNumber(at);
  if (!number.valid) return Fail("expected a value", at);
  const std::string_view text(at, static_cast<size_t>(number.end - at));
  if (const int32_t field = Target(node); field >= 0) writer_.Number(field, number.Read(), text);
  return true;
}

bool JsonDecoder::TakeContainer(ondemand::value& value, const char* at, FieldNode* node,
                                int depth) {
  const bool is_object = *at == '{';
  if (is_object) {
    if (depth > kMaxJsonDepth) return Fail("nested too deeply", at);
    ondemand::object object;
    if (const auto code = value.get_object().get(object)) return Fail(code);
    if (node->children.empty() ? !SkipObject(object, depth) : !WalkObject(object, node, depth)) {
      return false;
    }
  } else if (!SkipArray(value, depth)) {
    return false;
  }
  std::string_view text;
  if (!Closed(at, &text)) return false;
  if (const int32_t field = Target(*node); field >= 0) {
    writer_.String(field, text, is_object ? Found::kObject : Found::kArray);
  }
  return true;
}

bool JsonDecoder::Skip(ondemand::value& value, int depth) {
  const std::string_view token = value.raw_json_token();
  const char* const at = token.data();
  if (!Inside(at)) return false;
  switch (*at) {
    case '"': return SkipString(value, token);
    case '{': {
      if (depth >= kMaxJsonDepth) return Fail("nested too deeply", at);
      ondemand::object object;
      if (const auto code = value.get_object().get(object)) return Fail(code);
      std::string_view text;
      return SkipObject(object, depth + 1) && Closed(at, &text);
    }
    case '[': {
      std::string_view text;
      return SkipArray(value, depth + 1) && Closed(at, &text);
    }
    case 't': return IsJsonWord(at, "true") || FailWord(at);
    case 'f': return IsJsonWord(at, "false") || FailWord(at);
    case 'n': return IsJsonWord(at, "null") || FailWord(at);
    default: return ScanJsonNumber(at).valid || Fail("expected a value", at);
  }
}

// Reading a string also moves the walk on: left to itself, the library's skip would take a colon
// behind it for that of a key.
bool JsonDecoder::SkipString(ondemand::value& value, std::string_view token) {
  if (std::memchr(token.data(), '\\', token.size()) != nullptr) {
    std::string_view text;
    const auto code = value.get_string().get(text);
    return code == simdjson::SUCCESS || Fail(code);
  }
  ondemand::raw_json_string raw;
  const auto code = value.get_raw_json_string().get(raw);
  return code == simdjson::SUCCESS || Fail(code);
}

bool JsonDecoder::SkipObject(ondemand::object& object, int depth) {
  for (simdjson::simdjson_result<ondemand::field> item : object) {
    if (const auto code = item.error()) return Fail(code);
    ondemand::field& field = item.value_unsafe();
    const char* const raw = field.key().raw();
    FieldNode* none = nullptr;
    if (!Inside(raw) || !FindNode(field, raw, nullptr, nullptr, &none)) return false;
    if (!Skip(field.value(), depth)) return false;
  }
  return true;
}

bool JsonDecoder::SkipArray(ondemand::value& value, int depth) {
  if (depth > kMaxJsonDepth) return Fail("nested too deeply", value.raw_json_token().data());
  ondemand::array array;
  if (const auto code = value.get_array().get(array)) return Fail(code);
  for (simdjson::simdjson_result<ondemand::value> item : array) {
    if (const auto code = item.error()) return Fail(code);
    if (!Skip(item.value_unsafe(), depth)) return false;
  }
  return true;
}

}  // namespace
}  // namespace decode

std::unique_ptr<Decoder> NewJsonDecoder(std::vector<DecodedField> fields) {
  return std::make_unique<decode::JsonDecoder>(std::move(fields));
}

}  // namespace rivulet
