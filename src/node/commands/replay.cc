// `rivulet replay`: a pipeline over a file.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/units.h"
#include "node/commands/cli.h"
#include "node/config/reader.h"
#include "node/replay/replay.h"

namespace rivulet {
namespace {

bool EndsWithCsv(const std::string& path) {
  return path.size() > 4 && path.compare(path.size() - 4, 4, ".csv") == 0;
}

// As the command line says, or the name of the input.
void SetFormat(const std::string& format, const std::string& input, SourceSpec* source) {
  if (format == "csv" || (format.empty() && EndsWithCsv(input))) {
    source->format = SourceSpec::Format::kCsv;
  } else if (format == "json") {
    source->format = SourceSpec::Format::kJson;
  }
}

// False when `format` cannot be that of the input.
bool ReadSpecs(const std::vector<std::string>& files, const std::string& format,
               const std::string& input, std::vector<PipelineSpec>* specs, ConfigErrors* errors) {
  for (const std::string& file : files) {
    PipelineSpec& spec = specs->emplace_back();
    if (!ReadPipelineFile(file, &spec, errors)) continue;
    if (!spec.source.name.text.empty()) {
      if (format == "csv") return false;
    } else if (files.size() == 1 || spec.source.pipeline.text.empty()) {
      SetFormat(format, input, &spec.source);
    }
  }
  return true;
}

// Of several pipelines, one line each.
void PrintSummary(const std::string& name, const ReplaySummary::OfPipeline& of, Duration took) {
  const PipelineCounters& c = of.counters;
  const double seconds = static_cast<double>(std::max<int64_t>(1, took.us)) / 1e6;
  std::fprintf(stderr, "%s%llu records, %llu results, %llu late, %llu dead, %.0f records/s\n",
               name.c_str(),
               static_cast<unsigned long long>(c.records),
               static_cast<unsigned long long>(c.results), static_cast<unsigned long long>(c.late),
               static_cast<unsigned long long>(c.dead), static_cast<double>(c.records) / seconds);
  constexpr size_t kShown = 5;
  uint64_t rest = c.dead;
  for (const DeadReasons::Reason& reason : of.dead_reasons.Top(kShown)) {
    rest -= std::min(rest, reason.count);
    std::fprintf(stderr, "  %llu dead: %s\n    for example %s\n",
                 static_cast<unsigned long long>(reason.count), reason.text.c_str(),
                 reason.example.c_str());
  }
  if (rest > 0)
    std::fprintf(stderr, "  %llu dead for other reasons\n", static_cast<unsigned long long>(rest));
  for (const ConfigError& w : of.warnings) std::fprintf(stderr, "warning: %s\n", w.ToString().c_str());
}

// The first that is none, or null.
const std::string* TakeTables(const std::vector<std::string>& tables, ReplayOptions* options) {
  for (const std::string& table : tables) {
    const size_t sign = table.find('=');
    if (sign == table.npos) return &table;
    options->tables.emplace_back(table.substr(0, sign), table.substr(sign + 1));
  }
  return nullptr;
}

}  // namespace

int ReplayCommand(const Arguments& args) {
  ReplayOptions options;
  std::vector<std::string> files;
  std::string format;
  uint64_t workers = 1;
  bool no_flush = false;
  std::string memory = "256MB";
  std::vector<std::string> tables;
  CommandLine line("replay", "PIPELINE.yaml ... --input FILE|-",
                   "Runs a pipeline over a file of records, in file order and without a broker; of several, "
                   "one takes the records, and the others read each other's results. Fields come from the "
                   "record itself, also those that a {name} topic level gives live. A line "
                   "{\"@watermark\": TIME} sets the watermark. Where a pipeline has several sources, each "
                   "line is an object that begins with {\"@source\": NAME. The end of the input closes every "
                   "window.");
  line.Operands("PIPELINE.yaml", &files, 1, 1000);
  line.Text("input,i", "FILE|-", &options.input, "records, one a line; - is standard input");
  line.Text("format", "json|csv", &format,
            "form of the records (the pipeline's own, or csv for a *.csv file)");
  line.Text("output,o", "FILE|-", &options.output,
            "results, one JSON object a line; {pipeline} in a name stands for that of each pipeline");
  line.Text("late", "FILE", &options.late, "records that were late for all their windows");
  line.Text("dead-letters", "FILE", &options.dead_letters,
            "records that could not be processed, with the reason");
  line.Count("workers", "N", &workers, "threads; results do not depend on their number");
  line.Text("state", "DIR", &options.state,
            "keep state here: a run that was killed goes on where it was when started again with the "
            "same arguments, and ends with exactly the same output file");
  line.Text("memory", "SIZE", &memory,
            "with --state: window state kept in memory; the rest stays in the store");
  line.Texts("table", "NAME=FILE", &tables,
             "rows of a table that live comes from MQTT, one JSON object a line, taken in before the input");
  line.Flag("no-flush", &no_flush, "leave open windows open at the end of the input");
  line.Example("rivulet replay config/pipelines/temperature.yaml --input readings.ndjson");
  line.Example("rivulet generate temperature --count 100000 --output - | rivulet replay t.yaml --input -");
  if (const std::optional<int> exit = line.Parse(args)) return *exit;
  if (workers < 1 || workers > 64) return line.Refuse("--workers must be 1 to 64");
  if (!format.empty() && format != "json" && format != "csv") {
    return line.Refuse("--format is '" + format + "'; expected json or csv");
  }
  const Result<uint64_t> bytes = ParseSize(memory);
  if (!bytes.ok()) return line.Refuse(bytes.status().message());
  options.state_memory = std::max<uint64_t>(*bytes, 1 << 20);
  if (const std::string* wrong = TakeTables(tables, &options)) {
    return line.Refuse("--table is '" + *wrong + "'; expected NAME=FILE");
  }
  options.workers = static_cast<uint32_t>(workers);
  options.flush = !no_flush;

  std::vector<PipelineSpec> specs;
  ConfigErrors errors;
  const auto refuse = [&errors] {
    for (const ConfigError& e : errors) std::fprintf(stderr, "%s\n", e.ToString().c_str());
    return kExitConfig;
  };
  if (!ReadSpecs(files, format, options.input, &specs, &errors)) {
    return line.Refuse("--format csv: lines of several sources are JSON objects");
  }
  if (!errors.empty()) return refuse();

  CatchInterrupts();
  std::optional<Progress> progress;
  options.clock = MonotonicNow;
  options.progress = [&progress](uint64_t done, uint64_t total, const PipelineCounters&) {
    if (!progress) progress.emplace("bytes", total);
    progress->Update(done);
    return !Interrupted();
  };
  const Monotonic started = MonotonicNow();
  const Result<ReplaySummary> summary = Replay(std::move(specs), options, &errors);
  progress.reset();
  if (!errors.empty()) return refuse();
  if (!summary.ok()) return Report("replay", summary.status());
  const Duration took = MonotonicNow() - started;
  if (summary->interrupted) std::fputs("interrupted: ", stderr);
  for (const ReplaySummary::OfPipeline& of : summary->pipelines) {
    PrintSummary(files.size() > 1 ? of.name + ": " : "", of, took);
  }
  return summary->interrupted ? kExitInterrupted : kExitOk;
}

}  // namespace rivulet
