// Times: zones, calendar arithmetic, patterns.
#include <doctest/doctest.h>

#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

// The UTC time of an ISO text after `call`, in which T stands for parse_time of it.
std::string At(const std::string& iso, std::string call) {
  const std::string time = "parse_time('" + iso + "')";
  for (size_t at = 0; (at = call.find('@', at)) != std::string::npos;) call.replace(at, 1, time);
  return Eval(call);
}

TEST_CASE("time: parts in a zone") {
  const std::string summer = "2024-07-01T22:30:00Z", winter = "2024-01-01T23:30:00Z";
  CHECK(At(summer, "hour(@, 'Europe/Berlin')") == "int 0");
  CHECK(At(summer, "day(@, 'Europe/Berlin')") == "int 2");
  CHECK(At(winter, "hour(@, 'Europe/Berlin')") == "int 0");
  CHECK(At(summer, "hour(@, 'UTC')") == "int 22");
  CHECK(At(summer, "minute(@, 'Asia/Kolkata')") == "int 0");
  CHECK(At(summer, "utc_offset(@, 'America/New_York')") == "int -14400000");
  CHECK(At(winter, "utc_offset(@, 'America/New_York')") == "int -18000000");
  CHECK(At(winter, "year(@, 'Pacific/Auckland')") == "int 2024");
  CHECK(At(winter, "quarter(@)") == "int 1");
  CHECK(At(summer, "quarter(@)") == "int 3");
  CHECK(Eval("hour(null, 'UTC')") == "null");
  CHECK(Eval("hour(0, null)") == "null");
  CHECK(Eval("hour(9223372036854775807, 'Europe/Berlin')") == "int 7");
  CHECK(Eval("year(-9223372036854775808, 'America/New_York')") == "int -292275055");
  CHECK(Eval("minute(-9223372036854775808, 'Asia/Kolkata')").starts_with("int "));
  // The day's clock is put forward, and back.
  CHECK(At("2024-03-31T00:59:59Z", "hour(@, 'Europe/Berlin')") == "int 1");
  CHECK(At("2024-03-31T01:00:00Z", "hour(@, 'Europe/Berlin')") == "int 3");
  CHECK(At("2024-10-27T00:59:59Z", "hour(@, 'Europe/Berlin')") == "int 2");
  CHECK(At("2024-10-27T01:00:00Z", "hour(@, 'Europe/Berlin')") == "int 2");
}

TEST_CASE("time: ISO weeks") {
  CHECK(At("2021-01-03", "week(@) || '/' || week_year(@)") == "string 53/2020");
  CHECK(At("2021-01-04", "week(@) || '/' || week_year(@)") == "string 1/2021");
  CHECK(At("2024-12-30", "week(@) || '/' || week_year(@)") == "string 1/2025");
  CHECK(At("2026-12-31", "week(@) || '/' || week_year(@)") == "string 53/2026");
}

TEST_CASE("time: names at fault are found at compile time, with the nearest") {
  const std::vector<Field> fields = {{"t", MaskOf(Type::kInt), 0}, {"z", MaskOf(Type::kString), 1}};
  std::string message;
  CHECK(CompileError("hour(t, 'Europe/Belin')", fields, &message) == "E2012 at 8");
  CHECK(message ==
        "hour: 'Europe/Belin' is not a time zone of this machine (did you mean 'Europe/Berlin'?)");
  CHECK(CompileError("hour(t, '../../etc/passwd')", fields) == "E2012 at 8");
  CHECK(CompileError("hour(t, '')", fields) == "E2012 at 8");
  CHECK(CompileError("date_trunc('moth', t)", fields, &message) == "E2012 at 11");
  CHECK(message.find("'moth' is not a unit (did you mean 'month'?), expected millisecond") !=
        std::string::npos);
  CHECK(CompileError("date_trunc(z, t, 'Mars')", fields) == "E2012 at 17");
  CHECK(CompileError("format_time(t, '%Y-%Q')", fields, &message) == "E2012 at 15");
  CHECK(message.find("'%Q' in the pattern is not known, expected one of %F %T %Y") !=
        std::string::npos);
  CHECK(CompileError("parse_time(z, '%G')", fields) == "E2012 at 14");
  CHECK(CompileError("parse_time(z, '%')", fields) == "E2012 at 14");
  CHECK(CompileError("hour(t, z)", fields) == "ok");
  CHECK(Eval("hour(0, z)", {{"z", Value::String("Asia/Tokyo")}}) == "int 9");
  CHECK(Eval("hour(0, z)", {{"z", Value::String("Asia/Tokio")}}).find("Asia/Tokyo") !=
        std::string::npos);
}

