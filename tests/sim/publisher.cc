#include "sim/publisher.h"

namespace rivulet::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;

std::string Decimal(Random* random) {
  const auto tenths = static_cast<int64_t>(random->Below(1200)) - 300;
  return std::to_string(tenths / 10) + "." + std::to_string((tenths < 0 ? -tenths : tenths) % 10);
}

}  // namespace

int64_t Publisher::SomeTime(EventTime now) {
  const uint64_t kind = random_->Below(20);
  if (kind < 12) return now.us - static_cast<int64_t>(random_->Below(kSecond));
  if (kind < 18) return now.us - static_cast<int64_t>(random_->Below(8 * kSecond));
  return now.us - static_cast<int64_t>(random_->Below(40 * kSecond));
}

TestMessage Publisher::Reading(int64_t time_us) {
  constexpr const char* kTags[] = {"red", "green", "bl\\u00fce"};
  TestMessage m;
  m.topic = std::string("plant/") + (random_->Chance(0.5) ? "north" : "south") +
            (random_->Chance(0.05) ? "/extra" : "") + "/s" + std::to_string(random_->Below(4));
  m.payload = "{\"ts\":" + std::to_string(time_us / 1000) + ",\"n\":" + std::to_string(++number_);
  if (random_->Chance(0.9)) m.payload += ",\"v\":" + Decimal(random_);
  if (random_->Chance(0.8)) {
    m.payload += std::string(",\"tag\":\"") + kTags[random_->Below(3)] + "\"";
  }
  m.payload += "}";
  m.qos = qos_;
  return m;
}

TestMessage Publisher::CarLine(int64_t time_us) {
  TestMessage m;
  m.topic = "cars/c" + std::to_string(random_->Below(3));
  const uint64_t lines = random_->Chance(0.1) ? 1 + random_->Below(4) : 1;
  for (uint64_t i = 0; i < lines; ++i) {
    m.payload += std::to_string(time_us / 1000 + static_cast<int64_t>(i) * 700) + "," +
                 Decimal(random_) + "," + std::to_string(++number_) + "\n";
  }
  m.qos = qos_;
  return m;
}

// Of many keys, some elements late, some at fault.
TestMessage Publisher::List(int64_t time_us) {
  TestMessage m;
  m.topic = "lists/l" + std::to_string(random_->Below(2));
  m.payload = "{\"n\":" + std::to_string(++number_) + ",\"list\":[";
  for (uint64_t k = 0, elements = random_->Below(120); k < elements; ++k) {
    const int64_t at = time_us - static_cast<int64_t>(random_->Below(10 * kSecond));
    if (k > 0) m.payload += ',';
    m.payload += random_->Chance(0.05) ? "7" : "{\"at\":" + std::to_string(at / 1000) + ",\"k\":" +
                                                   std::to_string(random_->Below(60)) + ",\"v\":" +
                                                   Decimal(random_) + "}";
  }
  m.payload += "]}";
  m.qos = qos_;
  return m;
}

TestMessage Publisher::Nonsense(int64_t time_us) {
  TestMessage m = random_->Chance(0.5) ? Reading(time_us) : CarLine(time_us);
  switch (random_->Below(5)) {
    case 0: m.payload.resize(random_->Below(m.payload.size())); break;
    case 1: m.payload = "{\"n\":" + std::to_string(++number_) + "}"; break;
    case 2: m.payload = "{\"ts\":\"soon\",\"n\":" + std::to_string(++number_) + "}"; break;
    case 3: m = Reading(time_us + 3600 * kSecond); break;
    default: {
      const size_t place = random_->Below(m.payload.size());
      m.payload.insert(place, 1, static_cast<char>(random_->Below(256)));
    }
  }
  return m;
}

std::vector<TestMessage> Publisher::Next(EventTime now) {
  std::vector<TestMessage> messages;
  if (!previous_.topic.empty() && random_->Chance(0.03)) return {previous_};
  if (lists_ && random_->Chance(0.15)) return {previous_ = List(SomeTime(now))};
  const bool burst = random_->Chance(0.02);
  const int64_t start = now.us - static_cast<int64_t>(random_->Below(30 * kSecond));
  for (uint64_t i = burst ? 3 + random_->Below(20) : 1; i > 0; --i) {
    const int64_t time =
        burst ? start + static_cast<int64_t>(random_->Below(5 * kSecond)) : SomeTime(now);
    messages.push_back(random_->Chance(0.04)  ? Nonsense(time)
                       : random_->Chance(0.6) ? Reading(time)
                                              : CarLine(time));
    if (random_->Chance(0.03)) messages.back().qos = 0;
  }
  previous_ = messages.back();
  return messages;
}

std::vector<TestMessage> Publisher::Last(EventTime now) {
  const std::string time = std::to_string(now.us / 1000);
  std::vector<TestMessage> last = {
      {"plant/north/s0", "{\"ts\":" + time + ",\"n\":1,\"v\":20.5,\"tag\":\"red\"}", qos_},
      {"cars/c0", time + ",1.5,1\n", qos_}};
  const std::string list = "{\"n\":1,\"list\":[{\"at\":" + time + ",\"k\":1,\"v\":1}]}";
  if (lists_) last.push_back({"lists/l0", list, qos_});
  return last;
}

}  // namespace rivulet::sim
