#include "node/http/metrics_text.h"

#include <doctest/doctest.h>

#include <limits>

using namespace rivulet;

TEST_CASE("metrics: each family once, with its samples together") {
  MetricsText text;
  const MetricsText::Label a[] = {{"pipeline", "a"}};
  const MetricsText::Label b[] = {{"pipeline", "b"}, {"sink", "mqtt"}};
  text.Counter("rivulet_records_total", "Records read.", a, uint64_t{12});
  text.Gauge("rivulet_ready", "1 when ready.", {}, int64_t{-1});
  text.Counter("rivulet_records_total", "Records read.", b, uint64_t{18446744073709551615u});
  CHECK(text.Text() ==
        "# HELP rivulet_records_total Records read.\n"
        "# TYPE rivulet_records_total counter\n"
        "rivulet_records_total{pipeline=\"a\"} 12\n"
        "rivulet_records_total{pipeline=\"b\",sink=\"mqtt\"} 18446744073709551615\n"
        "# HELP rivulet_ready 1 when ready.\n"
        "# TYPE rivulet_ready gauge\n"
        "rivulet_ready -1\n");
}

TEST_CASE("metrics: escapes, names and unusual numbers") {
  MetricsText text;
  const MetricsText::Label labels[] = {{"a-b", "quote\" back\\ line\n"}};
  text.Gauge("9bad name", "back\\ line\n quote\"", labels, 0.25);
  text.Gauge("9bad name", "", {}, std::numeric_limits<double>::quiet_NaN());
  text.Gauge("9bad name", "", {}, -std::numeric_limits<double>::infinity());
  text.Counter("9bad name", "", {}, 1e300);
  CHECK(text.Text() ==
        "# HELP _bad_name back\\\\ line\\n quote\"\n"
        "# TYPE _bad_name gauge\n"
        "_bad_name{a_b=\"quote\\\" back\\\\ line\\n\"} 0.25\n"
        "_bad_name NaN\n"
        "_bad_name -Inf\n"
        "_bad_name 1e+300\n");
}
