// Publisher: a small plant and some cars that report over MQTT: out of order, in bursts after
// silence, twice, and sometimes nonsense.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/types.h"

namespace rivulet::sim {

struct TestMessage {
  std::string topic;
  std::string payload;
  int qos = 1;
};

class Publisher {
 public:
  // `lists`: some messages are lists of many readings.
  Publisher(Random* random, int qos, bool lists) : random_(random), qos_(qos), lists_(lists) {}

  // The next messages, now: one, or a backlog.
  std::vector<TestMessage> Next(EventTime now);
  // One record for every source, which closes the windows of all before.
  std::vector<TestMessage> Last(EventTime now);

 private:
  TestMessage Reading(int64_t time_us);
  TestMessage CarLine(int64_t time_us);
  TestMessage List(int64_t time_us);
  TestMessage Nonsense(int64_t time_us);
  int64_t SomeTime(EventTime now);

  Random* random_;
  int qos_;
  bool lists_;
  uint64_t number_ = 0;
  TestMessage previous_;
};

}  // namespace rivulet::sim
