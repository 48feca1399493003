#include <doctest/doctest.h>
#include <sys/resource.h>
#include <signal.h>

#include "node/sinks/make_sink.h"
#include "tests/node/sink_test_support.h"

using namespace rivulet;

namespace {

std::unique_ptr<Sink> Make(const std::string& path) {
  auto sink = NewFileSink(path);
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
  CHECK(sink->Cursor() == SinkCursor{2, 11});
  CHECK(sink->Sync().ok());
  CHECK(sink->Cursor() == SinkCursor{2, 11});
  CHECK_FALSE(sink->Rewound());
  CHECK(sink->Stats().delivered == 2);
  CHECK(sink->Stats().available);
}

TEST_CASE("file sink: cut to the cursor and continued after a crash") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  std::ofstream(path) << "{\"a\":1}\n{\"a\":2}\n{\"a\":";
  const auto sink = Make(path);
  SinkCursor cursor{1, 8};
  REQUIRE(sink->Open(&cursor).ok());
  CHECK(cursor == SinkCursor{1, 8});
  CHECK(sink->Offer(std::vector{Entry(1, "{\"b\":2}")}) == 1);
  CHECK(ReadAll(path) == "{\"a\":1}\n{\"b\":2}\n");
}

TEST_CASE("file sink: a file that is too short or no file is refused") {
  const TestFolder folder;
  const std::string path = folder.File("out.jsonl");
  std::ofstream(path) << "x\n";
  SinkCursor cursor{9, 100};
  CHECK(Make(path)->Open(&cursor).code() == ErrorCode::kStateMismatch);
  CHECK(Make("/dev/null")->Open(&cursor).code() == ErrorCode::kIo);
  CHECK(Make(folder.File("none/out"))->Open(&cursor).code() == ErrorCode::kIo);
  CHECK(NewFileSink("-").status().code() == ErrorCode::kBadSettingValue);
  CHECK(NewFileSink("").status().code() == ErrorCode::kBadSettingValue);
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
  CHECK(after == SinkCursor{1, 8});
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
  CHECK(sink->Cursor() == SinkCursor{10'000, expected.size()});
  CHECK(ReadAll(path) == expected);
}

TEST_CASE("sinks are made as declared") {
  const TestFolder folder;
  SinkSpec spec;
  spec.kind = SinkSpec::Kind::kStdout;
  CHECK((*MakeSink(spec, "p", nullptr))->Stats().name == "stdout");
  spec.kind = SinkSpec::Kind::kFile;
  spec.target.text = folder.File("x");
  CHECK((*MakeSink(spec, "p", nullptr))->Stats().name == "file " + folder.File("x"));
  spec.kind = SinkSpec::Kind::kSqlite;
  CHECK((*MakeSink(spec, "p", nullptr))->Stats().name == "sqlite " + folder.File("x") + " p");
  spec.kind = SinkSpec::Kind::kMqtt;
  CHECK(MakeSink(spec, "p", nullptr).status().code() == ErrorCode::kSinkUnavailable);
  FakeLink link;
  spec.target.text = "a/{b}";
  CHECK((*MakeSink(spec, "p", &link))->Stats().name == "mqtt a/{b}");
}
