#include "node/live/retained_filter.h"

#include <doctest/doctest.h>

namespace rivulet {
namespace {

MqttMessage Message(std::string_view topic, std::string_view payload, bool retained, bool resumed) {
  MqttMessage m;
  m.topic = topic;
  m.payload = payload;
  m.retained = retained;
  m.resumed = resumed;
  return m;
}

}  // namespace

TEST_CASE("retained filter: ordinary messages always pass, also equal ones") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {});
  for (const bool resumed : {false, true}) {
    CHECK(filter.Admit(Message("sensors/a", "1", false, resumed)));
    CHECK(filter.Admit(Message("sensors/a", "1", false, resumed)));
  }
}

TEST_CASE("retained filter: in a resumed session retained messages of a known filter are repetitions") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {"sensors/+"});
  CHECK_FALSE(filter.Admit(Message("sensors/a", "1", true, true)));
}

TEST_CASE("retained filter: a filter that is new brings its retained messages once") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+", "cars/#"}, {"sensors/+"});
  CHECK(filter.Admit(Message("cars/x/speed", "1", true, true)));
  CHECK_FALSE(filter.Admit(Message("cars/x/speed", "1", true, true)));
  CHECK(filter.Admit(Message("cars/x/speed", "2", true, true)));
  CHECK_FALSE(filter.Admit(Message("sensors/a", "1", true, true)));
}

TEST_CASE("retained filter: a session that begins anew sends again what this process had") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {});
  CHECK(filter.Admit(Message("sensors/a", "1", true, false)));
  CHECK_FALSE(filter.Admit(Message("sensors/a", "1", true, false)));
  CHECK(filter.Admit(Message("sensors/b", "1", true, false)));
}

}  // namespace rivulet
