#include "sim/scenario.h"

#include <algorithm>

#include "sim/template.h"

namespace rivulet::sim {
namespace {

constexpr Template kTemplates[] = {
    // Two sinks, late records into revisions, late output.
    {R"(
pipeline: tumble
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - key: sensor
  - window: { tumbling: 5s, lateness: 4s }
    aggregate:
      { records: count(), mean: avg(v), low: min(v), high: max(v), total: sum(n), tag: last(tag) }
sinks:
  - mqtt: out/tumble/1/{sensor}
    retain: true
  - mqtt: out/tumble/2
late: { mqtt: late/tumble }
dead_letters: { mqtt: dead/tumble }
)",
     "low: min(v)", "low: min(v), spread: stddev(v)"},
    // Steps before and behind the window; two key fields, one of them from the topic.
    {R"(
pipeline: slide
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 2s }
steps:
  - set: { scaled: v * 1.8 + 32 }
  - where: scaled > 10 or tag == 'red'
  - key: [site, tag]
  - window: { sliding: 12s, every: 3s, lateness: 6s }
    aggregate: { records: count(), mean: avg(scaled), first_n: first(n), last_n: last(n) }
  - set: { spread: last_n - first_n }
  - where: records > 1
sinks: { mqtt: "out/slide/1/{site}/{tag}" }
late: { mqtt: late/slide }
)",
     "records > 1", "records > 2"},
    {R"(
pipeline: trips
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 3s }
steps:
  - key: car
  - window: { session: 4s, lateness: 5s }
    aggregate: { records: count(), top: max(speed), total: sum(n), deviation: stddev(speed) }
sinks: { mqtt: "out/trips/1/{car}" }
late: { mqtt: late/trips }
dead_letters: { mqtt: dead/trips }
)",
     "session: 4s", "session: 6s"},
    {R"(
pipeline: arrivals
source:
  mqtt: ["plant/{site}/{sensor}", "plant/+/extra/{sensor}"]
  fields: { n: int, v: float }
  time: arrival
steps:
  - where: v is not null
  - key: sensor
  - window: { tumbling: 2s }
    aggregate: { records: count(), total: sum(n) }
sinks: { mqtt: "out/arrivals/1/{sensor}" }
dead_letters: { mqtt: dead/arrivals }
)",
     "v is not null", "v > 0"},
    // No lateness, no late output, overlapping windows of one key only.
    {R"(
pipeline: overview
source:
  mqtt: cars/+
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 500ms }
steps:
  - set: { fleet: "'all'" }
  - key: fleet
  - window: { sliding: 10s, every: 5s }
    aggregate: { records: count(), mean: avg(speed), cars: sum(n) }
sinks: { mqtt: out/overview/1 }
)",
     "sliding: 10s", "sliding: 15s"},
    // The same source as the first: one read and one decode serve both.
    {R"(
pipeline: sites
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - where: n % 3 > 0
  - key: site
  - window: { tumbling: 7s, lateness: 1s }
    aggregate: { records: count(), mean: avg(v), at: max(event_time('us')) }
sinks: { mqtt: "out/sites/1/{site}" }
late: { mqtt: late/sites }
)",
     "lateness: 1s", "lateness: 3s"},
};

// Per-key time, each with the source of one of the above.
constexpr Template kPerKeyTemplates[] = {
    {R"(
pipeline: tumble-own
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s, per: sensor, hold: 20s }
steps:
  - key: sensor
  - where: n % 4 > 0
  - window: { tumbling: 5s, lateness: 2s }
    aggregate: { records: count(), mean: avg(v), total: sum(n), tag: last(tag) }
sinks: { mqtt: "out/tumble-own/1/{sensor}" }
late: { mqtt: late/tumble-own }
dead_letters: { mqtt: dead/tumble-own }
)",
     "hold: 20s", "hold: 25s"},
    {R"(
pipeline: slide-own
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s, per: [sensor, site], hold: 40s }
steps:
  - key: [site, sensor]
  - window: { sliding: 12s, every: 3s, lateness: 6s }
    aggregate: { records: count(), mean: avg(v), first_n: first(n), last_n: last(n) }
  - set: { spread: last_n - first_n }
sinks: { mqtt: "out/slide-own/1/{site}/{sensor}" }
late: { mqtt: late/slide-own }
)",
     "sliding: 12s", "sliding: 9s"},
    {R"(
pipeline: trips-own
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 3s, per: car, hold: 15s }
steps:
  - key: car
  - window: { session: 4s, lateness: 5s }
    aggregate: { records: count(), top: max(speed), total: sum(n), deviation: stddev(speed) }
