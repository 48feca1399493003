#include "transport/topic.h"

#include <doctest/doctest.h>

namespace rivulet {
namespace {

using Views = std::vector<std::string_view>;

bool Matches(std::string_view pattern, std::string_view topic, Views* captures = nullptr) {
  auto parsed = TopicPattern::Parse(pattern);
  REQUIRE(parsed.ok());
  Views own;
  return parsed->Match(topic, captures ? captures : &own);
}

std::string Level(std::string topic, std::string_view value) {
  TopicTemplate::AppendLevel(&topic, value);
  return topic;
}

}  // namespace

TEST_CASE("TopicPattern gives the filter and the names") {
  const auto p = TopicPattern::Parse("sensors/{sensor}/+/{kind}/#");
  REQUIRE(p.ok());
  CHECK(p.value().filter() == "sensors/+/+/+/#");
  CHECK(p.value().names() == std::vector<std::string>{"sensor", "kind"});
  CHECK(TopicPattern::Parse("plain").value().filter() == "plain");
  CHECK(TopicPattern::Parse("/").value().filter() == "/");
  CHECK(TopicPattern::Parse("a//b").value().filter() == "a//b");
  CHECK(TopicPattern::Parse("#").value().filter() == "#");
}

TEST_CASE("TopicPattern captures views into the topic, in order") {
  const std::string topic = "sensors/t17/room 4/temperature";
  Views captures{"left", "over"};
  CHECK(Matches("sensors/{sensor}/{room}/temperature", topic, &captures));
  CHECK(captures == Views{"t17", "room 4"});
  CHECK(captures[0].data() == topic.data() + 8);
  CHECK(Matches("{a}/{b}", "/", &captures));
  CHECK(captures == Views{"", ""});
}

TEST_CASE("TopicPattern matches as MQTT says") {
  CHECK(Matches("a/b", "a/b"));
  CHECK_FALSE(Matches("a/b", "a/b/"));
  CHECK_FALSE(Matches("a/b", "a"));
  CHECK_FALSE(Matches("a/b", "A/b"));
  CHECK(Matches("a/+", "a/"));
  CHECK_FALSE(Matches("a/+", "a"));
  CHECK_FALSE(Matches("+", "/a"));
  CHECK(Matches("+/+", "/a"));
  CHECK(Matches("sport/#", "sport"));
  CHECK(Matches("sport/#", "sport/"));
  CHECK(Matches("sport/#", "sport/tennis/p1"));
  CHECK_FALSE(Matches("sport/#", "sports"));
  CHECK(Matches("#", "any/thing"));
  CHECK_FALSE(Matches("#", ""));
}

TEST_CASE("TopicPattern: wildcards at the first level do not match $ topics") {
  CHECK_FALSE(Matches("#", "$SYS/broker/load"));
  CHECK_FALSE(Matches("+/broker/load", "$SYS/broker/load"));
  CHECK_FALSE(Matches("{x}/broker/load", "$SYS/broker/load"));
  CHECK(Matches("$SYS/#", "$SYS/broker/load"));
  CHECK(Matches("a/+", "a/$b"));
}

TEST_CASE("TopicPattern refuses what cannot be subscribed") {
  const std::string nul("a\0b", 3);
  for (const std::string& text :
       {std::string(), std::string("a/#/b"), std::string("#/a"), std::string("a+/b"),
        std::string("a/b#"), std::string("++"), nul, std::string("{x}/{x}"), std::string("{}"),
        std::string("{a"), std::string("a}"), std::string("pre{a}"), std::string("{a}post"),
        std::string("{rest...}"), std::string("{1a}"), std::string("{a b}"), std::string("{{a}}"),
        std::string("$share/group/a"), std::string(65536, 'x')}) {
    CAPTURE(text.substr(0, 60));
    const auto p = TopicPattern::Parse(text);
    REQUIRE_FALSE(p.ok());
    CHECK(p.status().code() == ErrorCode::kBadTopicPattern);
    CHECK_FALSE(p.status().message().empty());
  }
  CHECK(TopicPattern::Parse(std::string(65535, 'x')).ok());
}

TEST_CASE("TopicTemplate splits text and fields") {
  const auto t = TopicTemplate::Parse("aggregates/{sensor}-{kind}/speed");
  REQUIRE(t.ok());
  const auto& parts = t.value().parts();
  REQUIRE(parts.size() == 5);
  CHECK(parts[0].text == "aggregates/");
  CHECK_FALSE(parts[0].is_field);
  CHECK(parts[1].text == "sensor");
  CHECK(parts[1].is_field);
  CHECK(parts[2].text == "-");
  CHECK(parts[3].text == "kind");
  CHECK(parts[4].text == "/speed");
  CHECK(t.value().names() == std::vector<std::string>{"sensor", "kind"});
  CHECK(TopicTemplate::Parse("{a}").value().parts().size() == 1);
}

TEST_CASE("TopicTemplate refuses what cannot be published on") {
  const std::string nul("a\0b", 3);
  for (const std::string& text :
       {std::string(), std::string("a/+"), std::string("a/#"), nul, std::string("{"),
        std::string("}"), std::string("a/{b"), std::string("a}b"), std::string("{}"),
        std::string("{a{b}}"), std::string("{a/b}"), std::string("{a}}")}) {
    CAPTURE(text);
    const auto t = TopicTemplate::Parse(text);
    REQUIRE_FALSE(t.ok());
    CHECK(t.status().code() == ErrorCode::kBadTopicPattern);
  }
}

TEST_CASE("TopicTemplate::AppendLevel keeps a value within its level") {
  CHECK(Level("a/", "t17") == "a/t17");
  CHECK(Level("a/", "") == "a/_");
  CHECK(Level("a/", std::string_view("x/y+z#\0", 7)) == "a/x_y_z__");
  CHECK(Level("", "$SYS") == "_SYS");
  CHECK(Level("a/", "$SYS") == "a/$SYS");
  CHECK(Level("a/", "Zürich") == "a/Zürich");
}

}  // namespace rivulet
