// PipelinePlan: a pipeline compiled, ready to run. Immutable; shared by all workers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/config/config_error.h"
#include "node/config/spec.h"
#include "node/plan/table_plan.h"
#include "node/plan/unquoted_name.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/decode/decoder.h"
#include "operators/decode/event_time.h"
#include "operators/decode/explode_decoder.h"
#include "operators/expr/program.h"
#include "operators/join/join_spec.h"
#include "operators/keyed/keyed_plan.h"
#include "operators/pattern/pattern_plan.h"
#include "operators/result/result_batch.h"
#include "operators/steps/step_chain.h"
#include "operators/time/event_time_column.h"
#include "operators/window/window_spec.h"
#include "transport/topic.h"

namespace rivulet {

// A field that comes from a topic level.
struct TopicField {
  std::string name;
  uint32_t column;
};

// An event time that is worked out. The program's column i is column inputs[i] of the source batch, so that
// sources with different columns can share one.
struct ComputedTime {
  expr::Program program;
  std::vector<uint32_t> inputs;
};

// What a source task needs: pipelines with equal source plans share one.
struct SourcePlan {
  std::string name;                        // of several sources; empty: the only one
  std::string pipeline;                    // the records are this one's results; empty: messages of topics
  // Each record comes with W just before it, which is then all there is to W: event times do not move it.
  bool brings_watermark = false;
  std::vector<TopicPattern> topics;
  std::vector<TopicField> topic_fields;    // union over the patterns
  std::vector<DecodedField> payload_fields;
  SourceSpec::Format format = SourceSpec::Format::kJson;
  CsvOptions csv;
  DecodedField value_field;                // format value: where the payload goes
  // Set: the array of `field` is taken apart. Fields of its elements are among payload_fields.
  std::optional<ExplodeOptions> explode;
  bool arrival_time = false;
  bool timeless = false;                   // rows of a table: when they came makes no difference
  uint32_t time_column = 0;
  // Results read from a file: the time is an end, and the last microsecond before it where this start, of the
  // same unit, differs.
  std::optional<uint32_t> start_column;
  std::optional<ComputedTime> computed_time;  // instead of time_column
  TimeReading time;
  Duration delay;
  std::optional<Duration> idle;
  Duration max_ahead;
  uint32_t columns = 0;                    // of the source batch: topic, payload and set columns, and
                                           // behind them those of fields whose presence is looked out for

  // Several sources are read together, into one batch: equal names are one column.
  std::vector<SourcePlan> others;          // the first source has the others; these have none
  uint32_t name_column = 0;                // of the first: where a record's source goes
  StepChain steps;                         // on this source's records alone, before they meet the others'
  // (own, common): fields that a source has set and others have too.
  std::vector<std::pair<uint32_t, uint32_t>> meeting;
  bool several() const { return !name.empty(); }
  size_t sources() const { return 1 + others.size(); }
  const SourcePlan& at(size_t i) const { return i == 0 ? *this : others[i - 1]; }
  SourcePlan& at(size_t i) { return i == 0 ? *this : others[i - 1]; }

  // Whether W can go on when no record comes.
  bool FollowsTime() const;

  std::unique_ptr<Decoder> NewDecoder() const;
  // W that a message with `watermark` brings along.
  int64_t Brought(int64_t watermark) const;

 private:
  std::unique_ptr<Decoder> NewExplodeDecoder() const;
};

// How a replay differs: topic levels are fields of the record, CSV may bring its header.
struct PlanOptions {
  bool replay = false;
  std::vector<std::string> csv_header;     // replay: column names from the file's first line
};

struct PipelinePlan {
  std::string name;
  PipelineSpec spec;
  ConfigErrors warnings;                   // what can run, but hardly means what it says
  // Fields that expressions may mean without naming them; the sources look out for them.
  std::vector<UnquotedName> unquoted;
  SourcePlan source;
  std::vector<TablePlan> tables;
  StepChain before;                        // set and where on records, before the key
  StepChain between;                       // and behind it, up to the first step of `keyed`
  std::vector<EventTimeColumn> event_times;  // what is asked of event_time(), before all else is computed
  KeyedPlan keyed;                         // from the first step on that remembers something of its key
  std::vector<std::string> key_names;
  std::vector<uint32_t> key_columns;
  // What makes results. Only of windows are they aggregates; of the others they are rows of values, of which
  // several can have one key and time.
  enum class Ending : uint8_t { kWindow, kSelect, kPattern, kJoin } ending = Ending::kWindow;
  bool windows() const { return ending == Ending::kWindow; }
  bool selects() const { return ending == Ending::kSelect; }  // each record is a result
  bool matches() const { return ending == Ending::kPattern; }  // results are matches of `pattern`
  bool joins() const { return ending == Ending::kJoin; }
  // Dead letters have their places among those that come up as time passes.
  bool faults_in_order() const { return matches() || !after.empty(); }
  JoinSpec join;
  std::vector<std::string> join_fields;    // of a join: what is kept of either side, left first
  WindowSpec window;
  AggregatePlan aggregates;
  PatternPlan pattern;
  // Where aggregate argument i, selected field i, field i of a join, or what a pattern asks of a record is
  // found: a column of the source batch that exists anyway, or one computed by `arguments`.
  std::vector<uint32_t> argument_columns;
  std::optional<uint32_t> gap_column;      // likewise: sessions with gaps of their own
  StepChain arguments;
  StepChain after;                         // set and where on results
  uint32_t result_columns = 0;
  std::map<std::string, expr::StaticType> aggregate_types;  // of the names in `aggregate`
  std::vector<ResultEncoder::Field> result_fields;

  // Key fields, window and whose time it is: while this stays the same, open windows survive a change of
  // the file.
  std::string StateSignature() const;

 private:
  std::string JoinSignature() const;
};

// Compiles. Null, with every fault found added to `errors`, when the pipeline cannot run.
std::unique_ptr<PipelinePlan> PlanPipeline(const PipelineSpec& spec, const PlanOptions& options,
                                           ConfigErrors* errors);

}  // namespace rivulet
