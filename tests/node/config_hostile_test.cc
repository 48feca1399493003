// Text that means harm, or none at all: errors come back, nothing else happens.
#include <sys/resource.h>

#include "base/random.h"
#include "tests/node/config_fuzz_entry.h"
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using config_test::AllErrors;
using config_test::ConfigFolder;
using config_test::FileText;
using config_test::Has;
using config_test::Node;
using config_test::Pipeline;

constexpr size_t kMegabyte = 1 << 20;

std::string Repeat(std::string_view part, size_t bytes) {
  std::string out;
  while (out.size() + part.size() <= bytes) out += part;
  return out;
}

TEST_CASE("broken YAML says where") {
  CHECK(Has(Pipeline("pipeline: p\nsource: { mqtt: [a }\n").errors, ErrorCode::kYamlSyntax, 2, 20));
  CHECK(Has(Pipeline("pipeline: p\n  source: x\n").errors, ErrorCode::kYamlSyntax, 2, 9));
  CHECK(Has(Pipeline("pipeline: \"p\nsource").errors, ErrorCode::kYamlSyntax, 2, 7));
  CHECK(Has(Pipeline("pipeline: p\n---\npipeline: q\n").errors, ErrorCode::kYamlSyntax, 2, 1,
            "one document"));
  CHECK(Has(Pipeline("pipeline: p\n? [a]\n: b\n").errors, ErrorCode::kYamlSyntax, 2, 3));
  CHECK(Has(Pipeline("pipeline: p\n: b\n").errors, ErrorCode::kYamlSyntax, 2, 1));
  CHECK(Has(Node("mqtt: {\n").errors, ErrorCode::kYamlSyntax, 2, 1));
}

TEST_CASE("braces that need quotes are explained") {
  const auto read = Pipeline("pipeline: p\nsource: { mqtt: a/{x}/b }\n");
  CHECK_MESSAGE(Has(read.errors, ErrorCode::kYamlSyntax, 2, 19, "quote"), AllErrors(read.errors));
}

TEST_CASE("text behind the end of the document is not ignored") {
  const auto read = Pipeline("{pipeline: p, source: {mqtt: a}, sinks: {stdout: true}}\n]\n");
  CHECK_MESSAGE(Has(read.errors, ErrorCode::kYamlSyntax, 2, 1), AllErrors(read.errors));
}

TEST_CASE("anchors, aliases and tags are refused") {
  CHECK(Has(Pipeline("pipeline: &x p\n").errors, ErrorCode::kYamlSyntax, 1, 11, "anchors"));
  CHECK(Has(Pipeline("pipeline: &x\n").errors, ErrorCode::kYamlSyntax, 1, 11, "anchors"));
  CHECK(Has(Pipeline("pipeline: *x\n").errors, ErrorCode::kYamlSyntax, 1, 11));
  CHECK(Has(Pipeline("pipeline: !!str p\n").errors, ErrorCode::kYamlSyntax, 1, 11, "tags"));
  CHECK(Has(Pipeline("steps: !x [a]\n").errors, ErrorCode::kYamlSyntax, 1, 8, "tags"));
  std::string bomb = "a: &a [x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const char previous = static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [*" + previous + ", *" + previous + "]\n";
  }
  CHECK(Has(Pipeline(bomb).errors, ErrorCode::kYamlSyntax, 1, 4, "anchors"));
}

TEST_CASE("bytes that are no text are refused where they stand") {
  CHECK(Has(Pipeline("pipeline: a\x04\n").errors, ErrorCode::kYamlSyntax, 1, 12, "control"));
  CHECK(Has(Pipeline(std::string_view("a\0b", 3)).errors, ErrorCode::kYamlSyntax, 1, 2));
  for (const char* bad : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF5", "\xC3", "\xFF\xFE"}) {
    CAPTURE(bad);
    CHECK(Has(Pipeline("a: b\n# " + std::string(bad)).errors, ErrorCode::kYamlSyntax, 2, 3,
              "UTF-8"));
  }
  const auto read = Pipeline("pipeline: p # \xC2\xB0\xE2\x82\xAC\xF0\x9F\x98\x80\n"
                             "source: {mqtt: a}\nsinks: {stdout: true}\n");
  CHECK_MESSAGE(read.ok, AllErrors(read.errors));
}

