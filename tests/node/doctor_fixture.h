// For the tests of `rivulet doctor`: a machine made of recorded texts, by default a healthy
// Raspberry Pi 4 with Raspberry Pi OS (Debian 12), and a node file on it.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "node/config/reader.h"
#include "node/doctor/doctor.h"
#include "node/plan/pipeline_plan.h"

namespace rivulet::doctor_test {

constexpr char kPiMounts[] =
    "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n"
    "devtmpfs /dev devtmpfs rw,relatime,size=1636848k,nr_inodes=409212,mode=755 0 0\n"
    "proc /proc proc rw,relatime 0 0\n"
    "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n"
    "tmpfs /run tmpfs rw,nosuid,nodev,size=780860k,nr_inodes=819200,mode=755 0 0\n"
    "systemd-1 /proc/sys/fs/binfmt_misc autofs rw,relatime,fd=29,pgrp=1,timeout=0 0 0\n"
    "/dev/mmcblk0p1 /boot/firmware vfat rw,relatime,fmask=0022,dmask=0022,codepage=437,"
    "iocharset=ascii,shortname=mixed,errors=remount-ro 0 0\n";

constexpr char kPiMemory[] =
    "MemTotal:        3885396 kB\nMemFree:         2541288 kB\nMemAvailable:    3385760 kB\n"
    "Buffers:           61348 kB\nCached:           803448 kB\nSwapTotal:        524284 kB\n";

constexpr char kPiLocks[] =
    "1: POSIX  ADVISORY  READ  512 b3:02:12 128 128\n"
    "2: FLOCK  ADVISORY  WRITE 612 b3:02:131074 0 EOF\n";

class RecordedHost : public Host {
 public:
  RecordedHost() {
    files["/proc/self/mounts"] = kPiMounts;
    files["/proc/meminfo"] = kPiMemory;
    files["/proc/swaps"] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                           "/var/swap                               file\t\t524284\t\t0\t\t-2\n";
    files["/proc/locks"] = "";
    files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset cpu io memory pids\n";
    files["/sys/devices/platform/soc/soc:firmware/get_throttled"] = "0\n";
    files["/sys/class/thermal/thermal_zone0/temp"] = "51608\n";
    files["/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"] = "ondemand\n";
    files["/sys/block/mmcblk0/ro"] = "0\n";
    files["/sys/block/mmcblk0/device/type"] = "SD\n";
    files["/sys/block/mmcblk0/device/name"] = "SC32G\n";
    files["/sys/block/mmcblk0/device/date"] = "08/2021\n";
    files["/sys/fs/ext4/mmcblk0p2/errors_count"] = "0\n";
    links["/sys/dev/block/179:2"] =
        "../../devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0/mmcblk0p2";
    files["/etc/rivulet/node.yaml"] = "";
    Folder("/var/lib/rivulet", 999, 0750);
    people[999] = {999, "rivulet", {996}};
    people[0] = {0, "root", {0}};
    people[1000] = {1000, "pi", {1000}};
  }

  FileInfo& Folder(const std::string& path, uint32_t uid, uint32_t mode) {
    return infos[path] = {FileInfo::Kind::kDirectory, mode, uid, uid == 999 ? 996 : uid, 179, 2, 1};
  }
  FileInfo& File(const std::string& path, uint32_t uid, uint32_t mode) {
    return infos[path] = {FileInfo::Kind::kFile, mode, uid, uid == 999 ? 996 : uid, 179, 2, 2};
  }

