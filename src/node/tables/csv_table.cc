// Reference tables in CSV files: a header with the columns' names, then a row a line (RFC 4180 quoting).
// Cells are read as the csv format of sources reads them.
#include <algorithm>

#include "base/suggest.h"
#include "node/config/text_file.h"
#include "node/tables/table_rows.h"
#include "operators/decode/csv_reader.h"

namespace rivulet {
namespace {

constexpr size_t kMostBytes = 64u << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class CsvTable final : public TableFile {
 public:
  explicit CsvTable(const TablePlan* plan) : plan_(plan) {}

  std::string Version() override { return FileVersion(plan_->path); }

  std::unique_ptr<LookupTable> Read(TableFault* fault) override {
    fault->mark = plan_->mark;
    fault->status = ReadTextFile(plan_->path, kMostBytes, &text_);
    std::unique_ptr<LookupTable> table;
    if (fault->status.ok()) table = ReadRows(fault);
    text_ = std::string();
    return table;
  }

 private:
  std::unique_ptr<LookupTable> ReadRows(TableFault* fault) {
    std::string_view text = text_;
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    decode::CsvReader reader(plan_->delimiter);
    reader.Start(text);
    TableRows rows(plan_);
    const decode::CsvLine first = reader.Next();
    if (first != decode::CsvLine::kLine) {
      rows.Fail(ErrorCode::kBadTable, first == decode::CsvLine::kEnd
                                          ? "the file is empty; expected a line with the columns' names"
                                          : std::string("line 1: ") + reader.fault());
      fault->status = rows.status();
      return nullptr;
    }
    CsvOptions options;
    options.delimiter = plan_->delimiter;
    for (const decode::CsvCell& cell : reader.cells()) options.columns.emplace_back(cell.text);
    if (!CheckColumns(options.columns, &rows, fault)) return nullptr;
    const std::unique_ptr<Decoder> decoder = NewCsvDecoder(plan_->fields, std::move(options));
    size_t line = 1;
    const char* counted = text.data();  // up to here line ends are counted
    for (decode::CsvLine kind = reader.Next(); kind != decode::CsvLine::kEnd; kind = reader.Next()) {
      const char* at = reader.raw().data();
      line += static_cast<size_t>(std::count(counted, at, '\n'));
      counted = at;
      if (!AddLine(kind, reader, line, decoder.get(), &rows)) {
        fault->status = rows.status();
        return nullptr;
      }
    }
    return rows.Take();
  }

  bool AddLine(decode::CsvLine kind, const decode::CsvReader& reader, size_t line, Decoder* decoder,
               TableRows* rows) {
    const std::string where = "line " + std::to_string(line);
    if (kind == decode::CsvLine::kMalformed) {
      return rows->Fail(ErrorCode::kBadTable, where + ": " + reader.fault());
    }
    errors_.clear();
    decoder->Decode({reader.raw(), 0, 0}, rows->batch(), &errors_);
    if (!errors_.empty()) return rows->Fail(ErrorCode::kBadTable, where + ": " + errors_[0].detail);
    return rows->Add(where);
  }

  bool CheckColumns(const std::vector<std::string>& found, TableRows* rows, TableFault* fault) const {
    for (uint32_t i = 0; i < plan_->columns(); ++i) {
      const std::string& name = plan_->layout.columns[i];
      if (std::find(found.begin(), found.end(), name) != found.end()) continue;
      rows->Fail(ErrorCode::kUnknownName, "there is no column '" + name + "'" + DidYouMean(name, found));
      *fault = {rows->status(), plan_->marks[i]};
      return false;
    }
    return true;
  }

  const TablePlan* plan_;
  std::string text_;
  std::vector<DecodeError> errors_;
};

}  // namespace

std::unique_ptr<TableFile> NewCsvTable(const TablePlan* plan) {
  return std::make_unique<CsvTable>(plan);
}

}  // namespace rivulet