TEST_CASE("depth, size, line length and the number of values are limited") {
  const std::string closed = std::string(33, '[') + std::string(33, ']');
  CHECK(Has(Pipeline(closed).errors, ErrorCode::kYamlSyntax, 1, 33, "deeply"));
  CHECK(Pipeline(closed.substr(1, 64)).errors[0].code == ErrorCode::kWrongSettingType);
  CHECK(Has(Pipeline(std::string(100'000, '[')).errors, ErrorCode::kYamlSyntax, 0, 0, "brackets"));
  CHECK(Has(Pipeline(std::string(100'000, 'x')).errors, ErrorCode::kYamlSyntax, 1, 1, "line"));
  CHECK(Pipeline(Repeat("[\n", 80'000)).errors[0].code == ErrorCode::kYamlSyntax);
  CHECK(Has(Pipeline(Repeat("- ", 1000)).errors, ErrorCode::kYamlSyntax, 1, 65, "deeply"));
  CHECK(Has(Pipeline(std::string(kMegabyte + 1, '\n')).errors, ErrorCode::kYamlSyntax, 0, 0));
  const auto wide = Pipeline(Repeat("- a\n", kMegabyte));
  REQUIRE(wide.errors.size() == 1);
  CHECK(wide.errors[0].message.find("too many values") != std::string::npos);
}

TEST_CASE("errors are limited in number and length") {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "unknown" + std::to_string(i) + ": 1\n";
  CHECK(Pipeline(many).errors.size() <= 100);
  const auto read = Pipeline("'" + std::string(60'000, 'x') + "\\n': 1\n");
  CHECK(AllErrors(read.errors).size() < 2000);
}

TEST_CASE("a megabyte of anything takes bounded memory") {
  for (const char* part :
       {"[\n", "{\n", "[a,\n", "{a: \n", "- \n", "? \n", "a:\n", "a: b\n", "'\n", "\"\n", "&a \n",
        "*a \n", "!t \n", "# \n", "---\n", "|\n", "[],\n", "{},\n", "\n", " \n", "\t\n", "x\n",
        ": \n", "%a\n", "- - a\n", "@\n", "`\n", "\r", "...\n"}) {
    CAPTURE(part);
    FuzzConfig(Repeat(part, kMegabyte));
    FuzzConfig(Repeat(part, 60'000));
    FuzzConfig("steps:\n" + Repeat("  " + std::string(part), 50'000));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  MESSAGE("peak resident memory: " << usage.ru_maxrss / 1024 << " MB");
}

// One to four random edits: bytes replaced, removed, doubled, or swapped for structure.
std::string Mutated(std::string text, Random* random) {
  static constexpr std::string_view kBytes = "{}[]:,-'\"|>&*!#?% \n\t\r\x04\xC3" "0a";
  const uint64_t edits = 1 + random->Below(4);
  for (uint64_t i = 0; i < edits && !text.empty(); ++i) {
    const size_t at = random->Below(text.size());
    switch (random->Below(4)) {
      case 0: text[at] = kBytes[random->Below(kBytes.size())]; break;
      case 1: text.erase(at, 1 + random->Below(8)); break;
      case 2: text.insert(at, text.substr(random->Below(text.size()), random->Below(40))); break;
      default: text.insert(at, 1, kBytes[random->Below(kBytes.size())]);
    }
  }
  return text;
}

TEST_CASE("mutated examples never do harm") {
  Random random(20240607);
  for (const char* name : {"pipelines/temperature.yaml", "pipelines/engine-health.yaml",
                           "pipelines/can-frames.yaml", "node.yaml"}) {
    const std::string text = FileText(ConfigFolder() / name);
    REQUIRE(!text.empty());
    for (int i = 0; i < 1500; ++i) FuzzConfig(Mutated(text, &random));
    for (size_t length = 0; length < text.size(); length += 7) FuzzConfig(text.substr(0, length));
  }
}

}  // namespace
}  // namespace rivulet
