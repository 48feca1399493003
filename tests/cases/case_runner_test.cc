// Runs the cases of tests/cases/**/*.yaml. With RIVULET_UPDATE_CASES set, writes what comes out
// into them; with
// RIVULET_CASE, runs only those whose path contains it.

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/config/reader.h"
#include "node/replay/line_input.h"
#include "node/replay/replay.h"
#include "node/tables/check_tables.h"
#include "tests/cases/case_file.h"
#include "tests/cases/pipeline_harness.h"

namespace rivulet {
namespace {

namespace fs = std::filesystem;

class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "rivulet-case-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Scratch() { fs::remove_all(path_); }
  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> Faults(const ConfigErrors& errors) {
  std::vector<std::string> lines;
  for (const ConfigError& e : errors) {
    lines.push_back("E" + std::to_string(static_cast<int>(e.code)) + " at " +
                    std::to_string(e.line) + ":" + std::to_string(e.column));
  }
  return lines;
}

// The header of a CSV input without quotes, when the pipeline wants one.
std::vector<std::string> CsvHeader(const PipelineSpec& spec, const std::string& line) {
  std::vector<std::string> names;
  if (spec.source.format != SourceSpec::Format::kCsv || !spec.source.csv.columns.empty()) return names;
  std::istringstream in(line);
  for (std::string name; std::getline(in, name, spec.source.csv.delimiter);) names.push_back(name);
  return names;
}

class CaseRun {
 public:
  explicit CaseRun(const CaseFile& file) : file_(file), update_(std::getenv("RIVULET_UPDATE_CASES")) {}

  void Run() {
    ConfigErrors errors;
    for (const auto& [name, text] : file_.files) {
      std::ofstream(beside_ / name.c_str(), std::ios::binary) << text;
    }
    const bool readable = ReadPipeline(file_.pipeline, beside_ / "test.yaml", &spec_, &errors);
    const std::vector<std::string> lines = SplitLines(file_.input);
    csv_header_ = CsvHeader(spec_, lines.empty() ? "" : lines[0]);
    if (readable) {
      PlanOptions options;
      options.replay = true;
      options.csv_header = csv_header_;
      const std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec_, options, &errors);
      if (plan != nullptr) CheckTableFiles(*plan, &errors);
    }
    if (!errors.empty() || !file_.errors.empty()) {
      CheckErrors(errors);
      return;
    }
    const Outputs first = ReplayOnce(1, false);
    if (update_) UpdateCase(file_, first.results, first.late, first.dead, {});
    if (!update_) CheckOutputs("1 worker", first);
    CheckOutputs("3 workers", ReplayOnce(3, false), first);
    CheckOutputs("with a state directory", ReplayOnce(2, true), first);
    CheckSmallTurns(first);
  }

 private:
  void CheckErrors(const ConfigErrors& errors) {
    std::string all;
    for (const ConfigError& e : errors) all += e.ToString() + "\n";
    CAPTURE(all);
    if (update_) {
      UpdateCase(file_, {}, {}, {}, Faults(errors));
      return;
    }
    CHECK(JoinLines(Faults(errors)) == JoinLines(file_.errors));
    if (errors.empty()) return;
    CHECK_MESSAGE(errors[0].message.find(file_.message) != std::string::npos, file_.message);
  }

  Outputs ReplayOnce(uint32_t workers, bool state) {
    const Scratch scratch;
    ReplayOptions options;
    options.state_size = 64 << 20;  // an emulator keeps books about each page of a map
    options.input = scratch / "input";
    options.output = scratch / "results";
    options.late = scratch / "late";
    options.dead_letters = scratch / "dead";
    options.workers = workers;
    options.flush = file_.flush;
    if (state) options.state = scratch / "state";
    options.commit_interval = Duration{0};
    options.progress = [](uint64_t, uint64_t, const PipelineCounters&) { return true; };
    options.clock = [] { return Monotonic{}; };
    std::ofstream(options.input, std::ios::binary) << file_.input;
    ConfigErrors errors;
    const Result<ReplaySummary> summary = Replay(spec_, options, &errors);
    REQUIRE_MESSAGE(summary.ok(), summary.status().ToString());
    Outputs out{SplitLines(ReadText(options.output)), SplitLines(ReadText(options.late)),
                SplitLines(ReadText(options.dead_letters))};
    CHECK(summary->counters.results == out.results.size());
    CHECK(summary->counters.late == out.late.size());
    CHECK(summary->counters.dead == out.dead.size());
    return out;
  }

