#include <doctest/doctest.h>

#include "node/commands/cli.h"
#include "tests/node/sink_test_support.h"

using namespace rivulet;

namespace {

struct Parsed {
  std::optional<int> code;
  uint64_t count = 3;
  double number = 0.5;
  bool flag = false;
  std::string text;
  std::vector<std::string> texts, operands;
  bool given = false;
};

Parsed Parse(const Arguments& args) {
  Parsed p;
  CommandLine line("test", "FILE...", "About.");
  line.Count("count,c", "N", &p.count, "how many");
  line.Number("number", "X", &p.number, "how much");
  line.Flag("flag", &p.flag, "whether");
  line.Text("text", "T", &p.text, "what");
  line.Texts("list", "T", &p.texts, "what else");
  line.Operands("a file", &p.operands, 1, 2);
  p.code = line.Parse(args);
  p.given = line.Given("count");
  return p;
}

}  // namespace

TEST_CASE("command line: options, short forms and operands") {
  const Parsed p = Parse({"a", "-c", "7", "--number=-2.5", "--flag", "--text", "-", "--list", "x",
                          "--list", "y", "b"});
  CHECK_FALSE(p.code.has_value());
  CHECK(p.count == 7);
  CHECK(p.given);
  CHECK(p.number == -2.5);
  CHECK(p.flag);
  CHECK(p.text == "-");
  CHECK(p.texts == std::vector<std::string>{"x", "y"});
  CHECK(p.operands == std::vector<std::string>{"a", "b"});
  const Parsed defaults = Parse({"a"});
  CHECK(defaults.count == 3);
  CHECK_FALSE(defaults.given);
}

TEST_CASE("command line: what is refused") {
  for (const Arguments& bad : std::vector<Arguments>{
           {}, {"a", "b", "c"}, {"a", "--cuont", "1"}, {"a", "--coun", "1"}, {"a", "--count"},
           {"a", "--count", "-1"}, {"a", "--count", "1x"}, {"a", "--count", ""},
           {"a", "--count", "99999999999999999999"}, {"a", "--number", "nan"},
           {"a", "--number", "1,5"}, {"a", "--flag=x"}, {"a", "--count", "1", "--count", "2"}}) {
    CHECK(Parse(bad).code == kExitUsage);
  }
}

TEST_CASE("generate: writes the file it is asked for") {
  const TestFolder folder;
  const std::string path = folder.File("t.jsonl");
  CHECK(GenerateCommand({"temperature", "-o", path, "--count", "2", "--rate", "1"}) == kExitOk);
  CHECK(ReadAll(path) ==
        "{\"sensor\":\"s000\",\"ts\":1700000000000,\"fahrenheit\":75.68}\n"
        "{\"sensor\":\"s001\",\"ts\":1700000001000,\"fahrenheit\":77.62}\n");
  CHECK(GenerateCommand({"fleet", "-o", path, "--seconds", "2", "--start", "5"}) == kExitOk);
  const std::string text = ReadAll(path);
  CHECK(std::count(text.begin(), text.end(), '\n') == 200);
  CHECK(GenerateCommand({"fleet", "-o", folder.File("none/x")}) == kExitFailure);
  CHECK(GenerateCommand({"fleet", "-o", "/dev/full", "--count", "10"}) == kExitFailure);
}

TEST_CASE("generate: refuses what makes no sense") {
  for (const Arguments& bad : std::vector<Arguments>{
           {}, {"fleet"}, {"cars", "-o", "x"}, {"fleet", "-o", "x", "--mqtt", "y"},
           {"fleet", "-o", "x", "--rate", "0"}, {"fleet", "-o", "x", "--rate", "-1"},
           {"fleet", "-o", "x", "--seconds", "1", "--count", "1"},
           {"fleet", "-o", "x", "--vehicles", "0"}, {"fleet", "-o", "x", "--late-share", "2"},
           {"fleet", "--mqtt", "x", "--qos", "3"},
           {"fleet", "--mqtt", "x", "--rate", "0", "-s", "1"},
           {"fleet", "-o", "x", "--start", "9999999999999999"}}) {
    CHECK(GenerateCommand(bad) == kExitUsage);
  }
  CHECK(GenerateCommand({"--help"}) == kExitOk);
}

TEST_CASE("numbers for people") {
  CHECK(FormatGrouped(0) == "0");
  CHECK(FormatGrouped(999) == "999");
  CHECK(FormatGrouped(1'234'567) == "1,234,567");
  CHECK(FormatCount(73) == "73");
  CHECK(FormatCount(98'000) == "98.0 k");
  CHECK(FormatCount(3'250'000) == "3.25 M");
}

TEST_CASE("exit codes follow the error's number") {
  CHECK(ExitCodeOf(Status::Ok()) == kExitOk);
  CHECK(ExitCodeOf({ErrorCode::kUsage, ""}) == kExitUsage);
  CHECK(ExitCodeOf({ErrorCode::kYamlSyntax, ""}) == kExitConfig);
  CHECK(ExitCodeOf({ErrorCode::kUnknownName, ""}) == kExitConfig);
  CHECK(ExitCodeOf({ErrorCode::kIo, ""}) == kExitFailure);
}
