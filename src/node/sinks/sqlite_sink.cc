// The SQLite sink: a table of results, and the cursor beside it in the same transaction.
//
// synchronous=FULL: with WAL and NORMAL a power cut may undo transactions that were reported as
// committed. The cursor would go back with them, but by then the output log may have been trimmed.
// So each Offer costs one sync, and the more results an Offer brings the less each costs.
#include "node/sinks/sqlite_sink.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "base/decimal.h"
#include "node/sinks/flat_json.h"
#include "node/sinks/sink.h"

namespace rivulet {

std::string SqliteVersion() { return sqlite3_libversion(); }

namespace {

constexpr int kPatienceMs = 50;  // waiting for another process's lock: results can wait in the log
constexpr size_t kMaxStatements = 64;   // sets of fields remembered
constexpr char kWholeColumn[] = "json"; // takes results that are not flat objects

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

std::string Quote(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c == '\0' ? '_' : c;
  }
  return quoted + "\"";
}

// SQLite compares column names without regard to the case of ASCII letters.
std::string Fold(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

const char* ColumnType(FlatMember::Kind kind) {
  switch (kind) {
    case FlatMember::Kind::kInteger: return " INTEGER";
    case FlatMember::Kind::kFraction: return " REAL";
    case FlatMember::Kind::kString:
    case FlatMember::Kind::kList: return " TEXT";
    case FlatMember::Kind::kBool: return " BOOLEAN";
    case FlatMember::Kind::kNull: return "";  // not known yet: takes values as they come
  }
  return "";
}

void BindText(sqlite3_stmt* s, int index, const JsonText& text) {
  if (!text.escaped) {
    sqlite3_bind_text64(s, index, text.raw.data(), text.raw.size(), SQLITE_STATIC, SQLITE_UTF8);
    return;
  }
  std::string resolved;
  text.AppendTo(&resolved);
  sqlite3_bind_text64(s, index, resolved.data(), resolved.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void BindNumber(sqlite3_stmt* s, int index, const FlatMember& member) {
  const char* begin = member.text.raw.data();
  const char* end = begin + member.text.raw.size();
  int64_t whole = 0;
  if (member.kind == FlatMember::Kind::kInteger && std::from_chars(begin, end, whole).ptr == end &&
      std::from_chars(begin, end, whole).ec == std::errc()) {
    sqlite3_bind_int64(s, index, whole);
    return;
  }
  double number = 0;
  if (ReadDecimal(member.text.raw, &number) == Decimal::kRead) {
    sqlite3_bind_double(s, index, number);
  } else {
    BindText(s, index, member.text);
  }
}

void Bind(sqlite3_stmt* s, int index, const FlatMember& member) {
  switch (member.kind) {
    case FlatMember::Kind::kNull: sqlite3_bind_null(s, index); break;
    case FlatMember::Kind::kBool: sqlite3_bind_int(s, index, member.text.raw == "true"); break;
    case FlatMember::Kind::kString:
    case FlatMember::Kind::kList: BindText(s, index, member.text); break;
    case FlatMember::Kind::kInteger:
    case FlatMember::Kind::kFraction: BindNumber(s, index, member); break;
  }
}

class SqliteSink final : public Sink {
 public:
  SqliteSink(const SinkSpec& spec, const std::string& pipeline)
      : path_(spec.target.text),
        pipeline_(pipeline),
        table_(spec.table.empty() ? pipeline : spec.table),
        keep_revisions_(spec.keep_revisions),
        record_gaps_(spec.record_gaps) {
    stats_.name = "sqlite " + path_ + " " + table_;
  }

  Status Open(SinkCursor* cursor) override {
    RIVULET_RETURN_IF_ERROR(Connect(!cursor->begun || record_gaps_));
    RIVULET_RETURN_IF_ERROR(LoadColumns());
    RIVULET_ASSIGN_OR_RETURN(const std::optional<uint64_t> own, ReadCursor());
    // A database without the row that it once had is another one, and has nothing.
    if (own || cursor->begun) cursor->next = own.value_or(0);
    if (!own && !cursor->begun) RIVULET_RETURN_IF_ERROR(StoreCursor(cursor->next));
    cursor->position = 0;
    cursor->begun = true;
    cursor_ = *cursor;
    lost_ = false;
    stats_.available = true;
    return Status::Ok();
  }

  // The gap and the cursor behind it in one transaction.
  Status Skip(uint64_t begin) override {
    const std::string found = "it ends before result number " + std::to_string(cursor_.next) +
                              ", and those before number " + std::to_string(begin) +
                              " are not kept any more";
    if (!record_gaps_) {
      return {ErrorCode::kSinkGap, "SQLite database '" + path_ + "' is older than what was given to it: " +
                                       found + ". Put the newer one back; or set 'gap: record' at this "
                                               "sink to go on with a row in its table rivulet_gap; or name "
                                               "another file"};
    }
    const Status status = StoreGap(begin);
    if (!status.ok()) {
      Abandon();
      return status;
    }
    ++stats_.gaps;
    stats_.last_gap = found + "; its table rivulet_gap says so";
    cursor_.next = begin;
    return Status::Ok();
  }

  size_t Offer(std::span<const OutputEntry> entries) override {
    if (entries.empty() || lost_) return 0;
    Status status = CheckInPlace();
    if (status.ok()) status = Store(entries);
    // What was stored in a file that is gone is nowhere.
    if (status.ok()) status = CheckInPlace();
    stats_.available = status.ok();
    if (!status.ok()) {
      ++stats_.errors;
      stats_.last_error = status.ToString();
      Abandon();
      return 0;
    }
    stats_.delivered += entries.size();
    cursor_.next = entries.back().sequence + 1;
    return entries.size();
  }

  SinkCursor Cursor() const override { return cursor_; }
  bool Lost() const override { return lost_; }
  SinkStats Stats() const override { return stats_; }

 private:
  Status Failure() const {
    const int code = db_ == nullptr ? SQLITE_NOMEM : sqlite3_errcode(db_.get()) & 0xff;
    const ErrorCode number = code == SQLITE_FULL                              ? ErrorCode::kDiskFull
                             : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ErrorCode::kCorrupt
                             : code == SQLITE_BUSY || code == SQLITE_LOCKED
                                 ? ErrorCode::kLocked
                                 : ErrorCode::kSinkUnavailable;
    return {number, "SQLite database '" + path_ + "': " +
                        (db_ == nullptr ? "out of memory" : sqlite3_errmsg(db_.get()))};
  }

  Status Execute(const std::string& sql) {
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? Status::Ok() : Failure();
  }

  Result<Statement> Prepare(const std::string& sql) const {
    sqlite3_stmt* raw = nullptr;
    const int size = static_cast<int>(sql.size()) + 1;
    const int code =
        sqlite3_prepare_v3(db_.get(), sql.c_str(), size, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return Failure();
    return Statement(raw);
  }

  // Makes the file first, so that only its group can read it, and leaves pipes and devices alone: what is in
  // their place is not opened.
  Status FindFile(bool create) {
    const auto is_there = [this] { return ::stat(path_.c_str(), &opened_) == 0; };
    if (!is_there() && errno == ENOENT) {
      if (!create) {
        return {ErrorCode::kSinkGap, "SQLite database '" + path_ +
                                         "' is gone, but results were written to it. Put it back; or set "
                                         "'gap: record' at this sink to go on with a new one; or name "
                                         "another file"};
      }
      const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
      if (fd >= 0) ::close(fd);
    }
    if (!is_there()) {
      return {ErrorCode::kSinkUnavailable,
              "SQLite database '" + path_ + "' cannot be opened: " + std::strerror(errno)};
    }
    if (S_ISREG(opened_.st_mode)) return Status::Ok();
    return {ErrorCode::kForeignFile, "'" + path_ + "' is not a regular file; expected a database"};
  }

  // Whether the path names the file that was opened.
  Status CheckInPlace() {
    struct stat named;
    if (db_ == nullptr) return {ErrorCode::kSinkUnavailable, "'" + path_ + "' is not open"};
    if (::stat(path_.c_str(), &named) == 0 && named.st_dev == opened_.st_dev &&
        named.st_ino == opened_.st_ino) {
      return Status::Ok();
    }
    lost_ = true;
    return {ErrorCode::kSinkMoved, "SQLite database '" + path_ + "' was removed or replaced while it was "
                                       "written to; results wait for it"};
  }

  Status Connect(bool create) {
    statements_.clear();
    db_.reset();
    RIVULET_RETURN_IF_ERROR(FindFile(create));
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;
    const int code = sqlite3_open_v2(path_.c_str(), &raw, flags, nullptr);
    db_.reset(raw);
    if (code != SQLITE_OK) return Failure();
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, kPatienceMs);
    RIVULET_RETURN_IF_ERROR(Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"));
    return Execute(
        "CREATE TABLE IF NOT EXISTS rivulet_cursor("
        "pipeline TEXT NOT NULL, sink TEXT NOT NULL, next INTEGER NOT NULL,"
        "PRIMARY KEY(pipeline, sink))");
  }

  Result<std::optional<uint64_t>> ReadCursor() const {
    RIVULET_ASSIGN_OR_RETURN(
        const Statement s,
        Prepare("SELECT next FROM rivulet_cursor WHERE pipeline=?1 AND sink=?2"));
    BindCursorName(s.get());
    const int code = sqlite3_step(s.get());
    if (code == SQLITE_DONE) return std::optional<uint64_t>();
    if (code != SQLITE_ROW) return Failure();
    return std::optional<uint64_t>(static_cast<uint64_t>(sqlite3_column_int64(s.get(), 0)));
  }

  void BindCursorName(sqlite3_stmt* s) const {
    sqlite3_bind_text64(s, 1, pipeline_.data(), pipeline_.size(), SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_text64(s, 2, table_.data(), table_.size(), SQLITE_STATIC, SQLITE_UTF8);
  }

  // Learns the table's columns, after creating it if there is none.
  Status LoadColumns() {
    columns_.clear();
    column_of_.clear();
    statements_.clear();
    RIVULET_RETURN_IF_ERROR(Execute("CREATE TABLE IF NOT EXISTS " + Quote(table_) +
                                    "(id TEXT PRIMARY KEY, revision INTEGER NOT NULL)"));
    RIVULET_ASSIGN_OR_RETURN(const Statement s,
                             Prepare("PRAGMA table_info(" + Quote(table_) + ")"));
    bool keyed = false, revised = false;
    int code = 0;
    while ((code = sqlite3_step(s.get())) == SQLITE_ROW) {
      const std::string name = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 1));
      keyed = keyed || (name == "id" && sqlite3_column_int(s.get(), 5) == 1);
      revised = revised || name == "revision";
      columns_.push_back(name);
    }
    if (code != SQLITE_DONE) return Failure();
    loaded_ = keyed && revised;
    if (loaded_) return Status::Ok();
    return {ErrorCode::kStateMismatch, "table '" + table_ + "' of '" + path_ +
                                           "' was not made for results (no columns id, the primary "
                                           "key, and revision); name another table"};
  }

  bool ColumnTaken(const std::string& folded) const {
    return std::any_of(columns_.begin(), columns_.end(),
                       [&](const std::string& c) { return Fold(c) == folded; });
  }

  // The column of a field: of the same name, or, where that is taken by another (id, revision, or
  // one that differs in case only), with underscores added. Makes new columns.
  Status MapColumn(const std::string& field, FlatMember::Kind kind) {
    std::string name = field.empty() ? "_" : field;
    std::replace(name.begin(), name.end(), '\0', '_');
    const auto owned = [&] {
      return std::any_of(column_of_.begin(), column_of_.end(),
                         [&](const auto& entry) { return entry.second == name; });
    };
    const auto reserved = [&] { return Fold(name) == "id" || Fold(name) == "revision"; };
    while (reserved() || owned() ||
           (std::find(columns_.begin(), columns_.end(), name) == columns_.end() &&
            ColumnTaken(Fold(name)))) {
      name += '_';
    }
    if (std::find(columns_.begin(), columns_.end(), name) == columns_.end()) {
      RIVULET_RETURN_IF_ERROR(Execute("ALTER TABLE " + Quote(table_) + " ADD COLUMN " +
                                      Quote(name) + ColumnType(kind)));
      columns_.push_back(name);
      statements_.clear();  // each sets all columns of the table
    }
    column_of_[field] = name;
    return Status::Ok();
  }

  // Reads the members of `entry` into members_, and their names as one text into fields_.
  void ReadMembers(const OutputEntry& entry) {
    members_.clear();
    fields_.clear();
    FlatJsonReader reader(entry.json);
    FlatMember member;
    while (reader.Next(&member)) {
      // The table has a column of its own for what a revised result says of itself.
      if (entry.revision > 0 && member.name.raw == "revision") continue;
      members_.push_back(member);
      fields_ += member.name.raw;
      fields_ += '"';  // cannot occur unescaped in a name
    }
    if (reader.ok()) return;
    member.name = {kWholeColumn, false};
    member.kind = FlatMember::Kind::kString;
    member.text = {entry.json, false};
    members_.assign(1, member);
    fields_ = std::string(kWholeColumn) + '"';
  }

  // The upsert for the fields in members_; of a field given twice the first counts.
  Result<sqlite3_stmt*> UpsertStatement() {
    if (const auto known = statements_.find(fields_); known != statements_.end()) {
      return known->second.get();
    }
    std::vector<std::string> targets;
    for (const FlatMember& member : members_) {
      std::string field;
      member.name.AppendTo(&field);
      if (column_of_.count(field) == 0) RIVULET_RETURN_IF_ERROR(MapColumn(field, member.kind));
      targets.push_back(column_of_[field]);
    }
    RIVULET_ASSIGN_OR_RETURN(Statement s, Prepare(UpsertSql(targets)));
    if (statements_.size() >= kMaxStatements) statements_.clear();
    return (statements_[fields_] = std::move(s)).get();
  }

  // Parameters: 1 id, 2 revision, then one per target. Columns that are no target become null.
  std::string UpsertSql(const std::vector<std::string>& targets) const {
    std::string names = "id, revision", values = "?1, ?2", updates = "revision=excluded.revision";
    for (size_t k = 0; k < targets.size(); ++k) {
      const auto here = targets.begin() + static_cast<std::ptrdiff_t>(k);
      if (std::find(targets.begin(), here, targets[k]) != here) continue;
      names += ", " + Quote(targets[k]);
      values += ", ?" + std::to_string(k + 3);
    }
    for (const std::string& column : columns_) {
      if (column == "id" || column == "revision") continue;
      updates += ", " + Quote(column) + "=excluded." + Quote(column);
    }
    return "INSERT INTO " + Quote(table_) + "(" + names + ") VALUES(" + values +
           ") ON CONFLICT(id) DO UPDATE SET " + updates + " WHERE excluded.revision>=" +
           Quote(table_) + ".revision";
  }

  Status Upsert(const OutputEntry& entry) {
    ReadMembers(entry);
    RIVULET_ASSIGN_OR_RETURN(sqlite3_stmt* const s, UpsertStatement());
    const std::string& id = keep_revisions_ ? entry.id : entry.window_id;
    sqlite3_bind_text64(s, 1, id.data(), id.size(), SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_int64(s, 2, entry.revision);
    const int parameters = sqlite3_bind_parameter_count(s);
    for (size_t k = 0; k < members_.size(); ++k) {
      const int index = static_cast<int>(k) + 3;
      if (index <= parameters) Bind(s, index, members_[k]);
    }
    const int code = sqlite3_step(s);
    const Status status = code == SQLITE_DONE ? Status::Ok() : Failure();
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return status;
  }

  Status StoreCursor(uint64_t next) {
    RIVULET_ASSIGN_OR_RETURN(
        const Statement s,
        Prepare("INSERT INTO rivulet_cursor(pipeline, sink, next) VALUES(?1, ?2, ?3) "
                "ON CONFLICT(pipeline, sink) DO UPDATE SET next=excluded.next"));
    BindCursorName(s.get());
    sqlite3_bind_int64(s.get(), 3, static_cast<int64_t>(next));
    return sqlite3_step(s.get()) == SQLITE_DONE ? Status::Ok() : Failure();
  }

  // Table rivulet_gap: results of a sink from number "first" to before "next" are missing. 0: all it had.
  Status StoreGap(uint64_t begin) {
    RIVULET_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
    RIVULET_RETURN_IF_ERROR(Execute(
        "CREATE TABLE IF NOT EXISTS rivulet_gap(pipeline TEXT NOT NULL, sink TEXT NOT NULL, "
        "\"first\" INTEGER NOT NULL, \"next\" INTEGER NOT NULL)"));
    {
      RIVULET_ASSIGN_OR_RETURN(const Statement s,
                               Prepare("INSERT INTO rivulet_gap VALUES(?1, ?2, ?3, ?4)"));
      BindCursorName(s.get());
      sqlite3_bind_int64(s.get(), 3, static_cast<int64_t>(cursor_.next));
      sqlite3_bind_int64(s.get(), 4, static_cast<int64_t>(begin));
      if (sqlite3_step(s.get()) != SQLITE_DONE) return Failure();
    }
    RIVULET_RETURN_IF_ERROR(StoreCursor(begin));
    return Execute("COMMIT");
  }

  Status Store(std::span<const OutputEntry> entries) {
    RIVULET_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
    if (!loaded_) RIVULET_RETURN_IF_ERROR(LoadColumns());
    for (const OutputEntry& entry : entries) RIVULET_RETURN_IF_ERROR(Upsert(entry));
    RIVULET_RETURN_IF_ERROR(StoreCursor(entries.back().sequence + 1));
    return Execute("COMMIT");
  }

  // After an error: nothing of the transaction stays, and the table is looked at afresh, as columns
  // may have been undone with it or someone may have changed it.
  void Abandon() {
    statements_.clear();
    loaded_ = false;
    if (db_ != nullptr && sqlite3_get_autocommit(db_.get()) == 0) {
      sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }

  const std::string path_, pipeline_, table_;
  const bool keep_revisions_, record_gaps_;
  struct stat opened_ {};                         // the database's file
  bool lost_ = false;                             // the path names another
  Database db_;
  bool loaded_ = false;                           // columns_ is what the table has
  std::vector<std::string> columns_;
  std::map<std::string, std::string> column_of_;  // by field name
  std::map<std::string, Statement, std::less<>> statements_;  // by fields_
  std::vector<FlatMember> members_;               // of the result at hand
  std::string fields_;
  SinkCursor cursor_;
  SinkStats stats_;
};

}  // namespace

Result<std::unique_ptr<Sink>> NewSqliteSink(const SinkSpec& spec, const std::string& pipeline) {
  if (spec.target.text.empty() || spec.target.text.starts_with(":memory:")) {
    return {ErrorCode::kBadSettingValue, "an SQLite sink needs the path of a database file"};
  }
  const std::string table = Fold(spec.table);
  if (table == "rivulet_cursor" || table == "rivulet_gap" || table.starts_with("sqlite_")) {
    return {ErrorCode::kBadSettingValue,
            "table '" + spec.table + "' is reserved; choose another name"};
  }
  return std::unique_ptr<Sink>(std::make_unique<SqliteSink>(spec, pipeline));
}

}  // namespace rivulet