sinks: { mqtt: "out/trips-own/1/{car}" }
late: { mqtt: late/trips-own }
)",
     "lateness: 5s", "lateness: 3s"},
};

// Patterns: one whose state an edit drops, one whose it keeps.
constexpr Template kPatternTemplates[] = {
    {R"(
pipeline: rises
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - key: sensor
  - pattern:
      sequence:
        - { name: low, where: n % 3 = 0 }
        - { not: tag == 'red' }
        - { name: high, where: n > low.n, times: 1..3, within: 6s }
      within: 9s
      timeouts: true
    select: { from: low.n, to: collect(high.n), top: max(high.v), tag: last(high.tag) }
sinks: { mqtt: "out/rises/1/{sensor}" }
late: { mqtt: late/rises }
dead_letters: { mqtt: dead/rises }
)",
     "times: 1..3", "times: 2..3"},
    {R"(
pipeline: quiet
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 3s }
steps:
  - key: car
  - pattern:
      sequence: [{ name: seen }, { not: any, for: 2s }]
      skip: to_next
    select: { speed: seen.speed }
sinks: { mqtt: "out/quiet/1/{car}" }
late: { mqtt: late/quiet }
)",
     "speed: seen.speed", "speed: seen.speed + 1"},
};

// Pipelines that read another's results. The first reads messages and has no sinks: only others see its
// results.
constexpr const char* kRawName = "raw";
constexpr Template kRaw = {R"(
pipeline: raw
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s }
steps:
  - where: v is not null
  - key: sensor
  - select: [v, n, tag]
late: { mqtt: late/raw }
)",
                          "v is not null", "v > 0"};

struct ChainTemplate {
  const char* upstream;
  Template text;
};
constexpr ChainTemplate kChainTemplates[] = {
    {kRawName,
     {R"(
pipeline: raw-windows
source: { pipeline: raw, fields: { sensor: string, v: float, n: int }, time: { delay: 1s } }
steps:
  - key: sensor
  - window: { tumbling: 4s, lateness: 3s }
    aggregate: { records: count(), mean: avg(v), total: sum(n) }
sinks: { mqtt: "out/raw-windows/1/{sensor}" }
late: { mqtt: late/raw-windows }
)",
      "tumbling: 4s", "tumbling: 6s"}},
    {"tumble",
     {R"(
pipeline: longer
source: { pipeline: tumble }
steps:
  - key: sensor
  - window: { tumbling: 20s, lateness: 6s }
    aggregate: { results: count(), revised: sum(revision), total: sum(total), high: max(high) }
sinks: [ { mqtt: "out/longer/1/{sensor}" }, { mqtt: out/longer/2 } ]
late: { mqtt: late/longer }
)",
      "high: max(high)", "high: max(high), low: min(low)"}},
    {"trips",
     {R"(
pipeline: fast
source: { pipeline: trips }
steps:
  - where: top > 20
  - key: car
  - select: { top: top, before: prev(top), records: records }
sinks: { mqtt: "out/fast/1/{car}" }
)",
      "top > 20", "top > 25"}},
    {"longer",
     {R"(
pipeline: longest
source: { pipeline: longer, time: { delay: 5s } }
steps:
  - set: { fleet: "'all'" }
  - key: fleet
  - window: { sliding: 60s, every: 20s, lateness: 20s }
    aggregate: { results: count(), total: sum(total) }
sinks: { mqtt: out/longest/1 }
late: { mqtt: late/longest }
)",
      "lateness: 20s", "lateness: 40s"}},
};

// Tables from the topics of others' records, with versions and without.
constexpr Template kTableTemplates[] = {
    {R"(
pipeline: tagged
source:
  mqtt: cars/{car}
  format: { csv: { columns: [t, speed, n] } }
  fields: { t: { type: int, required: true }, speed: float, n: int }
  time: { field: t, unit: ms, delay: 3s }
tables:
  tags:
    mqtt: plant/{site}/{sensor}
    key: [site, sensor]
    fields: { ts: int, tag: string, v: float }
    valid_from: ts
    keep: 10s
    rows: 6
steps:
  - set:
      s: replace(car, 'c', 's')
  - join: { table: tags, on: { site: "'north'", sensor: s }, take: [tag, { heat: v }], type: left }
  - key: car
  - window: { tumbling: 5s, lateness: 2s }
    aggregate: { records: count(), tag: last(tag), heat: sum(heat) }
sinks: { mqtt: "out/tagged/1/{car}" }
late: { mqtt: late/tagged }
dead_letters: { mqtt: dead/tagged }
)",
     "type: left", "type: inner"},
    // Each message is a record and a row; an edit that changes the rows' columns.
    {R"(
pipeline: echoed
source:
  mqtt: plant/{site}/{sensor}
  fields: { ts: { type: int, required: true }, v: float, n: int, tag: string }
  time: { field: ts, unit: ms, delay: 1s, per: sensor, hold: 20s }
tables:
  last: { mqtt: "plant/{site}/+", key: site, fields: { n: int, tag: string } }
steps:
  - key: sensor
  - join: { table: last, take: [{ known: n }, { colour: tag }] }
  - window: { tumbling: 5s, lateness: 2s }
    aggregate: { records: count(), behind: sum(n - known), colour: last(colour) }
sinks: { mqtt: "out/echoed/1/{sensor}" }
late: { mqtt: late/echoed }
dead_letters: { mqtt: dead/echoed }
)",
     "fields: { n: int, tag: string } }", "fields: { v: float, n: int, tag: string } }"},
};

