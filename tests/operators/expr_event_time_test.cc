// event_time() in expressions: which columns calls ask for, how they are written, where they are refused.
#include <doctest/doctest.h>

#include <algorithm>

#include "operators/expr/event_time_call.h"
#include "operators/time/event_time_column.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

// A column for each unit, and for each side.
class Taker final : public EventTimeCalls {
 public:
  bool TakeEventTime(const EventTimeCall& call, Field* field, Diagnostic* diagnostic) override {
    if (call.of == "nobody") {
      *diagnostic = {ErrorCode::kUnknownFunction, call.offset, "there is no such side"};
      return false;
    }
    const auto known = std::find(calls.begin(), calls.end(), call.canonical);
    field->column = static_cast<uint32_t>(known - calls.begin()) + 1;
    if (known == calls.end()) calls.push_back(call.canonical);
    return true;
  }
  std::vector<std::string> calls;
};

// One field, "ts", in column 0; event times behind it.
struct Asked {
  Taker taker;
  Scope scope{true};
  Asked() {
    scope.Define("ts", kAnyType);
    scope.SetEventTime(&taker, "");
  }
  // The canonical text, or the fault and where it is.
  std::string operator()(std::string_view text) {
    Diagnostic diagnostic;
    const Result<Program> program = Program::Compile(text, &scope, &diagnostic);
    if (program.ok()) return program->canonical();
    return "E" + std::to_string(static_cast<int>(diagnostic.code)) + " at " +
           std::to_string(diagnostic.offset);
  }
};

}  // namespace

TEST_CASE("event_time: calls become columns, one for each unit and side, and read as they were written") {
  Asked asked;
  CHECK(asked("event_time()") == "event_time()");
  CHECK(asked("Event_Time( 'ms' ) - event_time('us')div 1000") == "event_time() - event_time('us') div 1000");
  CHECK(asked("case when hour(event_time(), 'UTC') in (1, 2) then event_time('s') end") ==
        "case when hour(event_time(), 'UTC') in (1, 2) then event_time('s') end");
  CHECK(asked("Left.EVENT_TIME() = Left.event_time('us')") == "Left.event_time() = Left.event_time('us')");
  CHECK(asked.taker.calls == std::vector<std::string>{"event_time()", "event_time('us')", "event_time('s')",
                                                      "Left.event_time()", "Left.event_time('us')"});
  // None is a name: neither of a field that exists now, nor of one that a payload could have.
  CHECK(asked.scope.Names() == std::vector<std::string>{"ts"});
  CHECK(asked("`event_time()` + event_time") == "`event_time()` + event_time");
  CHECK(asked.scope.Names() == std::vector<std::string>{"ts", "event_time()", "event_time"});
  CHECK(asked.taker.calls.size() == 5);
}

TEST_CASE("event_time: what a call is known to be") {
  Asked asked;
  Diagnostic diagnostic;
  const Result<Program> plain = Program::Compile("event_time('us')", &asked.scope, &diagnostic);
  REQUIRE(plain.ok());
  CHECK(plain->type() == MaskOf(Type::kInt));
  CHECK(plain->column() == 1);
  CHECK_FALSE(plain->constant());
  CHECK(asked("event_time() || 'x' like 'a'") == "event_time() || 'x' like 'a'");
  CHECK(asked("event_time() like 'a'") == "E2005 at 0");
  CHECK(asked("event_time() and true") == "E2005 at 0");
}

TEST_CASE("event_time: wrong calls, and places without a record") {
  Asked asked;
  CHECK(asked("1 + event_time('ns')") == "E2012 at 15");
  CHECK(asked("event_time(1)") == "E2012 at 11");
  CHECK(asked("event_time(ts)") == "E2012 at 11");
  CHECK(asked("event_time(null)") == "E2012 at 11");
  CHECK(asked("event_time('us', 'us')") == "E2004 at 0");
  CHECK(asked("ts + nobody.event_time()") == "E2003 at 5");
  CHECK(asked("event_time") == "event_time");
  CHECK(asked.taker.calls.empty());
  asked.scope.SetEventTime(nullptr, "look elsewhere");
  Diagnostic diagnostic;
  CHECK_FALSE(Program::Compile("1 + event_time()", &asked.scope, &diagnostic).ok());
  CHECK(diagnostic.code == ErrorCode::kStepOrder);
  CHECK(diagnostic.offset == 4);
  CHECK(diagnostic.message.find("'event_time' is the time of a record; look elsewhere") == 0);
  CHECK(Eval("event_time()").starts_with("E2007 at 0"));
}

TEST_CASE("event_time: a column holds the beginning of the unit that a time is in, for the rows selected") {
  RecordBatch batch;
  const std::vector<int64_t> times = {0, 1'999'999, 1'000'000, -1, -1'000'000, int64_t{1} << 61};
  batch.Reset(3, static_cast<uint32_t>(times.size()) + 1);
  batch.rows = static_cast<uint32_t>(times.size()) + 1;
  std::copy(times.begin(), times.end(), batch.event_time.begin());
  const EventTimeColumn us{0, 1}, ms{1, 1000}, s{2, 1'000'000};
  const Selection rows = Selection::All(static_cast<uint32_t>(times.size()));
  for (const EventTimeColumn& at : {us, ms, s}) at.Fill(rows, &batch);
  const int64_t in_ms[] = {0, 1999, 1000, -1, -1000, (int64_t{1} << 61) / 1000};
  const int64_t in_s[] = {0, 1, 1, -1, -1, (int64_t{1} << 61) / 1'000'000};
  for (uint32_t row = 0; row < times.size(); ++row) {
    CAPTURE(times[row]);
    CHECK(batch.columns[0].Int(row) == times[row]);
    CHECK(batch.columns[1].Int(row) == in_ms[row]);
    CHECK(batch.columns[2].Int(row) == in_s[row]);
  }
  CHECK(batch.columns[0].is_null(static_cast<uint32_t>(times.size())));
  // What a turn before has left is gone.
  const uint32_t second = 1;
  ms.Fill({&second, 1}, &batch);
  CHECK(batch.columns[1].is_null(0));
  CHECK(batch.columns[1].Int(1) == 1999);
}

}  // namespace rivulet::expr