TEST_CASE("time: truncation") {
  const auto berlin = [](const std::string& unit, const std::string& iso) {
    return At(iso, "format_time(date_trunc('" + unit + "', @, 'Europe/Berlin'))");
  };
  CHECK(berlin("day", "2024-07-01T22:30:00Z") == "string 2024-07-01T22:00:00.000Z");
  CHECK(berlin("month", "2024-03-31T12:00:00Z") == "string 2024-02-29T23:00:00.000Z");
  CHECK(berlin("year", "2024-07-01T00:00:00Z") == "string 2023-12-31T23:00:00.000Z");
  CHECK(berlin("week", "2024-07-03T00:00:00Z") == "string 2024-06-30T22:00:00.000Z");
  // The second 02:30 of that night.
  CHECK(berlin("hour", "2024-10-27T01:30:00Z") == "string 2024-10-27T01:00:00.000Z");
  // Midnight was left out in Beirut that day: the day begins at 01:00.
  CHECK(At("2023-03-26T12:00:00Z", "format_time(date_trunc('day', @, 'Asia/Beirut'))") ==
        "string 2023-03-25T22:00:00.000Z");
  CHECK(At("2024-05-20T12:34:56.789Z", "format_time(date_trunc('quarter', @))") ==
        "string 2024-04-01T00:00:00.000Z");
  CHECK(At("2024-05-20T12:34:56.789Z", "format_time(date_trunc('millisecond', @))") ==
        "string 2024-05-20T12:34:56.789Z");
  CHECK(Eval("date_trunc('hour', 5400000, 'Asia/Kolkata')") == "int 5400000");
}

TEST_CASE("time: adding") {
  const auto add = [](const std::string& what, const std::string& iso, const std::string& zone) {
    return At(iso, "format_time(date_add(" + what + ", @" + zone + "))");
  };
  CHECK(add("'month', 1", "2024-01-31T10:00:00Z", "") == "string 2024-02-29T10:00:00.000Z");
  CHECK(add("'month', -11", "2024-01-31T10:00:00Z", "") == "string 2023-02-28T10:00:00.000Z");
  CHECK(add("'year', 1", "2024-02-29", "") == "string 2025-02-28T00:00:00.000Z");
  CHECK(add("'quarter', 2", "2024-01-01", "") == "string 2024-07-01T00:00:00.000Z");
  CHECK(add("'week', -1", "2024-01-01", "") == "string 2023-12-25T00:00:00.000Z");
  CHECK(add("'hour', 24", "2024-03-30T12:00:00Z", ", 'Europe/Berlin'") ==
        "string 2024-03-31T12:00:00.000Z");
  CHECK(add("'day', 1", "2024-03-30T12:00:00Z", ", 'Europe/Berlin'") ==
        "string 2024-03-31T11:00:00.000Z");
  // 02:30 is left out that day; then the clock shows 03:30.
  CHECK(add("'day', 1", "2024-03-30T01:30:00Z", ", 'Europe/Berlin'") ==
        "string 2024-03-31T01:30:00.000Z");
  CHECK(Eval("date_add('hour', 9223372036854775807, 0)") ==
        "error: date_add: the result is beyond int64 milliseconds");
  CHECK(Eval("date_add('year', -9223372036854775808, 0)").starts_with("error"));
  CHECK(Eval("date_add('week', 9223372036854775807, 0)").starts_with("error"));
  CHECK(Eval("date_add('day', 1, 9223372036854775807)").starts_with("error"));
  CHECK(Eval("date_add('day', null, 0)") == "null");
}

