// A sink that cannot be opened at start gets everything later.
#include "node/sinks/late_sink.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "node/engine/output_channel.h"
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
  void Pump() {
    for (int k = 0; k < 40; ++k) REQUIRE(channel.Pump().ok());
  }

  OutputChannel channel;

 private:
  sim::SimStore* store_;
};

std::unique_ptr<Sink> File(const std::string& path) { 
  Result<std::unique_ptr<Sink>> sink = NewFileSink(path);
  REQUIRE(sink.ok());
  return std::move(*sink);
}
std::unique_ptr<Sink> Sqlite(const std::string& path) {
  SinkSpec spec;
  spec.kind = SinkSpec::Kind::kSqlite;
  spec.target.text = path;
  Result<std::unique_ptr<Sink>> sink = NewSqliteSink(spec, "p");
  REQUIRE(sink.ok());
  return std::move(*sink);
}

std::string Numbers(const std::string& path) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  std::string text;
  const auto row = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += std::string(values[0]) + " ";
    return 0;
  };
  REQUIRE(sqlite3_exec(db, "SELECT n FROM p ORDER BY n", row, &text, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  return text;
}

}  // namespace

TEST_CASE("late sink: a file whose folder is missing at start") {
  TestFolder folder;
  sim::SimStore store;
  Log log(&store);
  const std::string path = folder.File("stick/out.ndjson");
  CHECK(log.channel.AddSink("now", File(path)).code() == ErrorCode::kIo);
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

TEST_CASE("late sink: what a person has to put right is not waited for") {
  TestFolder folder;
  sim::SimStore store;
  Log log(&store);
  const std::string path = folder.File("results.db");
  std::ofstream(path) << std::string(4096, 'x');
  CHECK(log.channel.AddSink("db", Sqlite(path), true).code() == ErrorCode::kCorrupt);
}

}  // namespace rivulet
