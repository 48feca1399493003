#include "node/engine/rejected_line.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/random.h"

namespace rivulet {
namespace {

using nlohmann::json;

InputMessage Message(std::string_view payload, std::string_view topic = "plant/a") {
  InputMessage message;
  message.payload = {payload, 1'700'000'000'123'999, 42};
  message.topic = topic;
  return message;
}

std::string One(std::string_view record, const InputMessage* message = nullptr, uint32_t element = 0) {
  std::vector<std::string> lines;
  RejectedLines writer(&lines);
  writer.Add("late", record, message, element);
  writer.Finish();
  REQUIRE(lines.size() == 1);
  return lines[0];
}

TEST_CASE("rejected line: where the record came from") {
  const std::string payload = R"({"k":1,"a":[1,"x"]})";
  const InputMessage message = Message(payload);
  const std::string from = R"(,"topic":"plant/a","received":1700000000123,"offset":42})";
  CHECK(One(payload, &message) == R"({"reason":"late","record":{"k":1,"a":[1,"x"]})" + from);
  CHECK(One("\"x\"", &message, 2) == R"({"reason":"late","record":"x","element":1)" + from);
  // A replay of a file has no topics, a result no message.
  const InputMessage of_file = Message(payload, "");
  CHECK(One("1;2", &of_file) == R"({"reason":"late","record":"1;2"})");
  CHECK(One(R"({"n":1})") == R"({"reason":"late","record":{"n":1}})");
}

TEST_CASE("rejected line: a record that only looks like JSON is text") {
  CHECK(One(std::string("{\"a\":1}\0", 8)) == R"({"reason":"late","record":"{\"a\":1}\u0000"})");
  CHECK(One(std::string("[1]\0\xff", 5)) == "{\"reason\":\"late\",\"record\":\"[1]\\u0000\xEF\xBF\xBD\"}");
  CHECK(One("\xEF\xBB\xBF{}") == "{\"reason\":\"late\",\"record\":\"\xEF\xBB\xBF{}\"}");
  CHECK(One("{\"a\":\"\xC3\"}") == "{\"reason\":\"late\",\"record\":\"{\\\"a\\\":\\\"\xEF\xBF\xBD\\\"}\"}");
  CHECK(One("") == R"({"reason":"late","record":""})");
  CHECK(One("{\n\"a\"\r\n:1}") == "{\"reason\":\"late\",\"record\":{ \"a\"  :1}}");
}

TEST_CASE("rejected line: JSON in one line, whatever the bytes are") {
  Random random(7);
  constexpr std::string_view kPieces[] = {"{", "}", "[", "]", "\"", ":", ",", "1", "e", "-", "\\u12", "\\",
                                          "\n", "\r", " ", "null", "\"a\":", "1e999", "\xff", "\xC3\xA9"};
  for (int round = 0; round < 20000; ++round) {
    std::string record;
    for (uint64_t n = random.Below(12); n > 0; --n) {
      if (random.Chance(0.2)) {
        record.push_back(static_cast<char>(random.Below(256)));
      } else {
        record += kPieces[random.Below(std::size(kPieces))];
      }
    }
    const std::string topic = record.substr(0, record.size() / 2);
    const InputMessage message = Message(record, topic);
    const std::string line = One(record, &message, static_cast<uint32_t>(random.Below(2)));
    INFO(line);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(json::accept(line));
  }
}

TEST_CASE("rejected line: a long record is cut, and its length said") {
  std::string record = "{\"a\":\"" + std::string(RejectedLines::kMaxRecordBytes - 6 - 2, 'x') + "\"}";
  REQUIRE(record.size() == RejectedLines::kMaxRecordBytes);
  CHECK(json::parse(One(record))["record"].is_object());
  record += ' ';
  json cut = json::parse(One(record));
  CHECK(cut["record"].get<std::string>() == record.substr(0, RejectedLines::kMaxRecordBytes));
  CHECK(cut["record_bytes"] == record.size());
  // Not within a character.
  const std::string wide = std::string(RejectedLines::kMaxRecordBytes - 1, 'x') + "\xE2\x82\xAC";
  cut = json::parse(One(wide));
  CHECK(cut["record"].get<std::string>() == std::string(RejectedLines::kMaxRecordBytes - 1, 'x'));
  // Of what the journal has only the beginning.
  InputMessage message = Message(wide);
  message.whole_bytes = 70'000'000;
  CHECK(json::parse(One(wide, &message))["record_bytes"] == 70'000'000);
  const std::string topic(60'000, 't');
  message = Message("{}", topic);
  CHECK(json::parse(One("{}", &message))["topic"].get<std::string>().size() == RejectedLines::kMaxTopicBytes);
}

TEST_CASE("rejected line: the lines of one message are in proportion to its size") {
  std::string payload = "[1";
  while (payload.size() < 100'000) payload += ",1";
  payload += "]";
  const InputMessage message = Message(payload), other = Message("{}");
  std::vector<std::string> lines;
  RejectedLines writer(&lines);
  writer.Add("first", "{}", &other);
  for (uint32_t k = 1; k <= 50'000; ++k) {
    writer.Add("late", "1", &message, k);
    // Results at fault may stand in between.
    if (k == 49'000) writer.Add("of a result", "{}");
  }
  writer.Add("last", "{}", &other);
  writer.Finish();
  CHECK(writer.count() == 50'003);
  size_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size();
  CHECK(bytes < RejectedLines::kBytesOfMessage + RejectedLines::kBytesPerByte * payload.size() + 200'000);
  CHECK(bytes > RejectedLines::kBytesPerByte * payload.size());
  REQUIRE(lines.size() > 10'000);
  const json summary = json::parse(lines[lines.size() - 3]);
  const size_t shown = lines.size() - 4;
  CHECK(summary["reason"] ==
        "E4015 one message has more records at fault than are shown one by one: " +
            std::to_string(50'000 - shown) + " more, the first of them: late");
  CHECK(summary["record_bytes"] == payload.size());
  CHECK(json::parse(lines[lines.size() - 2])["reason"] == "of a result");
  CHECK(json::parse(lines.back())["reason"] == "last");
}

}  // namespace
}  // namespace rivulet
