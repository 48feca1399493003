// The names of all settings, map by map: what the readers accept, what `valid: ...` lists, and what
// the JSON Schemas in config/ must offer (a test compares them).
#pragma once

#include <span>
#include <string_view>

namespace rivulet {

// The settings that one kind of map can have.
struct SettingGroup {
  std::string_view id;     // its name under `definitions` in the schema; the file itself: "root"
  std::string_view label;  // as messages call it: "... in 'window'"
  std::span<const std::string_view> names;
};

namespace settings {

// --- pipeline files ---
inline constexpr std::string_view kPipelineNames[] = {
    "pipeline", "source", "tables", "steps", "sinks", "late", "dead_letters"};
inline constexpr SettingGroup kPipeline{"root", "the pipeline file", kPipelineNames};

inline constexpr std::string_view kSourceNames[] = {"mqtt", "pipeline", "format", "fields",
                                                    "null", "bad",      "time"};
inline constexpr SettingGroup kSource{"source", "'source'", kSourceNames};

inline constexpr std::string_view kNamedSourceNames[] = {"name", "mqtt", "format", "fields", "null",
                                                         "bad",  "time", "set",    "where"};
inline constexpr SettingGroup kNamedSource{"named_source", "a source of the list", kNamedSourceNames};

inline constexpr std::string_view kFormatNames[] = {"csv", "value"};
inline constexpr SettingGroup kFormat{"format", "'format'", kFormatNames};

inline constexpr std::string_view kCsvNames[] = {"delimiter", "columns"};
inline constexpr SettingGroup kCsv{"csv", "'csv'", kCsvNames};

inline constexpr std::string_view kValueNames[] = {"field"};
inline constexpr SettingGroup kValue{"value", "'value'", kValueNames};

inline constexpr std::string_view kFieldNames[] = {"type", "required", "null", "bad"};
inline constexpr SettingGroup kField{"field", "a field of 'fields'", kFieldNames};

inline constexpr std::string_view kTimeNames[] = {"field",   "value", "format", "zone",
                                                  "unit",    "arrival", "delay", "max_ahead",
                                                  "idle",    "per",   "hold"};
inline constexpr SettingGroup kTime{"time", "'time'", kTimeNames};

inline constexpr std::string_view kTableNames[] = {
    "csv",    "sqlite", "mqtt",   "table",     "key",  "valid_from",
    "fields", "format", "keep",   "delimiter", "rows"};
inline constexpr SettingGroup kTable{"table", "a table", kTableNames};

inline constexpr std::string_view kValidFromNames[] = {"field", "unit"};
inline constexpr SettingGroup kValidFrom{"valid_from", "'valid_from'", kValidFromNames};

inline constexpr std::string_view kStepNames[] = {
    "explode", "set",  "where",  "key",       "keep",   "dedup",
    "detect",  "join", "window", "aggregate", "pattern", "select"};
inline constexpr SettingGroup kStep{"step", "a step", kStepNames};

inline constexpr std::string_view kExplodeNames[] = {"field", "as"};
inline constexpr SettingGroup kExplode{"explode", "'explode'", kExplodeNames};

inline constexpr std::string_view kDedupNames[] = {"by", "within"};
inline constexpr SettingGroup kDedup{"dedup", "'dedup'", kDedupNames};

inline constexpr std::string_view kStreamJoinNames[] = {"left", "right", "on", "within", "type"};
inline constexpr SettingGroup kStreamJoin{"stream_join", "'join'", kStreamJoinNames};
inline constexpr std::string_view kJoinNames[] = {"table", "on", "take", "type"};
inline constexpr SettingGroup kJoin{"join", "'join'", kJoinNames};

inline constexpr std::string_view kDetectNames[] = {
    "name", "when", "until", "for", "change", "by", "stuck", "gap", "anomaly", "score", "over", "pass"};
inline constexpr SettingGroup kDetect{"detect", "'detect'", kDetectNames};

inline constexpr std::string_view kPatternNames[] = {"sequence", "within", "skip", "timeouts"};
inline constexpr SettingGroup kPattern{"pattern", "'pattern'", kPatternNames};

inline constexpr std::string_view kElementNames[] = {"name", "where",     "times",  "optional", "next",
                                                     "not",  "reluctant", "within", "for"};
inline constexpr SettingGroup kElement{"element", "an element of 'sequence'", kElementNames};

inline constexpr std::string_view kWindowNames[] = {
    "tumbling", "sliding",  "session", "cumulate", "count", "global",
    "every",    "offset",   "zone",    "lateness", "emit",  "mode",
    "keep",     "day",      "month",   "repeated_hour", "carry", "fill"};
inline constexpr SettingGroup kWindow{"window", "'window'", kWindowNames};

inline constexpr std::string_view kSessionNames[] = {"gap", "max"};
inline constexpr SettingGroup kSession{"session", "'session'", kSessionNames};

inline constexpr std::string_view kMqttSinkNames[] = {"mqtt", "qos", "retain"};
inline constexpr SettingGroup kMqttSink{"mqtt_sink", "an 'mqtt' sink", kMqttSinkNames};

inline constexpr std::string_view kSqliteSinkNames[] = {"sqlite", "table", "revisions", "gap"};
inline constexpr SettingGroup kSqliteSink{"sqlite_sink", "a 'sqlite' sink", kSqliteSinkNames};

inline constexpr std::string_view kFileSinkNames[] = {"file", "gap"};
inline constexpr SettingGroup kFileSink{"file_sink", "a 'file' sink", kFileSinkNames};

inline constexpr std::string_view kStdoutSinkNames[] = {"stdout"};
inline constexpr SettingGroup kStdoutSink{"stdout_sink", "a 'stdout' sink", kStdoutSinkNames};

inline constexpr const SettingGroup* kPipelineGroups[] = {
    &kPipeline, &kSource, &kNamedSource, &kFormat,  &kCsv,      &kValue,      &kField,
    &kTime,     &kStep,   &kExplode,     &kDedup,   &kDetect,   &kPattern,    &kElement,
    &kWindow,   &kSession, &kMqttSink,   &kSqliteSink, &kFileSink, &kStdoutSink, &kTable,
    &kValidFrom, &kJoin,  &kStreamJoin};

// --- node files ---
inline constexpr std::string_view kNodeFileNames[] = {
    "node", "pipelines", "mqtt", "journal", "state", "commit", "disk", "http", "log"};
inline constexpr SettingGroup kNodeFile{"root", "the node file", kNodeFileNames};

inline constexpr std::string_view kNodeNames[] = {"name", "data", "partitions", "workers"};
inline constexpr SettingGroup kNode{"node", "'node'", kNodeNames};

inline constexpr std::string_view kMqttNames[] = {
    "brokers", "client_id",    "version",    "qos",       "user",        "password_file",
    "tls",     "status_topic", "keep_alive", "reconnect", "max_inflight",
    "max_payload"};
inline constexpr SettingGroup kMqtt{"mqtt", "'mqtt'", kMqttNames};

inline constexpr std::string_view kTlsNames[] = {"ca", "cert", "key", "verify_hostname"};
inline constexpr SettingGroup kTls{"tls", "'tls'", kTlsNames};

inline constexpr std::string_view kReconnectNames[] = {"min", "max"};
inline constexpr SettingGroup kReconnect{"reconnect", "'reconnect'", kReconnectNames};

inline constexpr std::string_view kJournalNames[] = {"sync", "interval", "segment", "retain"};
inline constexpr SettingGroup kJournal{"journal", "'journal'", kJournalNames};

inline constexpr std::string_view kRetainNames[] = {"bytes", "age"};
inline constexpr SettingGroup kRetain{"retain", "'retain'", kRetainNames};

inline constexpr std::string_view kStateNames[] = {"memory", "map_size", "outputs"};
inline constexpr SettingGroup kState{"state", "'state'", kStateNames};

inline constexpr std::string_view kCommitNames[] = {"interval", "checkpoint", "durability"};
inline constexpr SettingGroup kCommit{"commit", "'commit'", kCommitNames};

inline constexpr std::string_view kDiskNames[] = {"reserve"};
inline constexpr SettingGroup kDisk{"disk", "'disk'", kDiskNames};

inline constexpr std::string_view kHttpNames[] = {"listen", "token_file", "hosts"};
inline constexpr SettingGroup kHttp{"http", "'http'", kHttpNames};

inline constexpr std::string_view kLogNames[] = {"level"};
inline constexpr SettingGroup kLog{"log", "'log'", kLogNames};

inline constexpr const SettingGroup* kNodeGroups[] = {
    &kNodeFile, &kNode,  &kMqtt,   &kTls,  &kReconnect, &kJournal,
    &kRetain,   &kState, &kCommit, &kDisk, &kHttp,      &kLog};

}  // namespace settings
}  // namespace rivulet
