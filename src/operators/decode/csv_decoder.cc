// The CSV decoder: a line is a record; a line at fault is one dead letter, the others count.
//
// Without column names in the options the first line ever seen is the header (and yields no
// record); of columns with the same name the first counts. A projected field that is no column is
// null in every record.
#include <algorithm>
#include <string>
#include <utility>

#include "operators/decode/csv_reader.h"
#include "operators/decode/decoder.h"
#include "operators/decode/limits.h"
#include "operators/decode/payload_text.h"
#include "operators/decode/row_writer.h"
#include "operators/decode/text_value.h"

namespace rivulet {
namespace decode {
namespace {

class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(std::vector<DecodedField> fields, CsvOptions options)
      : writer_(std::move(fields)), reader_(options.delimiter) {
    if (!options.columns.empty()) SetColumns(options.columns);
  }

  void Decode(const PayloadRef& message, RecordBatch* batch,
              std::vector<DecodeError>* errors) override {
    const uint32_t rows = batch->rows;
    const size_t error_count = errors->size();
    reader_.Start(WithoutMarks(message.payload));
    uint32_t lines = 0;
    for (CsvLine line = reader_.Next(); line != CsvLine::kEnd; line = reader_.Next()) {
      if (++lines > kMaxRecordsPerPayload + 1) {
        TakeBack(writer_.fields(), rows, error_count, batch, errors);
        errors->push_back({message.offset, ErrorCode::kRecordTooLarge,
                           "payload has more lines than one payload may have (65536)",
                           message.payload});
        return;
      }
      if (line == CsvLine::kMalformed) {
        Malformed(message, reader_.fault(), errors);
      } else if (column_count_ == 0) {
        SetHeader();
      } else {
        DecodeLine(message, batch, errors);
      }
    }
  }

 private:
  // Where a projected field is found in a line.
  struct Source {
    size_t cell;
    uint32_t field;
  };

  void SetColumns(const std::vector<std::string>& names) {
    column_count_ = names.size();
    for (uint32_t k = 0; k < writer_.fields().size(); ++k) {
      const auto at = std::find(names.begin(), names.end(), writer_.fields()[k].name);
      if (at != names.end()) sources_.push_back({static_cast<size_t>(at - names.begin()), k});
    }
  }

  void SetHeader() {
    std::vector<std::string> names;
    for (const CsvCell& cell : reader_.cells()) names.emplace_back(cell.text);
    SetColumns(names);
  }

  void DecodeLine(const PayloadRef& message, RecordBatch* batch,
                  std::vector<DecodeError>* errors) {
    const std::vector<CsvCell>& cells = reader_.cells();
    if (cells.size() != column_count_) {
      Malformed(message,
                "line has " + std::to_string(cells.size()) + " cells, expected " +
                    std::to_string(column_count_),
                errors);
      return;
    }
    writer_.Begin(batch);
    for (const Source& source : sources_) {
      const CsvCell& cell = cells[source.cell];
      if (cell.text.empty() && !cell.quoted) continue;  // stays null
      SetFromText(&writer_, source.field, cell.text, /*words=*/false);
    }
    writer_.Finish(message, reader_.raw(), errors);
  }

  void Malformed(const PayloadRef& message, std::string detail,
                 std::vector<DecodeError>* errors) const {
    errors->push_back(
        {message.offset, ErrorCode::kMalformedPayload, std::move(detail), reader_.raw()});
  }

  RowWriter writer_;
  CsvReader reader_;
  size_t column_count_ = 0;  // 0: the header has not come yet
  std::vector<Source> sources_;
};

}  // namespace
}  // namespace decode

std::unique_ptr<Decoder> NewCsvDecoder(std::vector<DecodedField> fields, CsvOptions options) {
  return std::make_unique<decode::CsvDecoder>(std::move(fields), std::move(options));
}

}  // namespace rivulet
