#include "node/lane/retained_filter.h"

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

// As a node with a journal that is empty otherwise and takes everything.
bool Admit(RetainedFilter* filter, const MqttMessage& m) {
  const RetainedFilter::Verdict verdict = filter->Judge(m);
  const bool news = verdict == RetainedFilter::Verdict::kNews ||
                    (verdict == RetainedFilter::Verdict::kAsksPast && !filter->WasJournaled(m));
  if (news) filter->Journaled(m);
  return news;
}

}  // namespace

TEST_CASE("retained filter: ordinary messages always pass, also equal ones") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {});
  for (const bool resumed : {false, true}) {
    CHECK(Admit(&filter, Message("sensors/a", "1", false, resumed)));
    CHECK(Admit(&filter, Message("sensors/a", "1", false, resumed)));
  }
}

TEST_CASE("retained filter: in a resumed session retained messages of a known filter are repetitions") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {"sensors/+"});
  CHECK_FALSE(Admit(&filter, Message("sensors/a", "1", true, true)));
}

TEST_CASE("retained filter: a filter that is new brings its retained messages once") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+", "cars/#"}, {"sensors/+"});
  CHECK(Admit(&filter, Message("cars/x/speed", "1", true, true)));
  CHECK_FALSE(Admit(&filter, Message("cars/x/speed", "1", true, true)));
  CHECK(Admit(&filter, Message("cars/x/speed", "2", true, true)));
  CHECK_FALSE(Admit(&filter, Message("sensors/a", "1", true, true)));
}

TEST_CASE("retained filter: a session that begins anew sends again what this process had") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {});
  CHECK(Admit(&filter, Message("sensors/a", "1", true, false)));
  CHECK_FALSE(Admit(&filter, Message("sensors/a", "1", true, false)));
  CHECK(Admit(&filter, Message("sensors/b", "1", true, false)));
}

TEST_CASE("retained filter: what the journal could not take is as new when it comes again") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {"sensors/+"});
  const MqttMessage first = Message("sensors/a", "1", true, false);
  const MqttMessage again = Message("sensors/a", "1", true, true);
  CHECK(filter.Judge(first) == RetainedFilter::Verdict::kAsksPast);
  filter.Refused(first);
  // It would be a repetition by its session.
  CHECK(filter.Judge(again) == RetainedFilter::Verdict::kNews);
  filter.Journaled(again);
  CHECK(filter.Judge(again) == RetainedFilter::Verdict::kRepetition);
  CHECK(filter.Judge(first) == RetainedFilter::Verdict::kRepetition);
}

TEST_CASE("retained filter: after a restart the journal tells what a session that begins anew repeats") {
  RetainedFilter filter;
  filter.Subscribed({"sensors/+"}, {"sensors/+"});
  filter.Past("sensors/a", "1");
  filter.Past("sensors/a", "2");
  CHECK_FALSE(Admit(&filter, Message("sensors/a", "2", true, false)));
  CHECK(Admit(&filter, Message("sensors/a", "1", true, false)));
  CHECK(Admit(&filter, Message("sensors/b", "2", true, false)));
}

TEST_CASE("retained filter: a wider filter brings what the narrower did not") {
  RetainedFilter filter;
  filter.Subscribed({"plant/#"}, {"plant/+/temp"});
  CHECK(Admit(&filter, Message("plant/a/humidity", "1", true, true)));
  CHECK_FALSE(Admit(&filter, Message("plant/a/temp", "1", true, true)));
}

}  // namespace rivulet
