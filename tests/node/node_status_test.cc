#include "node/live/node_status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace rivulet {
namespace {

NodeStatus WithTwoSources() {
  NodeStatus status;
  status.wall_us = 1'700'000'010'000'000;
  PipelineStatus p;
  p.name = "joined";
  p.watermark_us = 1'700'000'000'000'000;
  p.inputs = {{"cars", 1'700'000'009'000'000, 0, true}, {"gates", ChannelState::kNever, 0, false}};
  status.pipelines.push_back(p);
  return status;
}

}  // namespace

TEST_CASE("status: of several sources each shows how far it is and whether it is waited for") {
  const auto json = nlohmann::json::parse(StatusJson(WithTwoSources()));
  const auto& p = json["pipelines"][0];
  CHECK(p["watermark_ms"] == 1'700'000'000'000);
  CHECK(p["sources"] == nlohmann::json::parse(R"([
    {"name": "cars", "idle": false, "watermark_ms": 1700000009000, "watermark_lag_ms": 1000},
    {"name": "gates", "idle": true, "watermark_ms": null, "watermark_lag_ms": null}])"));
  const std::string metrics = StatusMetrics(WithTwoSources());
  CHECK(metrics.find("rivulet_source_watermark_lag_seconds{pipeline=\"joined\",source=\"cars\"} 1\n") !=
        std::string::npos);
  CHECK(metrics.find("rivulet_source_watermark_lag_seconds{pipeline=\"joined\",source=\"gates\"}") ==
        std::string::npos);
  CHECK(metrics.find("rivulet_source_idle{pipeline=\"joined\",source=\"gates\"} 1\n") != std::string::npos);
}

TEST_CASE("status: one source has no list of sources") {
  NodeStatus status = WithTwoSources();
  status.pipelines[0].inputs.clear();
  CHECK_FALSE(nlohmann::json::parse(StatusJson(status))["pipelines"][0].contains("sources"));
  CHECK(StatusMetrics(status).find("rivulet_source_") == std::string::npos);
}

TEST_CASE("status: records with a field that is named without back quotes are counted") {
  NodeStatus status = WithTwoSources();
  CHECK(nlohmann::json::parse(StatusJson(status))["pipelines"][0]["unquoted"] == 0);
  status.pipelines[0].counters.unquoted = 7;
  CHECK(nlohmann::json::parse(StatusJson(status))["pipelines"][0]["unquoted"] == 7);
  CHECK(StatusMetrics(status).find("rivulet_unquoted_records_total{pipeline=\"joined\"} 7\n") !=
        std::string::npos);
}

}  // namespace rivulet
