#include <doctest/doctest.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>

#include "node/sinks/make_sink.h"
#include "tests/node/sink_test_support.h"

using namespace rivulet;

namespace {

FileSystem* Files() {
  static const std::unique_ptr<FileSystem> files = NewPosixFileSystem();
  return files.get();
}

std::unique_ptr<Sink> Make(const std::string& path, bool record_gaps = false) {
  auto sink = NewFileSink(path, Files(), OutputUse::kNew, record_gaps);
  REQUIRE(sink.ok());
  return std::move(*sink);
}

}  // namespace

TEST_CASE("file sink: lines, and a cursor with the length") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  const auto sink = Make(path);
  SinkCursor cursor;
  REQUIRE(sink->Open(&cursor).ok());
  CHECK(sink->Offer(std::vector{Entry(0, "{\"a\":1}"), Entry(1, "{}")}) == 2);
  CHECK(ReadAll(path) == "{\"a\":1}\n{}\n");
  CHECK(sink->Cursor() == SinkCursor{2, 11, true});
  CHECK(sink->Sync().ok());
  CHECK(sink->Cursor() == SinkCursor{2, 11, true});
  CHECK_FALSE(sink->Rewound());
  CHECK(sink->Stats().delivered == 2);
  CHECK(sink->Stats().available);
}

TEST_CASE("file sink: cut to the cursor and continued after a crash") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  std::ofstream(path) << "{\"a\":1}\n{\"a\":2}\n{\"a\":";
  const auto sink = Make(path);
  SinkCursor cursor{1, 8, true};
  REQUIRE(sink->Open(&cursor).ok());
  CHECK(cursor == SinkCursor{1, 8, true});
  CHECK(sink->Offer(std::vector{Entry(1, "{\"b\":2}")}) == 1);
  CHECK(ReadAll(path) == "{\"a\":1}\n{\"b\":2}\n");
}

TEST_CASE("file sink: a file that is too short or no file is refused") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  std::ofstream(path) << "x\n";
  SinkCursor cursor{9, 100, true};
  CHECK(Make(path)->Open(&cursor).code() == ErrorCode::kSinkGap);
  CHECK(ReadAll(path) == "x\n");
  CHECK(Make(folder.File("gone"))->Open(&cursor).code() == ErrorCode::kSinkGap);
  CHECK_FALSE(std::filesystem::exists(folder.File("gone")));
  CHECK(cursor == SinkCursor{9, 100, true});
  SinkCursor fresh;
  CHECK(Make("/dev/null")->Open(&fresh).code() == ErrorCode::kForeignFile);
  CHECK(Make(folder.File("none/out"))->Open(&fresh).code() == ErrorCode::kNotFound);
  CHECK(NewFileSink("-", Files()).status().code() == ErrorCode::kBadSettingValue);
  CHECK(NewFileSink("", Files()).status().code() == ErrorCode::kBadSettingValue);
}

TEST_CASE("file sink: one that has not begun takes no file with something in it, no link, and no pipe") {
  const TestFolder folder;
  const std::string path = folder.File("notes.txt"), link = folder.File("link"), pipe = folder.File("pipe");
  SinkCursor cursor{5, 0};
  std::ofstream(path) << "something else\n";
  std::filesystem::create_symlink(path, link);
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(Make(path)->Open(&cursor).code() == ErrorCode::kForeignFile);
  CHECK(Make(link)->Open(&cursor).code() == ErrorCode::kForeignFile);
  CHECK(Make(pipe)->Open(&cursor).code() == ErrorCode::kForeignFile);
  CHECK(ReadAll(path) == "something else\n");
  CHECK(cursor == SinkCursor{5, 0});
  std::ofstream(path, std::ios::trunc).close();
  CHECK(Make(link)->Open(&cursor).code() == ErrorCode::kForeignFile);
  CHECK(Make(path)->Open(&cursor).ok());
  CHECK(cursor == SinkCursor{5, 0, true});
  // One that has begun goes on through a link.
  std::ofstream(path) << "{}\nhalf";
  cursor = {6, 3, true};
  CHECK(Make(link)->Open(&cursor).ok());
  CHECK(ReadAll(path) == "{}\n");
  CHECK(Make(pipe)->Open(&cursor).code() == ErrorCode::kForeignFile);
}

TEST_CASE("file sink: a new file is for its owner and group") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  const mode_t before = umask(0);
  SinkCursor cursor;
  CHECK(Make(path)->Open(&cursor).ok());
  umask(before);
  struct stat info;
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
}

TEST_CASE("file sink: nothing is delivered into a file that was moved, removed, replaced or cut") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl"), away = folder.File("away");
  const auto sink = Make(path);
  SinkCursor cursor;
  REQUIRE(sink->Open(&cursor).ok());
  REQUIRE(sink->Offer(std::vector{Entry(0, "{\"a\":0}")}) == 1);
  REQUIRE(sink->Sync().ok());
  SUBCASE("moved") { std::filesystem::rename(path, away); }
  SUBCASE("removed") { std::filesystem::remove(path); }
  SUBCASE("replaced") {
    std::filesystem::rename(path, away);
    std::ofstream(path) << "{\"a\":0}\n";
  }
  SUBCASE("cut") { std::filesystem::resize_file(path, 3); }
  CHECK(sink->Offer(std::vector{Entry(1, "{\"a\":1}")}) == 0);
  CHECK(sink->Lost());
  CHECK(sink->Stats().last_error.starts_with("E3019"));
  CHECK(sink->Stats().delivered == 1);
  CHECK(sink->Cursor() == SinkCursor{1, 8, true});
  CHECK(sink->Offer(std::vector{Entry(1, "{\"a\":1}")}) == 0);
}

