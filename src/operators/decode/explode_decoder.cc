#include "operators/decode/explode_decoder.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/json_writer.h"
#include "operators/decode/limits.h"
#include "operators/expr/json_text.h"

namespace rivulet {
namespace {

class ExplodeDecoder final : public Decoder {
 public:
  ExplodeDecoder(std::unique_ptr<Decoder> outer, std::vector<DecodedField> outer_fields,
                 std::vector<uint32_t> columns, std::vector<DecodedField> element_fields,
                 ExplodeOptions options)
      : outer_(std::move(outer)),
        columns_(std::move(columns)),
        elements_(NewJsonDecoder(std::move(element_fields))),
        options_(std::move(options)) {
    const auto field = std::find_if(outer_fields.begin(), outer_fields.end(),
                                    [this](const auto& f) { return f.name == options_.field; });
    field_ = static_cast<size_t>(field - outer_fields.begin());
    AppendJsonString(&opening_, options_.as);
    opening_.insert(0, "{");
    opening_ += ":";
  }

  void Decode(const PayloadRef& message, RecordBatch* batch,
              std::vector<DecodeError>* errors) override {
    records_.Reset(static_cast<uint32_t>(columns_.size()), std::max(records_.capacity(), 1u));
    elements_so_far_ = expanded_bytes_ = 0;
    outer_->Decode(message, &records_, errors);
    for (uint32_t row = 0; row < records_.rows; ++row) Explode(row, batch, errors);
  }

 private:
  void Explode(uint32_t row, RecordBatch* batch, std::vector<DecodeError>* errors) {
    const Column& arrays = records_.columns[field_];
    if (arrays.is_null(row)) return;
    ErrorCode code = ErrorCode::kWrongFieldType;
    std::string fault = "field '" + options_.field + "' is not a JSON array, as 'explode' needs";
    if (arrays.type(row) == Type::kString && WrapElements(arrays.String(row), &code, &fault)) {
      ExpandsTooFar(row, &code, &fault);
    }
    if (!fault.empty()) {
      errors->push_back({records_.offset[row], code, std::move(fault), records_.raw[row]});
      return;
    }
    const uint32_t first_row = batch->rows;
    const size_t first_error = errors->size();
    text_.append(kPayloadPadding, ' ');
    // Of late records and dead letters each has its element: the views stay as long as the batch.
    const std::string_view text = batch->kept.Keep(text_);
    elements_so_far_ += starts_.size();
    const PayloadRef payload{text.substr(0, text.size() - kPayloadPadding), records_.arrival[row],
                             records_.offset[row]};
    elements_->Decode(payload, batch, errors);
    Place(row, text.data(), first_row, first_error, batch, errors);
    for (size_t c = 0; c < columns_.size(); ++c) {
      Copy(records_.columns[c].Get(row), first_row, batch->rows, &batch->columns[columns_[c]]);
    }
    if (text_.capacity() > decode::kKeptScratchBytes) text_ = std::string();
  }

  // Makes `text_` of the array [a, b]: [{"as":a},{"as":b}], which the JSON decoder reads as it reads any
  // payload: declared types, paths, faults of single records. `*fault` is empty when it could.
  bool WrapElements(std::string_view text, ErrorCode* code, std::string* fault) {
    if (!expr::IsJson(text)) return false;
    const size_t start = text.find_first_not_of(" \n\r\t");
    if (text[start] != '[') return false;
    text_ = "[";
    starts_.clear();
    for (expr::JsonItems items(text.substr(start)); items.Next();) {
      if (elements_so_far_ + starts_.size() == decode::kMaxRecordsPerPayload) {
        *code = ErrorCode::kRecordTooLarge;
        *fault = "more elements in '" + options_.field + "' than the records of one payload may have (" +
                 std::to_string(decode::kMaxRecordsPerPayload) + ")";
        return false;
      }
      if (text_.size() > 1) text_ += ',';
      starts_.push_back(static_cast<uint32_t>(text_.size()));
      text_.append(opening_).append(items.value());
      text_ += '}';
    }
    text_ += ']';
    fault->clear();
    return true;
  }