// None, or one that makes some hits in a life of a few hundred steps.
double Rarely(Random* random, double often) {
  return random->Chance(0.5) ? 0 : random->Unit() * often;
}

template <typename T>
T OneOf(Random* random, std::initializer_list<T> choices) {
  return choices.begin()[random->Below(choices.size())];
}

void ChoosePipelines(Random* random, Scenario* s) {
  for (const Template& one : kTemplates) {
    if (random->Chance(0.35)) s->pipelines.push_back(Edited(one));
  }
  if (s->pipelines.empty()) {
    s->pipelines.push_back(Edited(kTemplates[random->Below(std::size(kTemplates))]));
  }
}

// Has numbers of its own, and spares the seeds of regressions.h: their lives stay what they are.
void ChoosePerKeyPipelines(Scenario* s) {
  if (s->seed % 7 != 1 && s->seed % 7 != 4) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 2);
  for (const Template& one : kPerKeyTemplates) {
    if (random.Chance(0.6)) s->pipelines.push_back(Edited(one));
  }
  // Mostly tiny, so that closes go in several steps and turns are cut.
  if (random.Chance(0.7)) s->results_per_step = 1 + random.Below(8);
}

// Like ChoosePerKeyPipelines.
void ChooseChains(Scenario* s) {
  const uint64_t kind = s->seed % 11;
  if (kind != 6 && kind != 8 && kind != 9) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 3);
  s->pipelines.push_back(Edited(kRaw));
  for (const ChainTemplate& one : kChainTemplates) {
    const std::string declared = "\npipeline: " + std::string(one.upstream) + "\n";
    const bool there = std::any_of(
        s->pipelines.begin(), s->pipelines.end(),
        [&](const Scenario::PipelineText& p) { return p.yaml.find(declared) != std::string::npos; });
    const bool needed = one.upstream == kRawName;  // without sinks, somebody must read it
    if (there && (needed || random.Chance(0.8))) s->pipelines.push_back(Edited(one.text));
  }
  if (random.Chance(0.3)) s->results_per_step = 1 + random.Below(8);
}

// Like ChoosePerKeyPipelines.
void ChoosePatternPipelines(Scenario* s) {
  const uint64_t part = s->seed % 13;
  if (part != 2 && part != 7 && part != 11) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 5);
  for (const Template& one : kPatternTemplates) {
    if (random.Chance(0.7)) s->pipelines.push_back(Edited(one));
  }
  if (random.Chance(0.5)) s->results_per_step = 1 + random.Below(8);
}

// Likewise.
void ChooseTablePipelines(Scenario* s) {
  if (s->seed % 11 != 6 && s->seed % 11 != 9) return;
  Random random(s->seed * 0x9e3779b97f4a7c15ull + 4);
  const size_t one = random.Below(std::size(kTableTemplates));
  s->pipelines.push_back(Edited(kTableTemplates[one]));
  if (random.Chance(0.4)) s->pipelines.push_back(Edited(kTableTemplates[1 - one]));
}

