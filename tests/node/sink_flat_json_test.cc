#include "node/sinks/flat_json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "node/sinks/topic_renderer.h"

using namespace rivulet;

namespace {

struct Parsed {
  std::vector<std::string> members;  // name, kind letter, text
  bool ok;
};

Parsed Parse(std::string_view json) {
  Parsed parsed;
  FlatJsonReader reader(json);
  FlatMember m;
  while (reader.Next(&m)) {
    std::string text;
    m.name.AppendTo(&text);
    text += std::string(":") + "nbifsl"[static_cast<int>(m.kind)];
    m.text.AppendTo(&text);
    parsed.members.push_back(text);
  }
  parsed.ok = reader.ok();
  return parsed;
}

std::string Topic(std::string_view pattern, std::string_view json) {
  auto renderer = TopicRenderer::Create(pattern);
  REQUIRE(renderer.ok());
  return renderer->Render(json);
}

}  // namespace

TEST_CASE("flat JSON: all kinds of values, in order") {
  const Parsed p = Parse(R"( {"a":1 , "b":-2.5e3,"c":"x","d":true,"e":false,"f":null,"g":0} )");
  CHECK(p.ok);
  CHECK(p.members == std::vector<std::string>{"a:i1", "b:f-2.5e3", "c:sx", "d:btrue", "e:bfalse",
                                              "f:nnull", "g:i0"});
  CHECK(Parse("{}").ok);
  CHECK(Parse(" { } ").members.empty());
}

TEST_CASE("flat JSON: escapes") {
  const Parsed p = Parse(R"({"a\"b":"\n\t\\\/\u00e4\u20ac\ud83d\ude00\ud800x\udc00"})");
  REQUIRE(p.ok);
  CHECK(p.members[0] ==
        "a\"b:s\n\t\\/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbdx\xef\xbf\xbd");
  FlatMember m;
  CHECK(FindMember(R"({"\u0061":1,"b":2})", "a", &m));
  CHECK(m.text.raw == "1");
  CHECK_FALSE(FindMember(R"({"a":1})", "b", &m));
}

TEST_CASE("flat JSON: lists are members as they are written") {
  const Parsed p = Parse(R"({"a":[],"b":[1, "x]",null],"c":[{"value":"a","count":2},{}],"d":[[1],[{}]]})");
  CHECK(p.ok);
  CHECK(p.members == std::vector<std::string>{"a:l[]", "b:l[1, \"x]\",null]",
                                              "c:l[{\"value\":\"a\",\"count\":2},{}]",
                                              "d:l[[1],[{}]]"});
}

TEST_CASE("flat JSON: what is malformed is refused") {
  for (const char* bad :
       {"", "{", "}", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1}x",
        "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":{}}",
        "{\"a\":[1}", "{\"a\":[1,]}", "{\"a\":[[[[1]]]]}", "{\"a\":[{\"b\":}]}",
        "{\"a\":nul}", "{\"a\":\"x}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u12\"}", "{\"a\":\"\\", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\":\"\n\"}",
        "{\"a\":+1}", "{,}"}) {
    CAPTURE(bad);
    CHECK_FALSE(Parse(bad).ok);
  }
}

TEST_CASE("flat JSON: random damage never leads out of the text") {
  const std::string good = R"({"vehicle":"v\u00e4\n1","ts":1700000000123,"x":-1.5e-7,"l":[1,{"a":[2]}]})";
  Random random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good.substr(0, random.Below(good.size() + 1));
    for (uint64_t k = random.Below(4); k > 0 && !bytes.empty(); --k) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    const std::vector<char> exact(bytes.begin(), bytes.end());  // so that a sanitizer sees the end
    Parse({exact.data(), exact.size()});
  }
}

TEST_CASE("topics take fields of the result") {
  const char* json = R"({"sensor":"s1","n":12,"f":1.5,"ok":true,"none":null})";
  CHECK(Topic("agg/{sensor}/x", json) == "agg/s1/x");
  CHECK(Topic("{n}/{f}/{ok}", json) == "12/1.5/true");
  CHECK(Topic("a/{none}/{missing}", json) == "a/_/_");
  CHECK(TopicRenderer::Create("a/{b").status().code() == ErrorCode::kBadTopicPattern);
  CHECK(TopicRenderer::Create(std::string(66'000, 'a')).status().code() ==
        ErrorCode::kBadTopicPattern);
}

TEST_CASE("topics: values cannot change the topic's meaning or upset the broker") {
  CHECK(Topic("a/{k}", R"({"k":"x/y+#"})") == "a/x_y__");
  CHECK(Topic("{k}/a", R"({"k":"$SYS"})") == "_SYS/a");
  CHECK(Topic("a/{k}", R"({"k":"\u0000\u0001\u007f\u0085\ufffe\ufdd0z"})") == "a/______z");
  CHECK(Topic("a/{k}", "{\"k\":\"\xff\xc3\"}") == "a/__");
  CHECK(Topic("a/{k}", "{\"k\":\"\xc3\xa4\"}") == "a/\xc3\xa4");
  const std::string longest = "{\"k\":\"" + std::string(1023, 'x') + "\xc3\xa4\"}";
  CHECK(Topic("{k}", longest) == std::string(1023, 'x'));
}