  // Each element brings the text fields of the whole record along: few to hold, but many to write out.
  void ExpandsTooFar(uint32_t row, ErrorCode* code, std::string* fault) {
    uint64_t bytes = 0;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = records_.columns[c];
      if (c != field_ && column.type(row) == Type::kString) bytes += column.String(row).size();
    }
    bytes *= starts_.size();
    if (bytes <= decode::kMaxExpandedBytes - expanded_bytes_) {
      expanded_bytes_ += bytes;
      return;
    }
    *code = ErrorCode::kExpandsTooFar;
    *fault = "its text fields times the " + std::to_string(starts_.size()) + " elements of '" +
             options_.field + "' are " + std::to_string(bytes) + " bytes, expected at most " +
             std::to_string(decode::kMaxExpandedBytes) + " in one payload";
  }

  // Says of the rows and faults which elements they are. Each names a part of `text`, in order.
  void Place(uint32_t row, const char* text, uint32_t first_row, size_t first_error,
             RecordBatch* batch, std::vector<DecodeError>* errors) {
    const uint64_t whole = Hash64(records_.raw[row]);
    batch->elements.resize(batch->rows);
    uint32_t element = 0;
    for (uint32_t k = first_row; k < batch->rows; ++k) {
      element = NumberOf(batch->raw[k].data() - text, element);
      batch->elements[k] = {element, whole};
      batch->raw[k] = Unwrapped(batch->raw[k]);
    }
    element = 0;
    for (size_t e = first_error; e < errors->size(); ++e) {
      DecodeError& error = (*errors)[e];
      if (error.raw.data() == text) {
        error.raw = records_.raw[row];  // the array as a whole is at fault
        continue;
      }
      error.element = element = NumberOf(error.raw.data() - text, element);
      error.raw = Unwrapped(error.raw);
    }
  }

  // The number of the element that begins at `start`, which lies behind element number `before`.
  uint32_t NumberOf(std::ptrdiff_t start, uint32_t before) const {
    const auto from = starts_.begin() + before;
    return static_cast<uint32_t>(std::lower_bound(from, starts_.end(), start) - starts_.begin()) + 1;
  }

  std::string_view Unwrapped(std::string_view record) const {
    return record.substr(opening_.size(), record.size() - opening_.size() - 1);
  }

  static void Copy(const Value& value, uint32_t begin, uint32_t end, Column* column) {
    for (uint32_t row = begin; row < end; ++row) {
      if (row > begin && value.type == Type::kString) {
        column->ShareString(row, begin);
      } else {
        column->Set(row, value);
      }
    }
  }

  std::unique_ptr<Decoder> outer_;
  std::vector<uint32_t> columns_;
  std::unique_ptr<Decoder> elements_;
  ExplodeOptions options_;
  size_t field_;
  std::string opening_;
  RecordBatch records_;  // as they come from the outer decoder
  std::string text_;
  std::vector<uint32_t> starts_;  // of elements in text_
  uint64_t elements_so_far_ = 0, expanded_bytes_ = 0;  // of the payload
};

}  // namespace

bool IsOfElement(std::string_view name, const ExplodeOptions& options) {
  return name.starts_with(options.as) &&
         (name.size() == options.as.size() || name[options.as.size()] == '.');
}

std::unique_ptr<Decoder> NewExplodeDecoder(std::unique_ptr<Decoder> outer,
                                           std::vector<DecodedField> outer_fields,
                                           std::vector<uint32_t> columns,
                                           std::vector<DecodedField> element_fields,
                                           ExplodeOptions options) {
  return std::make_unique<ExplodeDecoder>(std::move(outer), std::move(outer_fields),
                                          std::move(columns), std::move(element_fields),
                                          std::move(options));
}

}  // namespace rivulet
