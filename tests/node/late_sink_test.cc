// A sink that cannot be opened at start gets everything later.
#include "node/sinks/late_sink.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "base/hash.h"
#include "node/engine/output_channel.h"
#include "node/engine/store_keys.h"
#include "sim/sim_store.h"
#include "tests/node/sink_test_support.h"

namespace rivulet {
namespace {

class Log {
 public:
  explicit Log(sim::SimStore* store, uint64_t next = 0)
      : channel("p", 1, ChannelKind::kResults, store, next), store_(store) {}

  void Put(int count) {
    for (int k = 0; k < count; ++k) {
      const std::string number = std::to_string(channel.next());
      channel.Append(0, static_cast<int64_t>(channel.next()), "k", "{\"n\":" + number + "}");
    }
    Commit();
  }
  void Commit() {
    Delta delta;
    channel.CollectChanges(&delta);
    REQUIRE(store_->Commit(delta).ok());
    channel.OnCommitted();
  }
  // Cursors that are new must be stored first, and a sink that waits is not tried at each offer.
  void Pump() {
    for (int k = 0; k < 80; ++k) {
      REQUIRE(channel.Pump().ok());
      if (channel.Unsettled()) Commit();
    }
  }

  OutputChannel channel;

 private:
  sim::SimStore* store_;
};

std::unique_ptr<Sink> File(const std::string& path, bool record_gaps = false) {
  static const std::unique_ptr<FileSystem> files = NewPosixFileSystem();
  Result<std::unique_ptr<Sink>> sink = NewFileSink(path, files.get(), OutputUse::kNew, record_gaps);
  REQUIRE(sink.ok());
  return std::move(*sink);
}
std::unique_ptr<Sink> Sqlite(const std::string& path, bool record_gaps = false) {
  SinkSpec spec;
  spec.record_gaps = record_gaps;
  spec.kind = SinkSpec::Kind::kSqlite;
  spec.target.text = path;
  Result<std::unique_ptr<Sink>> sink = NewSqliteSink(spec, "p");
  REQUIRE(sink.ok());
  return std::move(*sink);
}

std::string Numbers(const std::string& path, const char* query = "SELECT n FROM p ORDER BY n") {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  std::string text;
  const auto row = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += std::string(values[0]) + " ";
    return 0;
  };
  REQUIRE(sqlite3_exec(db, query, row, &text, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  return text;
}

}  // namespace

TEST_CASE("late sink: a file whose folder is missing at start") {
  TestFolder folder;
  sim::SimStore store;
  Log log(&store);
  const std::string path = folder.File("stick/out.ndjson");
  CHECK(log.channel.AddSink("now", File(path)).code() == ErrorCode::kNotFound);
  REQUIRE(log.channel.AddSink("later", File(path), true).ok());
  log.Put(3);
  log.Pump();
  CHECK_FALSE(log.channel.Stats()[0].available);
  CHECK(log.channel.Stats()[0].last_error.find("stick/out.ndjson") != std::string::npos);
  CHECK(log.channel.waiting() == 3);
  std::filesystem::create_directory(folder.File("stick"));
  log.Pump();
  CHECK(log.channel.Stats()[0].available);
  CHECK(log.channel.waiting() == 0);
  log.Put(1);
  log.Pump();
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  CHECK(text.str() == "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
}

TEST_CASE("late sink: a database held by another program, ahead of the stored cursor") {
  TestFolder folder;
  sim::SimStore store;
  const std::string path = folder.File("results.db");
  {
    Log log(&store);
    REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
    log.Put(2);
    log.Pump();  // the database has them; its cursor here is never stored
  }
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", nullptr, nullptr,
                       nullptr) == SQLITE_OK);
  Log log(&store, 2);
  REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
  log.Put(2);
  log.Pump();
  CHECK_FALSE(log.channel.Stats()[0].available);
  CHECK(log.channel.waiting() == 4);
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  log.Pump();
  CHECK(log.channel.waiting() == 0);
  CHECK(log.channel.Stats()[0].delivered == 2);
  CHECK(Numbers(path) == "0 1 2 3 ");
}

TEST_CASE("late sink: a database with numbers that are not given out yet is left alone") {
  TestFolder folder;
  sim::SimStore old_store, store;
  const std::string path = folder.File("stick/results.db");
  std::filesystem::create_directory(folder.File("stick"));
  {
    Log log(&old_store);
    REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
    log.Put(5);
    log.Pump();
  }
  std::filesystem::rename(folder.File("stick"), folder.File("pocket"));
  Log log(&store);
  REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
  log.Put(2);
  std::filesystem::rename(folder.File("pocket"), folder.File("stick"));
  log.Pump();
  CHECK(log.channel.waiting() == 2);
  CHECK(log.channel.Stats()[0].last_error.find("E3009") != std::string::npos);
  CHECK(Numbers(path) == "0 1 2 3 4 ");
}

TEST_CASE("late sink: what a person has to put right is waited for too") {
  TestFolder folder;
  sim::SimStore store;
  Log log(&store);
  const std::string path = folder.File("results.db");
  std::ofstream(path) << std::string(4096, 'x');
  CHECK(log.channel.AddSink("db", Sqlite(path)).code() == ErrorCode::kCorrupt);
  REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
  log.Put(2);
  log.Pump();
  CHECK(log.channel.waiting() == 2);
  CHECK_FALSE(log.channel.Stats()[0].available);
  std::filesystem::remove(path);
  log.Pump();
  CHECK(log.channel.waiting() == 0);
  CHECK(Numbers(path) == "0 1 ");
}

TEST_CASE("late sink: one that has not begun leaves a file alone that is not its own, also after a restart") {
  TestFolder folder;
  sim::SimStore store;
  const std::string path = folder.File("notes.txt");
  std::ofstream(path) << "not a result\n";
  for (uint64_t life = 0; life < 2; ++life) {
    Log log(&store, life * 2);
    REQUIRE(log.channel.AddSink("file", File(path), true).ok());
    log.Put(2);
    log.Pump();
    CHECK(log.channel.Stats()[0].last_error.starts_with("E3018"));
    CHECK(ReadAll(path) == "not a result\n");
    log.Commit();
  }
  std::filesystem::remove(path);
  Log log(&store, 4);
  REQUIRE(log.channel.AddSink("file", File(path), true).ok());
  log.Pump();
  CHECK(ReadAll(path) == "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
}

TEST_CASE("late sink: nothing is written before it is stored, beyond a power cut, that the sink has begun") {
  TestFolder folder;
  sim::SimStore store;
  const std::string path = folder.File("out.ndjson");
  Log log(&store);
  REQUIRE(log.channel.AddSink("file", File(path), true).ok());
  log.Put(1);  // a commit that may be taken back
  REQUIRE(log.channel.Pump().ok());
  CHECK(ReadAll(path) == "");
  CHECK(log.channel.Unsettled());
  log.Put(1);
  REQUIRE(log.channel.Pump().ok());
  CHECK_FALSE(log.channel.Unsettled());
  CHECK(ReadAll(path) == "{\"n\":0}\n{\"n\":1}\n");
}

TEST_CASE("late sink: a cursor as version 0.1 stored it") {
  TestFolder folder;
  sim::SimStore store;
  const std::string path = folder.File("out.ndjson");
  std::ofstream(path) << "{\"n\":0}\n{\"n\"";
  const std::string row = store_keys::SinkCursor(1, 0, Hash128Hex("file"));
  Delta delta;
  delta.Put(row, std::string("\x01\x08", 2));
  REQUIRE(store.Commit(delta).ok());
  Log log(&store, 1);
  REQUIRE(log.channel.AddSink("file", File(path), true).ok());
  log.Put(1);
  log.Pump();
  CHECK(ReadAll(path) == "{\"n\":0}\n{\"n\":1}\n");
}

TEST_CASE("late sink: a file is taken away under it; it is put back, or the gap is recorded") {
  TestFolder folder;
  sim::SimStore store;
  const std::string path = folder.File("out.ndjson"), away = folder.File("away");
  bool record = false;
  SUBCASE("put back") {}
  SUBCASE("recorded") { record = true; }
  Log log(&store);
  REQUIRE(log.channel.AddSink("file", File(path, record), true).ok());
  log.Put(2);
  log.Pump();
  log.Commit();  // stores the cursor
  CHECK(log.channel.waiting() == 0);
  std::filesystem::rename(path, away);
  log.Put(2);
  log.Pump();
  if (record) {
    CHECK(log.channel.waiting() == 0);
    CHECK(ReadAll(path) == "{\"@gap\":{\"bytes\":16,\"before\":2}}\n{\"n\":2}\n{\"n\":3}\n");
    CHECK(log.channel.Stats()[0].gaps == 1);
    return;
  }
  CHECK(log.channel.waiting() == 2);
  CHECK_FALSE(log.channel.Stats()[0].available);
  CHECK(log.channel.Stats()[0].delivered == 2);
  CHECK(log.channel.Stats()[0].last_error.starts_with("E3017"));
  CHECK_FALSE(std::filesystem::exists(path));
  std::filesystem::rename(away, path);
  log.Pump();
  CHECK(log.channel.waiting() == 0);
  CHECK(log.channel.Stats()[0].available);
  CHECK(ReadAll(path) == "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
}

TEST_CASE("late sink: a database older than the log stops, or notes the gap and goes on") {
  TestFolder folder;
  sim::SimStore store;
  const std::string path = folder.File("results.db"), backup = folder.File("backup.db");
  const auto put = [&](Log* log, int count) {
    log->Put(count);
    log->Pump();
    log->Commit();  // the cursor, and the trimming of what it has passed
    log->Commit();
  };
  {
    Log log(&store);
    REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
    put(&log, 2);
  }
  bool deleted = false;
  SUBCASE("a backup is put back") { std::filesystem::copy_file(path, backup); }
  SUBCASE("deleted") { deleted = true; }
  {
    Log log(&store, 2);
    REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
    put(&log, 3);
    CHECK(Numbers(path) == "0 1 2 3 4 ");
  }
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
  if (!deleted) std::filesystem::copy_file(backup, path);
  {
    Log log(&store, 5);
    CHECK(log.channel.AddSink("db", Sqlite(path)).code() == ErrorCode::kSinkGap);
    REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
    put(&log, 1);
    CHECK(log.channel.waiting() == 1);
    CHECK_FALSE(log.channel.Stats()[0].available);
    CHECK(std::filesystem::exists(path) == !deleted);
  }
  Log log(&store, 6);
  REQUIRE(log.channel.AddSink("db", Sqlite(path, true), true).ok());
  put(&log, 1);
  CHECK(log.channel.waiting() == 0);
  CHECK(Numbers(path) == (deleted ? "5 6 " : "0 1 5 6 "));
  CHECK(Numbers(path, "SELECT \"first\" || '-' || \"next\" FROM rivulet_gap") ==
        (deleted ? "0-5 " : "2-5 "));
}

TEST_CASE("late sink: what another sink still waits for is given to a database put back from a backup") {
  TestFolder folder;
  sim::SimStore store;
  const std::string path = folder.File("results.db"), backup = folder.File("backup.db");
  {
    Log log(&store);
    REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
    REQUIRE(log.channel.AddSink("away", File(folder.File("none/out")), true).ok());
    log.Put(2);
    log.Pump();
    log.Commit();
    std::filesystem::copy_file(path, backup);
    std::filesystem::copy_file(path + "-wal", backup + "-wal");
    log.Put(2);
    log.Pump();
    log.Commit();
  }
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
  std::filesystem::rename(backup, path);
  std::filesystem::rename(backup + "-wal", path + "-wal");
  Log log(&store, 4);
  REQUIRE(log.channel.AddSink("db", Sqlite(path), true).ok());
  log.Commit();  // must not trim what the database has not
  log.Pump();
  CHECK(Numbers(path) == "0 1 2 3 ");
}

}  // namespace rivulet
