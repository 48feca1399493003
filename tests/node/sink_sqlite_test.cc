#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "tests/node/sink_test_support.h"

using namespace rivulet;

namespace {

SinkSpec Spec(const std::string& path, const std::string& table = "results") {
  SinkSpec spec;
  spec.kind = SinkSpec::Kind::kSqlite;
  spec.target.text = path;
  spec.table = table;
  return spec;
}

std::unique_ptr<Sink> Open(const SinkSpec& spec, SinkCursor* cursor) {
  auto sink = NewSqliteSink(spec, "pipe");
  REQUIRE(sink.ok());
  const Status status = (*sink)->Open(cursor);
  REQUIRE_MESSAGE(status.ok(), status.ToString());
  return std::move(*sink);
}

// Another program's connection.
class Reader {
 public:
  explicit Reader(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
  }
  ~Reader() { sqlite3_close(db_); }
  // Rows as "a|b;c|d".
  std::string Query(const std::string& sql) {
    std::string text;
    const auto row = [](void* out, int n, char** values, char**) {
      auto* t = static_cast<std::string*>(out);
      if (!t->empty()) *t += ';';
      for (int k = 0; k < n; ++k) {
        *t += (k ? "|" : "") + std::string(values[k] ? values[k] : "NULL");
      }
      return 0;
    };
    char* error = nullptr;
    if (sqlite3_exec(db_, sql.c_str(), row, &text, &error) != SQLITE_OK) {
      text = std::string("error: ") + (error ? error : "");
    }
    sqlite3_free(error);
    return text;
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace

TEST_CASE("sqlite sink: columns come from the results, typed by value") {
  const TestFolder folder;
  SinkCursor cursor;
  const auto sink = Open(Spec(folder.File("r.db")), &cursor);
  CHECK(sink->Offer(std::vector{
            Entry(0, R"({"sensor":"s\u00e41","n":9223372036854775807,"avg":71.5,"ok":true,)"
                     R"("x":null})"),
            Entry(1, R"({"sensor":"s2","n":2,"avg":3,"ok":false,"extra":"e"})")}) == 2);
  Reader reader(folder.File("r.db"));
  CHECK(reader.Query("SELECT id,revision,sensor,n,avg,ok,x,extra FROM results ORDER BY id") ==
        "w0|0|s\xc3\xa4" "1|9223372036854775807|71.5|1|NULL|NULL;w1|0|s2|2|3.0|0|NULL|e");
  CHECK(reader.Query("SELECT name,type FROM pragma_table_info('results')") ==
        "id|TEXT;revision|INTEGER;sensor|TEXT;n|INTEGER;avg|REAL;ok|BOOLEAN;x|;extra|TEXT");
  CHECK(sink->Cursor().next == 2);
  CHECK(reader.Query("PRAGMA journal_mode") == "wal");
}

TEST_CASE("sqlite sink: lists are JSON text") {
  const TestFolder folder;
  SinkCursor cursor;
  const auto sink = Open(Spec(folder.File("r.db")), &cursor);
  CHECK(sink->Offer(std::vector{
            Entry(0, R"({"top":[{"value":"a","count":2}],"all":[1,"\u00e4",null],"none":[]})")}) == 1);
  Reader reader(folder.File("r.db"));
  CHECK(reader.Query("SELECT \"top\",\"all\",none FROM results") ==
        R"([{"value":"a","count":2}]|[1,"\u00e4",null]|[])");
  CHECK(reader.Query("SELECT name,type FROM pragma_table_info('results') WHERE name='top'") ==
        "top|TEXT");
  CHECK(reader.Query("SELECT json_extract(\"top\", '$[0].count') FROM results") == "2");
}

TEST_CASE("sqlite sink: a newer revision replaces, an older one does not") {
  const TestFolder folder;
  SinkCursor cursor;
  const auto sink = Open(Spec(folder.File("r.db")), &cursor);
  const auto revised = [](uint64_t sequence, uint32_t revision, const std::string& json) {
    OutputEntry entry = Entry(7, json, revision);
    entry.sequence = sequence;
    return entry;
  };
  CHECK(sink->Offer(std::vector{revised(0, 1, R"({"n":1,"old":5})"), revised(1, 2, R"({"n":2})"),
                                revised(2, 0, R"({"n":3})"), revised(3, 2, R"({"n":2})")}) == 4);
  Reader reader(folder.File("r.db"));
  CHECK(reader.Query("SELECT id,revision,n,old FROM results") == "w7|2|2|NULL");

  SinkSpec keep = Spec(folder.File("r.db"), "all");
  keep.keep_revisions = true;
  SinkCursor fresh;
  const auto keeper = Open(keep, &fresh);
  CHECK(keeper->Offer(std::vector{revised(0, 0, R"({"n":1})"), revised(1, 1, R"({"n":2})")}) == 2);
  CHECK(reader.Query("SELECT id,n FROM \"all\" ORDER BY id") == "w7r0|1;w7r1|2");
}

TEST_CASE("sqlite sink: the database's own cursor counts") {
  const TestFolder folder;
  const std::string path = folder.File("r.db");
  SinkCursor cursor{5, 0};
  {
    const auto sink = Open(Spec(path), &cursor);
    CHECK(cursor.next == 5);
    CHECK(sink->Offer(std::vector{Entry(5, "{\"n\":5}"), Entry(6, "{\"n\":6}")}) == 2);
  }
  cursor = {5, 0};  // the commit that would have stored 7 was lost
  const auto sink = Open(Spec(path), &cursor);
  CHECK(cursor.next == 7);
  CHECK(sink->Cursor().next == 7);
  SinkCursor other{1, 0};
  Open(Spec(path, "other"), &other);
  CHECK(other.next == 1);
}

TEST_CASE("sqlite sink: awkward names") {
  const TestFolder folder;
  const std::string path = folder.File("r.db");
  const std::string table = "my \"table\"; drop";
  SinkCursor cursor;
  {
    const auto sink = Open(Spec(path, table), &cursor);
    CHECK(sink->Offer(std::vector{Entry(
              0, R"({"order":1,"a\"b":2,"id":3,"Revision":4,"Sp":5,"sP":6,"":7,)"
                 R"("x\u0000y":8,"order":9})")}) ==
          1);
    CHECK(sink->Stats().last_error == "");
  }
  const auto again = Open(Spec(path, table), &cursor);
  CHECK(again->Offer(std::vector{Entry(1, R"({"sP":60,"Sp":50,"id":30})")}) == 1);
  Reader reader(path);
  CHECK(reader.Query("SELECT \"order\",\"a\"\"b\",id,id_,Revision_,Sp,sP_,_,x_y FROM "
                     "\"my \"\"table\"\"; drop\"") ==
        "1|2|w0|3|4|5|6|7|8;NULL|NULL|w1|30|NULL|50|60|NULL|NULL");
}

TEST_CASE("sqlite sink: a result that is not flat is kept whole") {
  const TestFolder folder;
  SinkCursor cursor;
  const auto sink = Open(Spec(folder.File("r.db")), &cursor);
  CHECK(sink->Offer(std::vector{Entry(0, R"({"a":{"b":1}})"), Entry(1, "")}) == 2);
  Reader reader(folder.File("r.db"));
  CHECK(reader.Query("SELECT json FROM results ORDER BY id") == R"({"a":{"b":1}};)");
}

TEST_CASE("sqlite sink: a locked database takes nothing now and all of it later") {
  const TestFolder folder;
  SinkCursor cursor;
  const auto sink = Open(Spec(folder.File("r.db")), &cursor);
  Reader other(folder.File("r.db"));
  CHECK(other.Query("BEGIN IMMEDIATE") == "");
  const std::vector<OutputEntry> entries{Entry(0, "{\"n\":1}")};
  CHECK(sink->Offer(entries) == 0);
  CHECK_FALSE(sink->Stats().available);
  CHECK(sink->Stats().last_error.find("locked") != std::string::npos);
  CHECK(sink->Cursor().next == 0);
  CHECK(other.Query("COMMIT") == "");
  CHECK(sink->Offer(entries) == 1);
  CHECK(sink->Stats().available);
  CHECK(other.Query("SELECT n FROM results") == "1");
}

TEST_CASE("sqlite sink: a failing result leaves nothing of its batch; a dropped table comes back") {
  const TestFolder folder;
  SinkCursor cursor;
  const auto sink = Open(Spec(folder.File("r.db")), &cursor);
  Reader other(folder.File("r.db"));
  CHECK(other.Query("CREATE TRIGGER no BEFORE INSERT ON results WHEN NEW.id='w1' "
                    "BEGIN SELECT RAISE(ABORT,'refused'); END") == "");
  CHECK(sink->Offer(std::vector{Entry(0, "{\"n\":1}"), Entry(1, "{\"m\":1}")}) == 0);
  CHECK(sink->Stats().last_error.find("refused") != std::string::npos);
  CHECK(other.Query("SELECT count(*) FROM results") == "0");
  CHECK(other.Query("DROP TABLE results") == "");
  CHECK(sink->Offer(std::vector{Entry(0, "{\"n\":1}"), Entry(1, "{\"m\":1}")}) == 2);
  CHECK(other.Query("SELECT n,m FROM results ORDER BY id") == "1|NULL;NULL|1");
}

TEST_CASE("sqlite sink: a database that lacks what was given to it") {
  const TestFolder folder;
  const std::string path = folder.File("r.db");
  SinkCursor cursor;
  {
    const auto sink = Open(Spec(path), &cursor);
    CHECK(cursor == SinkCursor{0, 0, true});
    CHECK(sink->Offer(std::vector{Entry(0, "{\"n\":0}"), Entry(1, "{\"n\":1}")}) == 2);
  }
  SinkSpec record = Spec(path);
  record.record_gaps = true;
  uint64_t found = 2;
  const auto refuses = [&] {
    cursor = {9, 0, true};
    auto stops = NewSqliteSink(Spec(path), "pipe");
    REQUIRE(stops.ok());
    const Status opened = (*stops)->Open(&cursor);
    return opened.ok() ? (*stops)->Skip(9).code() : opened.code();
  };
  SUBCASE("older") { CHECK(refuses() == ErrorCode::kSinkGap); }
  SUBCASE("gone") {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
    found = 0;
    CHECK(refuses() == ErrorCode::kSinkGap);
    CHECK_FALSE(std::filesystem::exists(path));
  }
  SUBCASE("another one") {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
    Reader(path).Query("CREATE TABLE people(name TEXT)");
    found = 0;
    CHECK(refuses() == ErrorCode::kSinkGap);
  }
  cursor = {9, 0, true};
  const auto sink = Open(record, &cursor);
  CHECK(cursor.next == found);
  CHECK(sink->Skip(9).ok());
  CHECK(sink->Cursor().next == 9);
  CHECK(sink->Stats().gaps == 1);
  CHECK(sink->Offer(std::vector{Entry(9, "{\"n\":9}")}) == 1);
  Reader reader(path);
  CHECK(reader.Query("SELECT * FROM rivulet_gap") == "pipe|results|" + std::to_string(found) + "|9");
  CHECK(reader.Query("SELECT next FROM rivulet_cursor") == "10");
}

TEST_CASE("sqlite sink: nothing is delivered into a database that was removed or replaced") {
  const TestFolder folder;
  const std::string path = folder.File("r.db"), away = folder.File("away.db");
  SinkCursor cursor;
  const auto sink = Open(Spec(path), &cursor);
  CHECK(sink->Offer(std::vector{Entry(0, "{\"n\":0}")}) == 1);
  std::filesystem::rename(path, away);
  SUBCASE("removed") {}
  SUBCASE("replaced") { Reader(path).Query("CREATE TABLE results(id TEXT PRIMARY KEY, revision, n)"); }
  CHECK(sink->Offer(std::vector{Entry(1, "{\"n\":1}")}) == 0);
  CHECK(sink->Lost());
  CHECK(sink->Stats().last_error.starts_with("E3019"));
  CHECK(sink->Stats().delivered == 1);
  CHECK(sink->Cursor().next == 1);
  std::filesystem::rename(away, path);
  cursor = sink->Cursor();
  REQUIRE(sink->Open(&cursor).ok());
  CHECK(sink->Offer(std::vector{Entry(1, "{\"n\":1}")}) == 1);
  CHECK(Reader(path).Query("SELECT n FROM results ORDER BY n") == "0;1");
}

TEST_CASE("sqlite sink: what it refuses") {
  const TestFolder folder;
  SinkCursor cursor;
  CHECK(NewSqliteSink(Spec(""), "p").status().code() == ErrorCode::kBadSettingValue);
  CHECK(NewSqliteSink(Spec(":memory:"), "p").status().code() == ErrorCode::kBadSettingValue);
  CHECK(NewSqliteSink(Spec("x", "Rivulet_Cursor"), "p").status().code() ==
        ErrorCode::kBadSettingValue);
  const auto open = [&](const std::string& path, const std::string& table) {
    return (*NewSqliteSink(Spec(path, table), "p"))->Open(&cursor).code();
  };
  CHECK(open(folder.File("none/r.db"), "t") == ErrorCode::kSinkUnavailable);
  REQUIRE(mkfifo(folder.File("pipe").c_str(), 0600) == 0);
  CHECK(open(folder.File("pipe"), "t") == ErrorCode::kForeignFile);
  CHECK(open(folder.File(""), "t") == ErrorCode::kForeignFile);
  const mode_t before = umask(0);
  SinkCursor fresh;
  CHECK((*NewSqliteSink(Spec(folder.File("new.db")), "p"))->Open(&fresh).ok());
  umask(before);
  struct stat info;
  REQUIRE(stat(folder.File("new.db").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
  CHECK(NewSqliteSink(Spec("x", "rivulet_gap"), "p").status().code() == ErrorCode::kBadSettingValue);
  std::ofstream(folder.File("junk")) << std::string(5000, 'x');
  CHECK(open(folder.File("junk"), "t") == ErrorCode::kCorrupt);
  Reader(folder.File("r.db")).Query("CREATE TABLE people(name TEXT)");
  CHECK(open(folder.File("r.db"), "people") == ErrorCode::kStateMismatch);
}