TEST_CASE("time: differences") {
  const auto diff = [](const std::string& unit, const std::string& from, const std::string& to,
                       const std::string& zone = "") {
    return Eval("date_diff('" + unit + "', parse_time('" + from + "'), parse_time('" + to + "')" +
                zone + ")");
  };
  CHECK(diff("day", "2024-01-01T12:00:00Z", "2024-01-03T11:59:59Z") == "int 1");
  CHECK(diff("day", "2024-01-03T11:59:59Z", "2024-01-01T12:00:00Z") == "int -1");
  CHECK(diff("day", "2024-03-30T12:00:00Z", "2024-03-31T11:00:00Z", ", 'Europe/Berlin'") == "int 1");
  CHECK(diff("hour", "2024-03-30T12:00:00Z", "2024-03-31T11:00:00Z", ", 'Europe/Berlin'") ==
        "int 23");
  CHECK(diff("month", "2024-01-31", "2024-02-29") == "int 1");
  CHECK(diff("month", "2024-01-31", "2024-02-28") == "int 0");
  CHECK(diff("month", "2024-03-15", "2024-01-16") == "int -1");
  CHECK(diff("year", "2000-02-29", "2024-02-28") == "int 23");
  CHECK(diff("quarter", "2024-01-01", "2024-12-31") == "int 3");
  CHECK(Eval("date_diff('millisecond', -9223372036854775808, 9223372036854775807)") ==
        "error: date_diff: the result is beyond int64");
  CHECK(Eval("date_diff('year', -9223372036854775808, 9223372036854775807)") == "int 584554049");
}

TEST_CASE("time: patterns") {
  const std::string t = "1700000000123";  // Tuesday 2023-11-14T22:13:20.123Z
  CHECK(Eval("format_time(" + t + ", '%Y-%m-%d %H:%M:%S.%L')") == "string 2023-11-14 22:13:20.123");
  CHECK(Eval("format_time(" + t + ", '%F %T %z', 'Europe/Berlin')") ==
        "string 2023-11-14 23:13:20 +0100");
  CHECK(Eval("format_time(" + t + ", '%A %a %d %B %b %y %I:%M %p', 'America/St_Johns')") ==
        "string Tuesday Tue 14 November Nov 23 06:43 PM");
  CHECK(Eval("format_time(" + t + ", '%j %G-W%V-%u %s %f 100%%')") ==
        "string 318 2023-W46-2 1700000000 123000 100%");
  CHECK(Eval("format_time(" + t + ", '%z', 'America/St_Johns')") == "string -0330");
  CHECK(Eval("format_time(-1, '%s %T.%L %z')") == "string -1 23:59:59.999 +0000");
  CHECK(Eval("format_time(0, '')") == "string ");
  CHECK(Eval("format_time(9223372036854775807, '%F')") == "string 292278994-08-17");
  CHECK(Eval("format_time(0, repeat('x', 1025))").find("more than 1024 bytes") != std::string::npos);

  CHECK(Eval("parse_time('14.11.2023 22:13:20', '%d.%m.%Y %T')") == "int 1700000000000");
  CHECK(Eval("parse_time('14.11.2023 23:13:20', '%d.%m.%Y %T', 'Europe/Berlin')") ==
        "int 1700000000000");
  CHECK(Eval("parse_time('2023-11-14T23:13:20+01:00', '%FT%T%z', 'Asia/Tokyo')") ==
        "int 1700000000000");
  CHECK(Eval("parse_time('Tue Nov  4 9:05:06.5 PM 1997', '%a %b %d %I:%M:%S.%L %p %Y')") ==
        "int 878677506500");
  CHECK(Eval("parse_time('1700000000.123456', '%s.%f')") == "int 1700000000123");
  CHECK(Eval("parse_time('2024 366', '%Y %j')") == "int 1735603200000");
  CHECK(Eval("parse_time('12:30', '%H:%M')") == "int 45000000");
  CHECK(Eval("parse_time('12 AM', '%I %p')") == "int 0");
  CHECK(Eval("parse_time('2024-10-27 02:30', '%F %H:%M', 'Europe/Berlin')") == "int 1729989000000");
  for (const char* bad : {"'2023-02-29', '%F'", "'2023 366', '%Y %j'", "'25', '%H'", "'', '%Y'",
                          "'2024x', '%Y'", "'x', ''", "'Foo', '%b'", "'13 PM', '%I %p'",
                          "'\xff', '%Y'"}) {
    INFO(bad);
    CHECK(Eval(std::string("parse_time(") + bad + ")").find("is not a time of the form") !=
          std::string::npos);
  }
}

}  // namespace
}  // namespace rivulet::expr
