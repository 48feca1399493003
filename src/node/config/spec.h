// What a pipeline file and a node file say, as plain data. The readers (pipeline_reader, node_reader)
// fill these from YAML; the planner compiles them. No library types, no behaviour.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/types.h"
#include "base/value.h"
#include "operators/decode/decoder.h"
#include "state/journal.h"
#include "transport/mqtt_link.h"

namespace rivulet {

// Where in its file something was said; 1-based; line 0 = not from a file.
struct SourceMark {
  int line = 0;
  int column = 0;
};

// A text from the file with its place, so that errors inside it (an expression) can be located.
struct MarkedText {
  std::string text;
  SourceMark mark;
};

struct FieldDeclaration {
  MarkedText name;
  Type type = Type::kNull;
  bool required = false;
  // Otherwise as the source says.
  std::optional<bool> bad_is_null;
  std::optional<std::vector<std::string>> nulls;
};

struct TimeSpec {
  bool arrival = false;          // `time: arrival`: the receive time in the journal
  MarkedText field;              // otherwise this field, or
  // ... what this expression gives. Both empty: results of a pipeline, their own time.
  MarkedText value;
  MarkedText format;             // of text: its pattern; empty: ISO 8601 or a number in `unit`
  MarkedText zone;               // of text without an offset; empty: UTC
  TimeUnit unit = TimeUnit::kMillis;
  Duration delay;                // watermark = max seen - delay
  std::optional<Duration> idle;  // channel counts as idle after this long without data
  Duration max_ahead = Duration::Seconds(60);
  std::vector<MarkedText> per;   // per-key time: the fields of the key; empty: one time for all
  Duration hold;                 // with `per`: W less this closes the windows of keys that fell silent
};

struct SourceSpec {
  MarkedText name;         // of several sources; empty: the only one
  MarkedText pipeline;  // the pipeline whose results are read; empty: messages of `topics`
  std::vector<MarkedText> topics;
  enum class Format : uint8_t { kJson, kCsv, kValue, kNdjson } format = Format::kJson;
  SourceMark format_mark;  // of the setting `format`
  CsvOptions csv;
  MarkedText value_field;  // format value: the name the payload gets ("value" by default)
  std::vector<FieldDeclaration> fields;  // declared payload fields; empty: any name is a field
  std::vector<std::string> nulls;  // texts that stand for null
  bool bad_is_null = false;        // a value of another type than declared is null, not a dead letter
  TimeSpec time;
  // Of several sources: what is done with its records before they meet those of the others; set, then where.
  std::vector<std::pair<MarkedText, MarkedText>> set;
  MarkedText where;        // empty: all
};

// `tables:` - rows that records are joined with.
struct TableSpec {
  enum class Kind : uint8_t { kCsv, kSqlite, kMqtt } kind = Kind::kCsv;
  MarkedText name;
  MarkedText path;                 // csv, sqlite: the file; from the pipeline file's directory if relative
  MarkedText table;                // sqlite: the table within
  std::vector<MarkedText> key;     // its columns
  MarkedText valid_from;           // the column with the time from which a row holds; empty: no versions
  TimeUnit unit = TimeUnit::kMillis;
  Duration keep = Duration::Seconds(24 * 3600);  // mqtt: how long versions outlive what followed them
  int64_t rows = 100'000;          // at most
  SourceSpec source;               // fields; mqtt: topics, format; csv: delimiter
};

// `explode:` - one record for each element of an array.
struct ExplodeStep {
  MarkedText field;
  MarkedText as;
};
// `set:` - assignments in order; later ones see earlier ones.
struct SetStep {
  std::vector<std::pair<MarkedText, MarkedText>> assignments;  // name, expression
};
struct WhereStep {
  MarkedText condition;
};
struct KeyStep {
  std::vector<MarkedText> fields;
  Duration keep = Duration::Seconds(24 * 3600);  // how long a silent key's history is kept
};
// `dedup:` - drops what was seen before.
struct DedupStep {
  SourceMark mark;
  std::vector<MarkedText> fields;  // empty: the whole record
  Duration within;
};
// `detect:` - follows a condition of each key.
struct DetectStep {
  enum class Kind : uint8_t { kWhen, kChange, kStuck, kGap, kAnomaly } kind = Kind::kWhen;
  SourceMark mark;
  MarkedText name;
  MarkedText of;       // when, change, stuck, anomaly: the condition or the value
  MarkedText limit;    // until, by, score; empty: not given
  Duration hold;       // for, gap
  uint32_t over = 100;
  bool all = false;    // pass: all
};
// `emit:` - results before a window closes.
struct EmitSetting {
  bool given = false;
  bool on_change = false;
  int64_t records = 0;        // every so many records; 0: not
  Duration interval;          // every so long of event time; 0: not
  bool discarding = false;    // `mode: discarding`
};
struct WindowStep {
  enum class Kind : uint8_t {
    kTumbling, kSliding, kSession, kCumulate, kCount, kGlobal
  } kind = Kind::kTumbling;
  SourceMark mark;
  Duration size;      // tumbling, sliding, cumulate: length; session: gap, or the longest one
  Duration slide;     // sliding, cumulate: `every`
  Duration offset;
  Duration lateness;
  int64_t count = 0;         // count: records of a window ...
  int64_t count_slide = 0;   // ... and how many of them a window moves
  MarkedText gap;            // session: expression for each record's gap; empty: `size` for all
  MarkedText zone;           // tumbling: time zone of its edges; empty: UTC
  bool repeated_apart = false;  // with a zone: what its clock shows twice is told apart
  int64_t months = 0;        // tumbling: length in months of the calendar, `size` is about as long; 0: `size`
  int64_t day = 1;           // with `months`: of the month on which windows begin ...
  int64_t month = 1;         // ... and a month in which one does
  EmitSetting emit;
  Duration keep;             // count, global: a key is forgotten so long after its last use; 0: never
  Duration carry;            // tumbling: a key's last reading counts at a border when at most so old; 0: not
  enum class Fill : uint8_t { kNone, kNull, kLast, kZero } fill = Fill::kNone;  // for `keep`
  std::vector<std::pair<MarkedText, MarkedText>> aggregates;  // name, call
};
// `select:` - each record is a result with these fields.
struct SelectStep {
  SourceMark mark;
  std::vector<std::pair<MarkedText, MarkedText>> fields;  // name, expression; empty text: the field
};
// `join:` with a table.
struct TableJoinStep {
  SourceMark mark;
  MarkedText table;
  std::vector<std::pair<MarkedText, MarkedText>> on;    // column of the key, expression; empty: same names
  std::vector<std::pair<MarkedText, MarkedText>> take;  // field, column
  bool inner = true;
};
// `pattern:` - a sequence in the records of a key.
struct PatternElementSetting {
  SourceMark mark;
  MarkedText name;                 // empty: a negation
  MarkedText where;                // its condition; empty: any record
  int64_t least = 1, most = 1;     // times; most 0: no limit
  bool optional = false;
  bool next = false;
  bool reluctant = false;
  std::optional<Duration> within;
  bool negated = false;
  Duration hold;                   // for
};
struct PatternStep {
  SourceMark mark;
  std::vector<PatternElementSetting> sequence;
  std::optional<Duration> within;
  bool to_next = false;            // skip: to_next
  bool timeouts = false;
  std::vector<std::pair<MarkedText, MarkedText>> fields;  // select: name, expression
};
// `join:` of two sources.
struct StreamJoinStep {
  enum class Type : uint8_t { kInner, kLeft, kFull } type = Type::kInner;
  SourceMark mark;
  MarkedText left, right;          // names of sources
  std::vector<MarkedText> on;      // fields of the key; empty: that of the 'key' step above
  Duration lower, upper;           // bounds of right time less left time
};
struct Step {
  SourceMark mark;
  std::variant<SetStep, WhereStep, KeyStep, DedupStep, DetectStep, WindowStep, SelectStep, ExplodeStep,
               PatternStep, StreamJoinStep, TableJoinStep>
      what;
};

struct SinkSpec {
  enum class Kind : uint8_t { kMqtt, kSqlite, kFile, kStdout } kind = Kind::kStdout;
  SourceMark mark;
  MarkedText target;          // topic template, database path, file path
  // MQTT
  int qos = 1;
  bool retain = false;
  // SQLite
  std::string table;          // pipeline name by default
  bool keep_revisions = false;  // false: a revision replaces the row of its window
  // SQLite, file: where results that were delivered are gone, that is noted and it goes on. False: this sink
  // stops.
  bool record_gaps = false;
};

struct PipelineSpec {
  std::string file;
  MarkedText name;
  SourceSpec source;
  std::vector<SourceSpec> others;      // sources that are read together with it
  std::vector<TableSpec> tables;
  std::vector<Step> steps;
  std::vector<SinkSpec> sinks;         // empty: only other pipelines read its results
  std::vector<SinkSpec> late;          // empty: only counted
  std::vector<SinkSpec> dead_letters;  // empty: only counted
};

struct HttpSpec {
  std::string address = "127.0.0.1";
  uint16_t port = 8377;  // 0: off
  std::string token;     // needed for an address that is not loopback
  std::vector<std::string> hosts;  // names it may be asked by besides its addresses; small letters
};

struct NodeSpec {
  std::string file;
  std::string name;                    // host name by default
  std::string data_directory = "/var/lib/rivulet";
  std::vector<std::string> pipelines;  // files, directories or globs, made absolute
  MqttOptions mqtt;                    // secrets already read from their files
  int mqtt_qos = 1;                    // subscription QoS
  uint64_t max_payload = 4ull << 20;   // a larger message is a dead letter, cut short
  JournalOptions journal;              // directory filled in by the node
  Duration journal_interval = Duration::Millis(100);
  uint64_t state_memory = 64ull << 20;
  uint64_t state_map_size = 1ull << 30;
  uint64_t state_outputs = 0;          // most bytes of results that wait for sinks; 0: half of the map
  Duration commit_interval = Duration::Millis(1000);
  Duration checkpoint_interval = Duration::Seconds(10);
  bool commit_sync = true;             // durability: disk; false: local
  uint32_t workers = 0;                // 0: cores - 1, at least 1
  uint16_t partitions = 64;
  uint64_t disk_reserve = 64ull << 20; // stop reading from MQTT when less is free
  HttpSpec http;
  std::string log_level = "info";
};

}  // namespace rivulet
