#include "node/live/node_status.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "node/http/metrics_text.h"

namespace rivulet {
namespace {

// Keeps fields in the order written: people read this too.
using Json = nlohmann::ordered_json;

Json LinkJson(const MqttLinkStats& link) {
  return {{"connected", link.connected}, {"state", LinkStateName(link.state)},
          {"broker", link.broker},       {"reason", link.connected ? "" : link.reason},
          {"troubles", link.troubles},
          {"connects", link.connects},   {"received", link.received},
          {"published", link.published}, {"last_error", link.last_error}};
}

Json SinkJson(const SinkStats& sink) {
  return {{"name", sink.name},
          {"delivered", sink.delivered},
          {"errors", sink.errors},
          {"refused", sink.refused},
          {"available", sink.available},
          {"last_error", sink.last_error},
          {"gaps", sink.gaps}};
}

Json TableJson(const TableStats& table) {
  Json json = {{"name", table.name}, {"origin", table.origin},     {"ready", table.ready},
               {"keys", table.keys}, {"rows", table.rows},         {"bytes", table.bytes},
               {"loads", table.loads}, {"errors", table.errors}, {"last_error", table.last_error}};
  json["loaded_ms"] = table.loaded_us == 0 ? Json(nullptr) : Json(table.loaded_us / 1000);
  return json;
}

bool IsWatermark(int64_t us) {
  return us != std::numeric_limits<int64_t>::min() && us != std::numeric_limits<int64_t>::max();
}

// How far an input has come; null when nothing is known yet.
void AddWatermark(Json* json, int64_t watermark_us, int64_t wall_us) {
  const bool known = IsWatermark(watermark_us);
  (*json)["watermark_ms"] = known ? Json(watermark_us / 1000) : Json(nullptr);
  (*json)["watermark_lag_ms"] = known ? Json((wall_us - watermark_us) / 1000) : Json(nullptr);
}

Json InputJson(const ChannelState& input, int64_t wall_us) {
  Json json = {{"name", input.name}, {"idle", !input.counts}};
  AddWatermark(&json, input.watermark, wall_us);
  return json;
}

Json PipelineJson(const PipelineStatus& p, int64_t wall_us) {
  Json json = {{"name", p.name}};
  if (!p.reads.empty()) json["reads"] = p.reads;
  json.update({{"records_in", p.counters.records},
               {"results", p.counters.results},
               {"late", p.counters.late},
               {"dead_letters", p.counters.dead},
               {"ahead", p.counters.ahead},
               {"unquoted", p.counters.unquoted}});
  AddWatermark(&json, p.watermark_us, wall_us);
  for (const ChannelState& input : p.inputs) json["sources"].push_back(InputJson(input, wall_us));
  json["waits_for"] = p.waits ? Json(p.follows_time ? "time" : "record") : Json(nullptr);
  json["journal_lag"] = p.lag;
  json["state_keys"] = p.state_panes;
  json["state_bytes"] = p.state_bytes;
  json["outputs_waiting"] = p.outputs_waiting;
  json["sinks"] = Json::array();
  for (const SinkStats& sink : p.sinks) json["sinks"].push_back(SinkJson(sink));
  if (!p.tables.empty()) json["tables"] = Json::array();
  for (const TableStats& table : p.tables) json["tables"].push_back(TableJson(table));
  return json;
}

Json JournalJson(const JournalStats& j) {
  return {{"bytes", j.bytes},
          {"segments", j.segments},
          {"begin", j.begin.value},
          {"end", j.end.value},
          {"synced", j.synced.value},
          {"appended_entries", j.appended_entries},
          {"appended_ticks", j.appended_ticks},
          {"appended_bytes", j.appended_bytes},
          {"duplicates", j.duplicates},
          {"damaged_entries", j.damaged_entries},
          {"failed_syncs", j.failed_syncs}};
}

}  // namespace

std::string StatusJson(const NodeStatus& s) {
  Json json;
  json["node"] = {{"name", s.name},
                  {"version", s.version},
                  {"uptime_s", s.uptime_us / 1'000'000},
                  {"ready", s.ready},
                  {"started", s.started},
                  {"trouble", s.trouble},
                  {"paused", s.paused},
                  {"clock", s.clock},
                  {"error", s.error}};
  json["mqtt"] = LinkJson(s.lane);
  json["mqtt"]["refused"] = s.refused;
  json["mqtt_output"] = LinkJson(s.sink);
  json["journal"] = JournalJson(s.journal);
  json["store"] = {{"used_bytes", s.store.used_bytes},
                   {"capacity_bytes", s.store.capacity_bytes},
                   {"entries", s.store.entries}};
  json["commit"] = {{"count", s.counters.commits.count},
                    {"bytes", s.counters.commits.bytes},
                    {"last_us", s.counters.commits.last_us},
                    {"longest_us", s.counters.commits.longest_us}};
  json["pipelines"] = Json::array();
  for (const PipelineStatus& p : s.pipelines) json["pipelines"].push_back(PipelineJson(p, s.wall_us));
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

namespace {

void LinkMetrics(MetricsText* m, std::string_view role, const MqttLinkStats& link) {
  const MetricsText::Label labels[] = {{"link", role}};
  m->Gauge("rivulet_mqtt_connected", "1 while connected to a broker.", labels,
           int64_t{link.connected});
  m->Counter("rivulet_mqtt_connects_total", "Connections made.", labels, link.connects);
  m->Counter("rivulet_mqtt_received_total", "Messages received.", labels, link.received);
  m->Counter("rivulet_mqtt_published_total", "Messages published and acknowledged.", labels,
             link.published);
}

void PipelineMetrics(MetricsText* m, const PipelineStatus& p, int64_t wall_us) {
  const MetricsText::Label labels[] = {{"pipeline", p.name}};
  m->Counter("rivulet_records_total", "Records decoded.", labels, p.counters.records);
  m->Counter("rivulet_results_total", "Results put out.", labels, p.counters.results);
  m->Counter("rivulet_late_records_total", "Records late for all their windows.", labels,
             p.counters.late);
  m->Counter("rivulet_duplicate_records_total", "Records that dedup steps dropped.", labels,
             p.counters.duplicates);
  m->Counter("rivulet_dead_letters_total", "Records that could not be processed.", labels,
             p.counters.dead);
  m->Counter("rivulet_ahead_records_total", "Dead letters whose time was over max_ahead in the future.",
             labels, p.counters.ahead);
  m->Counter("rivulet_unquoted_records_total",
             "Records with a field that an expression names without back quotes.", labels,
             p.counters.unquoted);
  if (IsWatermark(p.watermark_us)) {
    m->Gauge("rivulet_watermark_seconds", "Watermark, seconds since 1970.", labels,
             static_cast<double>(p.watermark_us) / 1e6);
    m->Gauge("rivulet_watermark_lag_seconds", "Wall clock minus watermark.", labels,
             static_cast<double>(wall_us - p.watermark_us) / 1e6);
  }
  for (const ChannelState& input : p.inputs) {
    const MetricsText::Label both[] = {{"pipeline", p.name}, {"source", input.name}};
    m->Gauge("rivulet_source_idle", "1 while one of several sources is idle: it holds back no other.", both,
             int64_t{!input.counts});
    if (!IsWatermark(input.watermark)) continue;
    m->Gauge("rivulet_source_watermark_lag_seconds",
             "Wall clock minus the watermark of one of several sources.", both,
             static_cast<double>(wall_us - input.watermark) / 1e6);
  }
  m->Gauge("rivulet_journal_lag_entries",
           "Entries not yet processed of the journal, or of the results that the pipeline reads.", labels,
           static_cast<int64_t>(p.lag));
  m->Gauge("rivulet_state_keys", "Panes (key and slice) and remembered entries in memory.", labels,
           static_cast<int64_t>(p.state_panes));
  m->Gauge("rivulet_state_bytes", "State of windows and steps in memory.", labels,
           static_cast<int64_t>(p.state_bytes));
  m->Gauge("rivulet_outputs_waiting", "Results not yet with every sink.", labels,
           static_cast<int64_t>(p.outputs_waiting));
  for (const TableStats& table : p.tables) {
    const MetricsText::Label both[] = {{"pipeline", p.name}, {"table", table.name}};
    m->Gauge("rivulet_table_ready", "1 once a reference table has been read.", both,
             int64_t{table.ready});
    m->Gauge("rivulet_table_rows", "Rows of a reference table.", both, static_cast<int64_t>(table.rows));
    m->Counter("rivulet_table_errors_total", "Failed attempts to read a reference table.", both,
               table.errors);
  }
  for (const SinkStats& sink : p.sinks) {
    const MetricsText::Label both[] = {{"pipeline", p.name}, {"sink", sink.name}};
    m->Counter("rivulet_sink_delivered_total", "Outputs a sink has.", both, sink.delivered);
    m->Counter("rivulet_sink_errors_total", "Failed deliveries.", both, sink.errors);
    m->Counter("rivulet_sink_gaps_total", "Gaps found at a sink and recorded there.", both, sink.gaps);
    m->Counter("rivulet_sink_refused_total", "Results that the receiver will never take, set aside.", both,
               sink.refused);
    m->Gauge("rivulet_sink_available", "1 while the sink takes outputs.", both,
             int64_t{sink.available});
  }
}

}  // namespace

std::string StatusMetrics(const NodeStatus& s) {
  MetricsText m;
  const MetricsText::Label build[] = {{"version", s.version}};
  m.Gauge("rivulet_build_info", "Always 1; the version is a label.", build, int64_t{1});
  m.Gauge("rivulet_ready", "1 while the node processes.", {}, int64_t{s.ready});
  m.Gauge("rivulet_ingest_paused", "1 while not reading from MQTT: disk nearly full.", {},
          int64_t{s.paused});
  LinkMetrics(&m, "lane", s.lane);
  LinkMetrics(&m, "sinks", s.sink);
  m.Counter("rivulet_journal_refused_total", "Messages the journal could not take (not acknowledged).",
            {}, s.refused);
  m.Gauge("rivulet_journal_bytes", "Journal on disk.", {}, static_cast<int64_t>(s.journal.bytes));
  m.Counter("rivulet_journal_appended_bytes_total", "Bytes appended to the journal.", {},
            s.journal.appended_bytes);
  m.Counter("rivulet_journal_entries_total", "Messages journaled.", {}, s.journal.appended_entries);
  m.Counter("rivulet_journal_ticks_total", "Ticks journaled.", {}, s.journal.appended_ticks);
  m.Counter("rivulet_journal_duplicates_total", "Redelivered messages dropped.", {},
            s.journal.duplicates);
  m.Counter("rivulet_journal_failed_syncs_total",
            "Syncs of the journal that the disk failed; what they left in doubt is written anew.", {},
            s.journal.failed_syncs);
  m.Gauge("rivulet_store_bytes", "State store in use.", {}, static_cast<int64_t>(s.store.used_bytes));
  m.Counter("rivulet_commits_total", "Commits.", {}, s.counters.commits.count);
  m.Counter("rivulet_commit_bytes_total", "Bytes of committed changes.", {}, s.counters.commits.bytes);
  m.Counter("rivulet_delivery_note_bytes_total", "Bytes written to note what sinks have taken.", {},
            s.counters.note_bytes);
  m.Counter("rivulet_commit_seconds_total", "Time spent in commits.", {},
            static_cast<double>(s.counters.commits.time_us) / 1e6);
  for (const PipelineStatus& p : s.pipelines) PipelineMetrics(&m, p, s.wall_us);
  return m.Text();
}

}  // namespace rivulet