  Result<std::string> Read(const std::string& path) const override {
    const auto found = files.find(path);
    if (found == files.end()) return {ErrorCode::kNotFound, "'" + path + "': not recorded"};
    return found->second;
  }
  // Whatever lies below in the recordings.
  Result<std::vector<std::string>> List(const std::string& path) const override {
    std::set<std::string> names;
    const auto take = [&](const std::string& other) {
      if (other.size() > path.size() + 1 && IsBelow(other, path)) {
        const std::string rest = other.substr(path.size() + 1);
        names.insert(rest.substr(0, rest.find('/')));
      }
    };
    for (const auto& [other, text] : files) take(other);
    for (const auto& [other, info] : infos) take(other);
    if (names.empty()) return {ErrorCode::kNotFound, "'" + path + "': not recorded"};
    return std::vector<std::string>(names.begin(), names.end());
  }
  Result<FileInfo> Stat(const std::string& path) const override {
    const auto found = infos.find(path);
    if (found != infos.end()) return found->second;
    if (files.contains(path)) return FileInfo{FileInfo::Kind::kFile, 0644, 0, 0, 179, 2, 3};
    if (path == "/" || List(path).ok()) {
      return FileInfo{FileInfo::Kind::kDirectory, 0755, 0, 0, 179, 2, 4};
    }
    return {ErrorCode::kNotFound, "'" + path + "': not recorded"};
  }
  Result<std::string> Link(const std::string& path) const override {
    const auto found = links.find(path);
    if (found == links.end()) return {ErrorCode::kNotFound, "'" + path + "': not recorded"};
    return found->second;
  }
  Result<DiskSpace> Space(const std::string& path) const override {
    if (!Stat(path).ok()) return {ErrorCode::kNotFound, "'" + path + "': not recorded"};
    return space;
  }
  EventTime Wall() const override { return now; }
  Result<KernelClock> Clock() const override {
    if (!clock) return {ErrorCode::kIo, "adjtimex: Operation not permitted"};
    return *clock;
  }
  Platform About() const override { return platform; }
  ProcessLimits Limits() const override { return limits; }
  uint32_t User() const override { return user; }
  Person Lookup(uint32_t uid) const override {
    const auto found = people.find(uid);
    return found == people.end() ? Person{uid, std::to_string(uid), {}} : found->second;
  }
  bool May(Access, const std::string& path) const override { return !forbidden.contains(path); }
  Result<std::vector<Duration>> TimeSyncs(const std::string&, int, Duration) const override {
    return syncs;
  }
  Status TryListen(const std::string&, uint16_t) const override { return listen; }
  BrokerReach Reach(const BrokerAddress&, const std::optional<MqttTls>&) const override {
    return reach;
  }
  MqttProbeReport Probe(const MqttProbe& probe) const override {
    probes.push_back(probe);
    MqttProbeReport report = probe.ask_for_session ? version5 : session;
    for (const MqttSubscription& s : probe.subscriptions) {
      report.subscriptions.push_back({s.filter, !refused.contains(s.filter), s.qos,
          "not authorised"});
    }
    for (const MqttLink::Publication& p : probe.publications) {
      report.publications.push_back(
          {std::string(p.topic), !refused.contains(std::string(p.topic)), 1, "not authorised"});
    }
    return report;
  }
  Result<EventTime> CertificateEnd(const std::string&) const override { return certificate_end; }

  std::map<std::string, std::string> files, links;
  std::map<std::string, FileInfo> infos;
  std::map<uint32_t, Person> people;
  std::set<std::string> forbidden;  // to this process
  std::set<std::string> refused;    // topics
  DiskSpace space{29ull << 30, 20ull << 30, 1'900'000, 1'700'000, false};
  EventTime now{1'780'000'000'000'000};
  std::optional<KernelClock> clock = KernelClock{true, Duration::Millis(20)};
  Platform platform;
  ProcessLimits limits{1024, std::nullopt, std::nullopt};
  uint32_t user = 0;
  std::vector<Duration> syncs = std::vector<Duration>(40, Duration::Millis(6));
  Status listen;
  BrokerReach reach{BrokerReach::Step::kReached, "", false, "127.0.0.1:1883", "", std::nullopt};
  MqttProbeReport session = Welcome(), version5 = Welcome();
  EventTime certificate_end{1'900'000'000'000'000};
  mutable std::vector<MqttProbe> probes;

 private:
  static MqttProbeReport Welcome() {
    MqttProbeReport report;
    report.connected = true;
    return report;
  }
};

constexpr char kPipeline[] = R"(
pipeline: speed
source: { mqtt: "vehicles/{vehicle}/speed", time: { field: ts, unit: ms, delay: 1s },
          fields: { ts: int, v: float } }
steps:
  - key: vehicle
  - window: { tumbling: 1m }
    aggregate: { mean: avg(v) }
sinks:
  - mqtt: averages/{vehicle}
)";

// What doctor examines on `host`.
inline Subject SubjectOf(const Host& host, const std::string& node_yaml = "",
                         const std::string& pipeline_yaml = kPipeline) {
  Subject subject;
  subject.host = &host;
  subject.node_file = "/etc/rivulet/node.yaml";
  NodeSpec node;
  ConfigErrors errors;
  REQUIRE(ReadNode("node: { name: pi-1 }\n" + node_yaml, subject.node_file, &node, &errors));
  subject.node = node;
  PipelineSpec pipeline;
  REQUIRE(ReadPipeline(pipeline_yaml, "/etc/rivulet/pipelines/speed.yaml", &pipeline, &errors));
  subject.pipelines.push_back(PlanPipeline(pipeline, {}, &errors));
  REQUIRE(subject.pipelines.back() != nullptr);
  LookAround(&subject);
  return subject;
}

// What a check says, a line each: "warning: found".
inline std::string Say(Subject& subject, const std::string& check) {
  std::string text;
  for (const Finding& f : Examine(&subject, {check})) {
    CHECK(f.check == check);
    CHECK_FALSE(f.found.empty());
    const bool bad = f.verdict == Verdict::kWarning || f.verdict == Verdict::kFailed;
    CHECK(bad == !f.advice.empty());
    text += std::string(VerdictName(f.verdict)) + ": " + f.found + "\n";
  }
  return text;
}
inline std::string Say(const Host& host, const std::string& check,
                       const std::string& node_yaml = "",
                       const std::string& pipeline_yaml = kPipeline) {
  Subject subject = SubjectOf(host, node_yaml, pipeline_yaml);
  return Say(subject, check);
}

inline bool Has(const std::string& text, const std::string& part) {
  const bool has = text.find(part) != std::string::npos;
  if (!has) MESSAGE("'", part, "' is not in: ", text);
  return has;
}

}  // namespace rivulet::doctor_test
