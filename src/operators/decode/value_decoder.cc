#include <algorithm>
#include <utility>

#include "operators/decode/decoder.h"
#include "operators/decode/payload_text.h"
#include "operators/decode/row_writer.h"
#include "operators/decode/text_value.h"

namespace rivulet {
namespace decode {
namespace {

// An empty payload is malformed: on MQTT it says that a retained message is deleted, not a value.
class ValueDecoder final : public Decoder {
 public:
  explicit ValueDecoder(DecodedField field) : writer_({std::move(field)}) {}

  void Decode(const PayloadRef& message, RecordBatch* batch,
              std::vector<DecodeError>* errors) override {
    constexpr std::string_view kSpace = " \t\r\n\v\f";
    std::string_view text = WithoutMarks(message.payload);
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    text = text.substr(0, text.find_last_not_of(kSpace) + 1);
    if (text.empty()) {
      errors->push_back({message.offset, ErrorCode::kMalformedPayload,
                         "payload is empty, expected a value", message.payload});
      return;
    }
    writer_.Begin(batch);
    SetFromText(&writer_, 0, text, /*words=*/true);
    writer_.Finish(message, message.payload, errors);
  }

 private:
  RowWriter writer_;
};

}  // namespace
}  // namespace decode

std::unique_ptr<Decoder> NewValueDecoder(DecodedField field) {
  return std::make_unique<decode::ValueDecoder>(std::move(field));
}

}  // namespace rivulet
