#include "operators/decode/explode_decoder.h"

#include <algorithm>
#include <utility>

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
    outer_->Decode(message, &records_, errors);
    for (uint32_t row = 0; row < records_.rows; ++row) Explode(row, batch, errors);
  }

 private:
  void Explode(uint32_t row, RecordBatch* batch, std::vector<DecodeError>* errors) {
    const Column& arrays = records_.columns[field_];
    if (arrays.is_null(row)) return;
    if (arrays.type(row) != Type::kString || !WrapElements(arrays.String(row))) {
      errors->push_back({records_.offset[row], ErrorCode::kWrongFieldType,
                         "field '" + options_.field + "' is not a JSON array, as 'explode' needs",
                         records_.raw[row]});
      return;
    }
    const uint32_t first_row = batch->rows;
    const size_t first_error = errors->size(), size = text_.size();
    text_.append(kPayloadPadding, ' ');
    const PayloadRef payload{std::string_view(text_).substr(0, size), records_.arrival[row],
                             records_.offset[row]};
    elements_->Decode(payload, batch, errors);
    for (size_t e = first_error; e < errors->size(); ++e) (*errors)[e].raw = records_.raw[row];
    for (uint32_t k = first_row; k < batch->rows; ++k) batch->raw[k] = records_.raw[row];
    for (size_t c = 0; c < columns_.size(); ++c) {
      Copy(records_.columns[c].Get(row), first_row, batch->rows, &batch->columns[columns_[c]]);
    }
    if (text_.capacity() > decode::kKeptScratchBytes) text_ = std::string();
  }

  // Makes `text_` of the array [a, b]: [{"as":a},{"as":b}], which the JSON decoder reads as it reads any
  // payload: declared types, paths, faults of single records.
  bool WrapElements(std::string_view text) {
    if (!expr::IsJson(text)) return false;
    const size_t start = text.find_first_not_of(" \n\r\t");
    if (text[start] != '[') return false;
    text_ = "[";
    for (expr::JsonItems items(text.substr(start)); items.Next();) {
      if (text_.size() > 1) text_ += ',';
      text_.append(opening_).append(items.value());
      text_ += '}';
    }
    text_ += ']';
    return true;
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
