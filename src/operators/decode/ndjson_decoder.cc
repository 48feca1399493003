// Newline-delimited JSON: each line of a payload is decoded as a payload of its own.
#include <utility>

#include "operators/decode/decoder.h"
#include "operators/decode/limits.h"
#include "operators/decode/payload_text.h"
#include "operators/decode/row_writer.h"

namespace rivulet {
namespace decode {
namespace {

class NdjsonDecoder final : public Decoder {
 public:
  explicit NdjsonDecoder(std::vector<DecodedField> fields)
      : fields_(fields), lines_(NewJsonDecoder(std::move(fields))) {}

  void Decode(const PayloadRef& message, RecordBatch* batch,
              std::vector<DecodeError>* errors) override {
    const uint32_t rows = batch->rows;
    const size_t error_count = errors->size();
    std::string_view rest = WithoutMarks(message.payload);
    bool empty = true;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      empty = false;
      lines_->Decode({line, message.arrival_us, message.offset}, batch, errors);
      if (batch->rows - rows + errors->size() - error_count <= kMaxRecordsPerPayload) continue;
      TakeBack(fields_, rows, error_count, batch, errors);
      errors->push_back({message.offset, ErrorCode::kRecordTooLarge,
                         "payload has more records than one payload may have (65536)", message.payload});
      return;
    }
    if (!empty) return;
    errors->push_back({message.offset, ErrorCode::kMalformedPayload,
                       "payload is empty, expected lines of JSON", message.payload});
  }

 private:
  std::vector<DecodedField> fields_;
  std::unique_ptr<Decoder> lines_;
};

}  // namespace
}  // namespace decode

std::unique_ptr<Decoder> NewNdjsonDecoder(std::vector<DecodedField> fields) {
  return std::make_unique<decode::NdjsonDecoder>(std::move(fields));
}

}  // namespace rivulet
