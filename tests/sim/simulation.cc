#include "sim/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "node/config/reader.h"
#include "sim/reference.h"
#include "sim/sim_process.h"
#include "sim/template.h"
#include "sim/verdict.h"

namespace rivulet::sim {
namespace {

constexpr int64_t kMillisecond = 1000;
constexpr size_t kMostSteps = 20000;
constexpr size_t kQuietSteps = 12;

}  // namespace

Simulation::Simulation(const Scenario& scenario, bool verbose)
    : scenario_(scenario),
      verbose_(verbose),
      random_(scenario.seed),
      lane_broker_(&random_),
      sink_broker_(&random_),
      store_(scenario.commit_sync),
      publisher_(&random_, scenario.qos, scenario.lists),
      ledger_(scenario.sync != JournalSync::kNever) {
  if (scenario_.copies) lane_broker_.SendCopyPerSubscription();
  if (scenario_.bug == PlantedBug::kUnsyncedDatabase) databases_.FeignSyncs();
  for (Scenario::PipelineText& text : scenario_.pipelines) {
    for (std::string* yaml : {&text.yaml, &text.changed}) {
      const size_t place = yaml->find(kDatabases);
      if (place != std::string::npos) yaml->replace(place, std::strlen(kDatabases), databases_.folder());
    }
  }
}

Simulation::~Simulation() {
  if (process_ != nullptr) Bury(Death::kProcess);
}

void Simulation::Trace(const std::string& what) {
  if (!verbose_) return;
  std::printf("%6llu %9.3f s  %s\n", static_cast<unsigned long long>(outcome_.steps),
              static_cast<double>(monotonic_us_) / 1e6, what.c_str());
}

void Simulation::Wrong(const std::string& what) {
  if (!outcome_.failure.empty()) return;
  outcome_.failure = what;
  Trace("WRONG: " + what);
}

SimOutcome Simulation::Run() {
  Trace(Describe(scenario_));
  if (scenario_.store_capacity > 0) store_.SetCapacity(scenario_.store_capacity);
  for (const Scenario::PipelineText& text : scenario_.pipelines) {
    PipelineSpec spec;
    ConfigErrors errors;
    std::unique_ptr<PipelinePlan> plan;
    if (ReadPipeline(text.yaml, "simulated.yaml", &spec, &errors)) {
      plan = PlanPipeline(spec, {}, &errors);
    }
    if (plan == nullptr) {
      Wrong(errors.front().ToString());
      return outcome_;
    }
    texts_[plan->name] = text.yaml;
    if (plan->source.pipeline.empty()) {
      std::vector<TopicPattern> topics;
      for (size_t i = 0; i < plan->source.sources(); ++i) {
        const std::vector<TopicPattern>& more = plan->source.at(i).topics;
        topics.insert(topics.end(), more.begin(), more.end());
      }
      ledger_.AddPipeline(plan->name, std::move(topics));
    } else {
      readers_[plan->name].upstream = plan->source.pipeline;
    }
  }
  Live();
  if (outcome_.failure.empty()) Judge();
  outcome_.fingerprint = fingerprint_;
  outcome_.redeliveries = lane_broker_.redeliveries();
  outcome_.lost = ledger_.lost();
  return outcome_;
}

void Simulation::Live() {
  InjectRetained();
  // The session exists before the first ordinary message: earlier ones would be nobody's.
  Rest("no session came up");
  calm_ = false;
  lane_broker_.SetFaults({scenario_.link_drop});
  sink_broker_.SetFaults({scenario_.link_drop});
  while (injected_ < scenario_.messages && outcome_.failure.empty()) {
    Step();
    if (outcome_.steps > kMostSteps) Wrong("the messages do not get published");
  }
  if (!outcome_.failure.empty()) return;
  Calm();
  Rest("before the last records");
  wall_us_ += 7'200'000'000;
  monotonic_us_ += 7'200'000'000;
  InjectAll(publisher_.Last({wall_us_}));
  Rest("after the last records");
  if (!outcome_.failure.empty()) return;
  if (random_.Chance(0.5)) {
    StopNode();
  } else {
    Bury(Death::kProcess);
  }
}

void Simulation::Step() {
  ++outcome_.steps;
  Advance();
  Trouble();
  if (!calm_) Publish();
  if (random_.Chance(0.8)) lane_broker_.Step();
  if (random_.Chance(0.8)) sink_broker_.Step();
  if (process_ != nullptr) {
    StepNode();
  } else if (calm_ || !random_.Chance(scenario_.restart_delay)) {
    Boot();
  }
  if (!ledger_.error().empty()) Wrong(ledger_.error());
}

void Simulation::Advance() {
  const uint64_t kind = random_.Below(100);
  const uint64_t most = kind < 50 ? 10 : kind < 80 ? 200 : kind < 99 ? 1000 : 10000;
  int64_t us = static_cast<int64_t>(random_.Below(most * kMillisecond));
  if (calm_) us += std::max(scenario_.commit_interval, scenario_.checkpoint_interval).us / 4;
  monotonic_us_ += us;
  wall_us_ += us;
}

void Simulation::Publish() {
  if (lane_down_ == 0 && random_.Chance(0.7)) InjectAll(publisher_.Next({wall_us_}));
}

void Simulation::InjectAll(const std::vector<TestMessage>& messages) {
  for (const TestMessage& m : messages) {
    ++injected_;
    ledger_.Injected(m);
    lane_broker_.Inject(m.topic, m.payload, m.qos);
  }
}

// On topics of their own, as only the last of a topic is retained.
void Simulation::InjectRetained() {
  for (size_t i = 0; i < scenario_.retained; ++i) {
    TestMessage m = publisher_.Last({wall_us_}).front();
    m.topic = std::string("plant/") + (i % 2 == 0 ? "north" : "south") + "/kept" + std::to_string(i);
    ledger_.Injected(m);
    lane_broker_.Inject(m.topic, m.payload, m.qos, /*retain=*/true);
  }
}

void Simulation::StepNode() {
  DeliverHeld();
  if (random_.Chance(scenario_.posted_work)) process_->committer.RunOne();
  const uint64_t before = process_->node->Describe(Clock()).journal.end.value;
  // A step that ends the connection may have ticked before.
  const bool up = process_->lane_up();
  if (random_.Chance(0.8)) (void)process_->node->Step(Clock());
  const JournalContent content = NoteTicks(before, process_->node->Describe(Clock()).journal.end.value);
  for (auto it = content.lower_bound(before); it != content.end(); ++it) {
    if (!up) Wrong("a tick while the session is down");
    listening_noted_ = listening_noted_ || it->second.resumes;
  }
  if (random_.Chance(scenario_.posted_work)) process_->syncer.RunOne();
  CheckInvariants();
  const Status& status = process_->node->status();
  if (status.ok() && !process_->files.dead()) return;
  if (!status.ok()) Trace("the node gave up: " + status.ToString());
  if (calm_ && !status.ok()) Wrong("the node gave up: " + status.ToString());
  Bury(Death::kProcess);
}

JournalContent Simulation::NoteTicks(uint64_t before, uint64_t after) {
  if (after == before) return {};
  Result<JournalContent> content = ScanJournal(&disk_, "/data/lane-0", before);
  if (!content.ok()) return {};
  for (auto it = content->lower_bound(before); it != content->end(); ++it) {
    if (it->second.tick()) ledger_.Ticked(it->first, it->second);
  }
  return std::move(content).value();
}

void Simulation::CheckInvariants() {
  const Result<std::map<std::string, StoredCursor>> cursors = ReadCursors(store_);
  if (!cursors.ok()) return;  // dies in this very step
  const JournalStats journal = process_->node->Describe(Clock()).journal;
  const uint64_t begin = journal.begin.value;
  const uint64_t end = journal.end.value;
  // Without syncs a power cut may have taken whole segments.
  const bool torn = scenario_.sync == JournalSync::kNever && outcome_.power_cuts > 0;
  for (const auto& [name, cursor] : *cursors) {
    if (!cursor.known) continue;
    const std::string whose = "the cursor of '" + name + "' is " + std::to_string(cursor.offset);
    if (cursor.offset > end) Wrong(whose + ", the journal ends at " + std::to_string(end));
    if (torn) continue;
    if (begin > cursor.offset) Wrong(whose + ", the journal begins at " + std::to_string(begin));
    // The last commit may be taken back when it was not synced.
    const auto before = cursors_before_.find(name);
    if (scenario_.commit_sync || before == cursors_before_.end() || !before->second.known) continue;
    if (begin <= before->second.offset) continue;
    Wrong(whose + ", a power cut may take it back to " + std::to_string(before->second.offset) +
          ", but the journal begins at " + std::to_string(begin));
  }
}

bool Simulation::Quiet() {
  if (process_ == nullptr || !process_->committer.idle() || !process_->syncer.idle()) return false;
  if (!lane_broker_.Idle() || !sink_broker_.Idle() || !held_.empty()) return false;
  const NodeStatus now = process_->node->Describe(Clock());
  return std::all_of(now.pipelines.begin(), now.pipelines.end(), [](const PipelineStatus& p) {
    return p.lag == 0 && p.outputs_waiting == 0;
  });
}

// Steps until nothing moves any more.
void Simulation::Rest(const char* why) {
  size_t quiet = 0;
  uint64_t commits = 0;
  for (size_t i = 0; i < kMostSteps && outcome_.failure.empty(); ++i) {
    Step();
    const bool still = Quiet() && commits == store_.commits();
    commits = store_.commits();
    quiet = still ? quiet + 1 : 0;
    if (quiet == kQuietSteps) return;
  }
  Wrong(std::string("it does not come to rest ") + why);
}

// Each behind the one it reads.
Status Simulation::RunReferences(References* references) {
  for (size_t left = texts_.size(); left > 0;) {
    for (const auto& [name, text] : texts_) {
      if (references->Has(name)) continue;
      const auto reader = readers_.find(name);
      if (reader == readers_.end()) {
        RIVULET_RETURN_IF_ERROR(references->Run(name, ledger_.versions(name), ledger_.seen(name)));
      } else if (!references->Has(reader->second.upstream)) {
        continue;
      } else {
        RIVULET_RETURN_IF_ERROR(
            references->RunReader(name, reader->second.upstream, reader->second.versions));
      }
      --left;
    }
  }
  return Status::Ok();
}

bool Simulation::Edited(const std::string& pipeline) const {
  const auto reader = readers_.find(pipeline);
  if (reader == readers_.end()) return ledger_.versions(pipeline).size() > 1;
  return reader->second.versions.size() > 1 || Edited(reader->second.upstream);
}

void Simulation::JudgeDatabases() {
  for (const auto& [name, text] : texts_) {
    PipelineSpec spec;
    ConfigErrors errors;
    (void)ReadPipeline(text, "simulated.yaml", &spec, &errors);
    for (const SinkSpec& sink : spec.sinks) {
      if (sink.kind != SinkSpec::Kind::kSqlite) continue;
      std::string came, expected;
      const bool read = databases_.Dump(sink.target.text, name, &came) &&
                        databases_.Dump(sink.target.text + kReferenceSuffix, name, &expected);
      Trace("  table " + name + ":\n" + came);
      if (read && came == expected) continue;
      const auto differ = std::mismatch(came.begin(), came.end(), expected.begin(), expected.end());
      const auto place = static_cast<size_t>(differ.first - came.begin());
      const size_t line = place == 0 ? 0 : expected.rfind('\n', place - 1) + 1;
      Wrong("table " + name + " is other than expected\n  came     " +
            came.substr(line, came.find('\n', line) - line) + "\n  expected " +
            expected.substr(line, expected.find('\n', line) - line));
    }
  }
}

void Simulation::Judge() {
  const Result<JournalContent> content = ScanJournal(&disk_, "/data/lane-0");
  const Result<std::map<std::string, StoredCursor>> cursors = ReadCursors(store_);
  if (!content.ok() || !cursors.ok()) return Wrong("the simulation cannot read the disks");
  ledger_.Found(*content, *cursors);
  ledger_.CheckCounts();
  if (!ledger_.error().empty()) Wrong(ledger_.error());

  using Streams = std::map<std::string, std::vector<PublishedResult>>;
  Streams came, expected;
  std::set<std::string> edited;
  for (const auto& p : sink_broker_.published()) {
    came[StreamOf(p.topic)].push_back({p.topic, p.payload, p.rivulet_id, p.qos, p.retain});
  }
  References references(&random_);
  if (const Status status = RunReferences(&references); !status.ok()) {
    return Wrong("reference: " + status.ToString());
  }
  JudgeDatabases();
  for (const auto& [name, text] : texts_) {
    for (const PublishedResult& r : references.published(name)) {
      Trace("  expected " + r.topic + " " + r.payload);
      expected[StreamOf(r.topic)].push_back(r);
      if (Edited(name)) edited.insert(StreamOf(r.topic));
    }
  }
  for (const auto& [stream, results] : came) expected[stream];
  for (const auto& [stream, results] : expected) {
    const bool is_file = stream.starts_with(kFileTopic);
    const std::string difference =
        is_file ? CompareFile(stream, disk_.Contents("/data/" + stream.substr(kFileTopic.size())), results)
                : CompareStream(stream, came[stream], results, edited.contains(stream));
    if (!difference.empty()) Wrong(difference);
    outcome_.results += results.size();
    if (is_file) continue;
    outcome_.repeated += came[stream].size() - std::min(came[stream].size(), results.size());
  }
}

}  // namespace rivulet::sim