TEST_CASE("file sink: removed between a write and its sync, the lines come again") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  const auto sink = Make(path);
  SinkCursor cursor;
  REQUIRE(sink->Open(&cursor).ok());
  REQUIRE(sink->Offer(std::vector{Entry(0, "{\"a\":0}")}) == 1);
  std::filesystem::remove(path);
  CHECK(sink->Sync().code() == ErrorCode::kSinkMoved);
  CHECK(sink->Stats().delivered == 0);
  CHECK(sink->Lost());
  cursor = sink->Cursor();
  CHECK(cursor == SinkCursor{0, 0, true});
  REQUIRE(sink->Open(&cursor).ok());  // nothing of it was ever safe
  CHECK(sink->Offer(std::vector{Entry(0, "{\"a\":0}")}) == 1);
  CHECK(sink->Sync().ok());
  CHECK(ReadAll(path) == "{\"a\":0}\n");
}

TEST_CASE("file sink: told to record gaps, it notes one behind the last whole line, once") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  std::string kept;
  SUBCASE("cut") {
    kept = "{\"a\":0}\n" + std::string(5000, 'x') + "\n";
    std::ofstream(path) << kept << "{\"a\"";
  }
  SUBCASE("no whole line is left") { std::ofstream(path) << std::string(5000, 'x'); }
  SUBCASE("gone") {}
  SinkCursor cursor{7, 9000, true};
  // Killed before anything is written to it, before or after the cursor is stored: the same again.
  REQUIRE(Make(path, true)->Open(&cursor).ok());
  const uint64_t missing = 9000 - kept.size();
  CHECK(cursor == SinkCursor{7, kept.size(), true, missing});
  const auto sink = Make(path, true);
  REQUIRE(sink->Open(&cursor).ok());
  CHECK(cursor == SinkCursor{7, kept.size(), true, missing});
  REQUIRE(sink->Offer(std::vector{Entry(7, "{\"a\":7}")}) == 1);
  REQUIRE(sink->Offer(std::vector{Entry(8, "{\"a\":8}")}) == 1);
  CHECK(ReadAll(path) == kept + "{\"@gap\":{\"bytes\":" + std::to_string(missing) +
                             ",\"before\":7}}\n{\"a\":7}\n{\"a\":8}\n");
  CHECK(sink->Cursor() == SinkCursor{9, ReadAll(path).size(), true});
  CHECK(sink->Stats().gaps == 1);
}

TEST_CASE("file sink: a full disk leaves no half line and is made up for later") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  const auto sink = Make(path);
  SinkCursor cursor;
  REQUIRE(sink->Open(&cursor).ok());
  REQUIRE(sink->Offer(std::vector{Entry(0, "{\"a\":0}")}) == 1);
  const std::vector<OutputEntry> large{Entry(1, "{\"a\":\"" + std::string(200'000, 'x') + "\"}")};
  // A limit on file length stands in for the full disk.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 100'000;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const size_t taken = sink->Offer(large);
  const SinkCursor after = sink->Cursor();
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(taken == 0);
  CHECK(after == SinkCursor{1, 8, true});
  CHECK_FALSE(sink->Stats().available);
  CHECK(sink->Stats().errors == 1);
  CHECK(sink->Offer(large) == 1);
  CHECK(sink->Stats().available);
  CHECK(ReadAll(path) == "{\"a\":0}\n" + large[0].json + "\n");
}

TEST_CASE("file sink: many lines, more than the buffer") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  const auto sink = Make(path);
  SinkCursor cursor;
  REQUIRE(sink->Open(&cursor).ok());
  std::vector<OutputEntry> entries;
  std::string expected;
  for (uint64_t k = 0; k < 10'000; ++k) {
    entries.push_back(Entry(k, "{\"key\":" + std::to_string(k) + "}"));
    expected += entries.back().json + "\n";
  }
  CHECK(sink->Offer(entries) == entries.size());
  CHECK(sink->Cursor() == SinkCursor{10'000, expected.size(), true});
  CHECK(ReadAll(path) == expected);
}

TEST_CASE("sinks are made as declared") {
  const TestFolder folder;
  SinkSpec spec;
  spec.kind = SinkSpec::Kind::kStdout;
  CHECK((*MakeSink(spec, "p", nullptr, Files()))->Stats().name == "stdout");
  spec.kind = SinkSpec::Kind::kFile;
  spec.target.text = folder.File("x");
  CHECK((*MakeSink(spec, "p", nullptr, Files()))->Stats().name == "file " + folder.File("x"));
  spec.kind = SinkSpec::Kind::kSqlite;
  CHECK((*MakeSink(spec, "p", nullptr, Files()))->Stats().name == "sqlite " + folder.File("x") + " p");
  spec.kind = SinkSpec::Kind::kMqtt;
  CHECK(MakeSink(spec, "p", nullptr, Files()).status().code() == ErrorCode::kSinkUnavailable);
  FakeLink link;
  spec.target.text = "a/{b}";
  CHECK((*MakeSink(spec, "p", &link, Files()))->Stats().name == "mqtt a/{b}");
}