void ChooseSettings(Random* random, Scenario* s) {
  s->sync = OneOf(random, {JournalSync::kAlways, JournalSync::kInterval, JournalSync::kInterval,
                           JournalSync::kNever});
  s->commit_sync = random->Chance(0.7);
  s->segment_bytes = OneOf<uint64_t>(random, {300, 2000, 20000, 8 << 20});
  s->retain_bytes = OneOf<uint64_t>(random, {0, 1000, 64 << 20});
  s->retain_age = Duration::Seconds(OneOf<int64_t>(random, {0, 30, 3600}));
  s->journal_interval = Duration::Millis(OneOf(random, {0, 50, 500}));
  s->commit_interval = Duration::Millis(OneOf(random, {0, 20, 200, 1000, 5000}));
  s->state_memory = OneOf<uint64_t>(random, {0, 4000, 64 << 20});
  s->disk_reserve = OneOf<uint64_t>(random, {0, 0, 2000});
  s->partitions = OneOf<uint16_t>(random, {1, 4, 64});
  s->qos = random->Chance(0.85) ? 1 : 2;
  s->max_inflight = OneOf<uint32_t>(random, {1, 5, 100});
}

void ChooseFaults(Random* random, Scenario* s) {
  s->posted_work = random->Chance(0.3) ? 1 : 0.05 + 0.9 * random->Unit();
  s->link_drop = Rarely(random, 0.02);
  s->broker_down = Rarely(random, 0.01);
  s->sink_broker_down = Rarely(random, 0.02);
  s->stop = Rarely(random, 0.01);
  s->reload = Rarely(random, 0.02);
  s->crash = Rarely(random, 0.02);
  s->die_in_operation = Rarely(random, 0.02);
  s->die_in_commit = Rarely(random, 0.01);
  s->power_cut = Rarely(random, 0.01);
  s->failed_operation = Rarely(random, 0.02);
  s->failed_commit = Rarely(random, 0.01);
  s->disk_full = Rarely(random, 0.01);
  s->restart_delay = random->Unit() * 0.9;
  // With neither the journal nor commits synced, a power cut may take back results that were
  // already published, together with the messages they came from. Nothing exact is promised then.
  if (s->sync == JournalSync::kNever && !s->commit_sync) s->power_cut = 0;
  // Likewise when results of the old text were published by a commit that is taken back, and the
  // messages are then processed by the new text.
  if (!s->commit_sync && s->power_cut > 0) s->reload = 0;
}

}  // namespace

Scenario::PipelineText Edited(const Template& one) {
  Scenario::PipelineText text{one.yaml, one.yaml};
  const std::string before = one.before;
  text.changed.replace(text.changed.find(before), before.size(), one.after);
  return text;
}

Scenario MakeScenario(uint64_t seed) {
  Random random(seed * 0x9e3779b97f4a7c15ull + 1);
  Scenario s;
  s.seed = seed;
  s.messages = 50 + random.Below(250);
  ChoosePipelines(&random, &s);
  ChooseSettings(&random, &s);
  ChooseFaults(&random, &s);
  s.checkpoint_interval = Duration::Millis(OneOf(&random, {0, 100, 2000, 10000}));
  ChoosePerKeyPipelines(&s);
  ChooseChains(&s);
  ChoosePatternPipelines(&s);
  ChooseTablePipelines(&s);
  ChooseSourcePipelines(&s);
  ChooseQuietPipelines(&s);
  ChooseClock(&s);
  ChooseFilePipelines(&s);
  ChooseDatabasePipelines(&s);
  ChooseSmallStore(&s);
  ChooseOverlaps(&s);
  ChooseSmallJournal(&s);
  return s;
}

std::string Describe(const Scenario& s) {
  constexpr const char* kSync[] = {"always", "interval", "never"};
  std::string text = std::to_string(s.pipelines.size()) + " pipelines, " +
                     std::to_string(s.messages) + " messages, journal sync " +
                     kSync[static_cast<size_t>(s.sync)] + ", commits " +
                     (s.commit_sync ? "synced" : "not synced") + " every " +
                     std::to_string(s.commit_interval.us / 1000) + " ms (state " +
                     std::to_string(s.checkpoint_interval.us / 1000) + " ms), segments of " +
                     std::to_string(s.segment_bytes) + " bytes, chances";
  const std::pair<const char*, double> chances[] = {
      {"posted_work", s.posted_work},     {"link_drop", s.link_drop},
      {"broker_down", s.broker_down},     {"sink_broker_down", s.sink_broker_down},
      {"stop", s.stop},                   {"reload", s.reload},
      {"crash", s.crash},
      {"die_in_operation", s.die_in_operation}, {"die_in_commit", s.die_in_commit},
      {"power_cut", s.power_cut},         {"failed_operation", s.failed_operation},
      {"failed_commit", s.failed_commit}, {"disk_full", s.disk_full},
      {"wall_jump", s.wall_jump}};
  for (const auto& [name, chance] : chances) {
    if (chance > 0) text += std::string(" ") + name + "=" + std::to_string(chance).substr(0, 6);
  }
  return text;
}

}  // namespace rivulet::sim
