#include "node/engine/dead_reasons.h"

#include <doctest/doctest.h>

#include <string>

namespace rivulet {
namespace {

TEST_CASE("dead reasons: what differs only by values is one reason, the most frequent comes first") {
  DeadReasons reasons;
  reasons.Note("{\"reason\":\"E4003 field has the wrong type: field 'v' is a string, expected int\","
               "\"record\":{\"v\":\"x\"}}");
  for (const char* text : {"12:60", "99", "it's"}) {
    reasons.Note(R"({"reason":"E4004 event time cannot be understood: event time 't' is ')" +
                 std::string(text) + R"(', expected epoch seconds","record":{"t":")" + text +
                 R"(","l":["},",2]},"element":2,"topic":"a/b","received":5})");
  }
  reasons.Note(R"({"reason":"E4001 payload is not well-formed: near byte 7: x \"y\"","record":"{\"a\":"})");
  reasons.Note(R"({"reason":"E4001 payload is not well-formed: near byte 12: x \"y\"","record":"{"})");
  const auto top = reasons.Top(2);
  REQUIRE(top.size() == 2);
  CHECK(top[1].count == 2);
  CHECK(top[1].text == "E4001 payload is not well-formed: near byte 7: x \"y\"");
  CHECK(top[1].example == "\"{\\\"a\\\":\"");
  CHECK(top[0].example == R"({"t":"12:60","l":["},",2]})");
  CHECK(reasons.Top(9).back().text == "E4003 field has the wrong type: field 'v' is a string, expected int");
}

TEST_CASE("dead reasons: fields are told apart, memory is bounded, characters stay whole") {
  DeadReasons reasons;
  for (int k = 0; k < 200; ++k) {
    std::string name(static_cast<size_t>(k) + 1, 'f');
    reasons.Note("{\"reason\":\"E4003 wrong: field '" + name + "' of a record\",\"record\":{}}");
  }
  CHECK(reasons.Top(1000).size() == 64);
  CHECK(reasons.others() == 136);
  DeadReasons cut;
  std::string record;
  for (int k = 0; k < 300; ++k) record += "é";
  cut.Note("{\"reason\":\"E1\",\"record\":\"" + record + "\"}");
  const std::string example = cut.Top(1)[0].example;
  CHECK(example.size() < 250);
  CHECK(example.ends_with("é..."));
  cut.Note("");
  CHECK(cut.Top(9).size() == 2);
}

}  // namespace
}  // namespace rivulet
