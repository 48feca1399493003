// Reference tables in SQLite databases: a table or a view, read as a whole in one statement, and so in one
// state of the database whoever writes to it meanwhile.
//
// The database is opened for each reading only, and for reading only: nothing is locked in between, and a
// file that is replaced is no special case.
#include <sqlite3.h>

#include <algorithm>

#include "base/suggest.h"
#include "node/tables/table_rows.h"

namespace rivulet {
namespace {

constexpr int kPatienceMs = 200;  // waiting for a writer's lock

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

std::string Quote(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

class SqliteTable final : public TableFile {
 public:
  explicit SqliteTable(const TablePlan* plan) : plan_(plan) {}

  // What is committed lies in the one file or the other.
  std::string Version() override {
    const std::string file = FileVersion(plan_->path);
    return file.empty() ? file : file + ", " + FileVersion(plan_->path + "-wal");
  }

  std::unique_ptr<LookupTable> Read(TableFault* fault) override {
    TableRows rows(plan_);
    fault->mark = plan_->mark;
    const bool good = ReadRows(&rows, fault);
    fault->status = rows.status();
    return good ? rows.Take() : nullptr;
  }

 private:
  bool ReadRows(TableRows* rows, TableFault* fault) const {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(plan_->path.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
    const Database db(raw);
    if (code != SQLITE_OK) return Failure(db.get(), rows);
    sqlite3_busy_timeout(raw, kPatienceMs);
    std::string sql;
    if (!CheckColumns(db.get(), rows, fault, &sql)) return false;
    const Statement statement = Prepare(db.get(), sql);
    if (statement == nullptr) return Failure(db.get(), rows);
    for (uint64_t number = 1;; ++number) {
      const int step = sqlite3_step(statement.get());
      if (step == SQLITE_DONE) return true;
      if (step != SQLITE_ROW) return Failure(db.get(), rows);
      if (!AddRow(statement.get(), number, rows)) return false;
    }
  }

  static Statement Prepare(sqlite3* db, const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    sqlite3_prepare_v2(db, sql.c_str(), static_cast<int>(sql.size()) + 1, &raw, nullptr);
    return Statement(raw);
  }

  static bool Failure(sqlite3* db, TableRows* rows) {
    const int code = db == nullptr ? SQLITE_NOMEM : sqlite3_errcode(db) & 0xff;
    const bool locked = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    const bool unreadable = code == SQLITE_CANTOPEN || code == SQLITE_PERM || code == SQLITE_IOERR;
    return rows->Fail(locked       ? ErrorCode::kLocked
                      : unreadable ? ErrorCode::kFileNotReadable
                                   : ErrorCode::kBadTable,
                      db == nullptr ? "out of memory" : sqlite3_errmsg(db));
  }

  // A name in quotes that is no column is text for SQLite, so columns are looked up first. Fills `*sql` with
  // what selects those of the plan.
  bool CheckColumns(sqlite3* db, TableRows* rows, TableFault* fault, std::string* sql) const {
    const std::string from = " FROM " + Quote(plan_->sqlite_table);
    const Statement all = Prepare(db, "SELECT *" + from);
    if (all == nullptr) return Failure(db, rows);
    std::vector<std::string> found;
    for (int i = 0; i < sqlite3_column_count(all.get()); ++i) {
      found.emplace_back(sqlite3_column_name(all.get(), i));
    }
    for (uint32_t i = 0; i < plan_->columns(); ++i) {
      const std::string& name = plan_->layout.columns[i];
      *sql += (i == 0 ? "SELECT " : ", ") + Quote(name);
      if (std::find(found.begin(), found.end(), name) != found.end()) continue;
      fault->mark = plan_->marks[i];
      return rows->Fail(ErrorCode::kUnknownName, "'" + plan_->sqlite_table + "' has no column '" + name +
                                                     "'" + DidYouMean(name, found));
    }
    *sql += from;
    return true;
  }

  bool AddRow(sqlite3_stmt* statement, uint64_t number, TableRows* rows) const {
    RecordBatch* batch = rows->batch();
    batch->rows = 1;
    for (uint32_t i = 0; i < plan_->columns(); ++i) {
      const DecodedField& field = plan_->fields[i];
      const Value value = Fit(ValueOf(statement, static_cast<int>(i)), field.type);
      batch->columns[i].Set(0, value);
      const bool blob = sqlite3_column_type(statement, static_cast<int>(i)) == SQLITE_BLOB;
      const bool fits = (field.type & MaskOf(value.type)) != 0 && !(field.required && value.is_null());
      if (fits && !blob) continue;
      return rows->Fail(ErrorCode::kBadTable,
                        "row " + std::to_string(number) + ": '" + field.name + "' is " +
                            (blob ? "a blob" : std::string(TypeName(value.type))) + ", expected " +
                            (blob ? "a number or text" : "the type declared in 'fields'"));
    }
    return rows->Add("row " + std::to_string(number));
  }

  static Value ValueOf(sqlite3_stmt* statement, int i) {
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_INTEGER: return Value::Int(sqlite3_column_int64(statement, i));
      case SQLITE_FLOAT: return Value::Float(sqlite3_column_double(statement, i));
      case SQLITE_TEXT: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        return Value::String({text, static_cast<size_t>(sqlite3_column_bytes(statement, i))});
      }
      default: return Value::Null();
    }
  }

  // SQLite has no truth values, and keeps whole floats as it likes.
  static Value Fit(const Value& value, TypeMask type) {
    if (value.type != Type::kInt || (type & MaskOf(Type::kInt)) != 0) return value;
    if ((type & MaskOf(Type::kFloat)) != 0) return Value::Float(static_cast<double>(value.i));
    const bool truth = (type & MaskOf(Type::kBool)) != 0 && (value.i == 0 || value.i == 1);
    return truth ? Value::Bool(value.i == 1) : value;
  }

  const TablePlan* plan_;
};

}  // namespace

std::unique_ptr<TableFile> NewSqliteTable(const TablePlan* plan) {
  return std::make_unique<SqliteTable>(plan);
}

}  // namespace rivulet