  // The lines as messages of turns; what tells records and punctuations apart is the replay's own.
  std::vector<StreamLine> Messages() {
    const Scratch scratch;
    std::ofstream(scratch / "input", std::ios::binary) << file_.input;
    std::unique_ptr<LineInput> input = std::move(LineInput::Open(scratch / "input")).value();
    input->SetSources(SourceNames(spec_));
    if (!csv_header_.empty()) REQUIRE(input->TakeLine().ok());
    std::vector<std::string> tables;
    for (const TableSpec& table : spec_.tables) tables.push_back(table.name.text);
    input->SetTables(tables);
    std::vector<StreamLine> lines;
    for (std::vector<InputMessage> messages;;) {
      REQUIRE(input->Read(64, spec_.source.time.unit, &messages).ok());
      if (messages.empty()) return lines;
      for (const InputMessage& m : messages) {
        StreamLine& line = lines.emplace_back();
        line.source = m.source;
        line.arrival_us = m.payload.arrival_us;
        line.text = m.payload.payload;
        line.punctuation = m.kind == InputMessage::Kind::kWatermark;
        line.tick = m.kind == InputMessage::Kind::kTick;
        line.resumes = m.resumes;
        line.watermark_us = m.watermark_us;
        if (m.kind == InputMessage::Kind::kTable) line.table = m.table;
        line.removes = m.removes;
      }
    }
  }

  void CheckSmallTurns(const Outputs& expected) {
    const std::vector<StreamLine> lines = Messages();
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      DriveOptions o;
      o.workers = 1 + static_cast<uint32_t>(seed % 2);
      o.seed = seed;
      o.longest_turn = seed;
      o.durable = true;
      o.commit = 0.6;
      o.evict = 1;
      o.crash = 0.3;
      o.flush = file_.flush;
      o.csv_header = csv_header_;
      o.file = beside_ / "test.yaml";
      CheckOutputs("small turns and crashes", Drive(file_.pipeline, lines, o), expected);
    }
  }

  static void CheckOutputs(const std::string& how, const Outputs& got, const Outputs& expected) {
    const std::string difference = Difference(expected, got);
    CHECK_MESSAGE(difference.empty(), how, ": ", difference);
  }
  void CheckOutputs(const std::string& how, const Outputs& got) {
    Outputs expected{file_.expected, file_.late, file_.dead};
    Outputs shown = got;
    if (file_.dead_by_number) {
      expected.dead.clear();
      for (const int number : file_.dead_numbers) expected.dead.push_back("E" + std::to_string(number));
      for (std::string& line : shown.dead) {
        line = line.substr(line.find(":\"") + 2);
        line = line.substr(0, line.find(' '));
      }
    }
    CheckOutputs(how, shown, expected);
  }

  const CaseFile& file_;
  bool update_;
  Scratch beside_;
  PipelineSpec spec_;
  std::vector<std::string> csv_header_;
};

}  // namespace

TEST_CASE("cases") {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(RIVULET_CASES_DIRECTORY)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  CHECK(paths.size() >= 35);
  const char* only = std::getenv("RIVULET_CASE");
  for (const std::string& path : paths) {
    if (only != nullptr && path.find(only) == std::string::npos) continue;
    CaseFile file;
    std::string why;
    const bool readable = ReadCase(path, &file, &why);
    CHECK_MESSAGE(readable, path, ": ", why);
    if (!readable) continue;
    CAPTURE(path);
    CAPTURE(file.name);
    CaseRun(file).Run();
  }
}

}  // namespace rivulet
