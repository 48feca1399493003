// Checks of `rivulet doctor` that are about files: configuration, permissions, paths; its report;
// and that garbage in what a machine says does no harm.
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "node/doctor/report.h"
#include "tests/node/doctor_fixture.h"

namespace rivulet::doctor_test {

TEST_CASE("doctor config, pipelines: faults as validate shows them") {
  RecordedHost host;
  Subject subject = SubjectOf(host);
  CHECK(Has(Say(subject, "config"),
      "ok: /etc/rivulet/node.yaml: node pi-1, data in /var/lib/rivulet"));
  CHECK(Has(Say(subject, "pipelines"), "ok: valid, tables readable: speed"));
  subject.pipeline_faults.push_back({"p.yaml", 7, 12, ErrorCode::kUnknownName, "'celsuis'"});
  CHECK(Say(subject, "pipelines") == "failed: p.yaml:7:12: E2002 unknown field name: 'celsuis'\n");
  subject.pipeline_faults.clear();
  subject.pipelines.clear();
  CHECK(Say(subject, "pipelines") == "warning: no pipeline files\n");

  subject.node.reset();
  subject.node_faults.push_back({"/etc/rivulet/node.yaml", 0, 0, ErrorCode::kFileNotReadable,
      "no permission"});
  CHECK(Has(Say(subject, "config"), "failed: /etc/rivulet/node.yaml: E1001"));
  host.user = 1000;
  const auto findings = Examine(&subject, {});
  CHECK(Has(findings[0].advice, "sudo rivulet doctor"));
  for (const Finding& f : findings) {
    const bool free = f.check == "config" || f.check == "clock" || f.check == "power" ||
                      f.check == "cpu";
    if (!free) CHECK(f.found == "the node file has faults");
  }
}

TEST_CASE("doctor permissions: the node's user is whose data it is") {
  RecordedHost host;
  CHECK(Say(host, "permissions") == "ok: user rivulet can do what the node does\n");
  host.File("/var/lib/rivulet/lane-0/00000000000000000000.rvj", 0, 0644);
  CHECK(Has(Say(host, "permissions"),
            "failed: /var/lib/rivulet/lane-0 belongs to root, the data directory to rivulet"));
  host.infos.clear();
  host.Folder("/var/lib/rivulet", 999, 0777);
  CHECK(Has(Say(host, "permissions"),
      "warning: everybody may write in /var/lib/rivulet (mode 777)"));
  host.Folder("/var/lib/rivulet", 999, 0550);
  CHECK(Has(Say(host, "permissions"),
      "failed: user rivulet may not write in /var/lib/rivulet (mode 550)"));
  host.Folder("/var/lib/rivulet", 0, 0755);
  CHECK(Has(Say(host, "permissions"), "warning: the node runs as root"));
  host.File("/var/lib/rivulet", 999, 0644);
  CHECK(Has(Say(host, "permissions"), "failed: '/var/lib/rivulet' is not a folder"));

  host.infos.clear();  // none yet: whoever asks is the node's user
  CHECK(Has(Say(host, "permissions"), "ok: user root"));
  host.user = 1000;
  host.forbidden.insert("/");
  CHECK(Has(Say(host, "permissions"),
      "failed: /var/lib/rivulet does not exist, and user pi may not"));
}

TEST_CASE("doctor permissions: configuration and secrets") {
  RecordedHost host;
  Subject subject = SubjectOf(host);
  subject.secrets.paths = {"/etc/rivulet/password", "/etc/rivulet/key.pem"};
  subject.pipeline_files = {"/etc/rivulet/pipelines/a.yaml"};
  host.File("/etc/rivulet/password", 999, 0400);
  host.File("/etc/rivulet/key.pem", 0, 0640).gid = 996;
  host.File("/etc/rivulet/pipelines/a.yaml", 0, 0644);
  CHECK(Say(subject, "permissions") ==
      "ok: user rivulet can do what the node does, secrets are not for others\n");
  host.File("/etc/rivulet/password", 999, 0644);
  host.File("/etc/rivulet/key.pem", 0, 0600);
  host.File("/etc/rivulet/pipelines/a.yaml", 0, 0666);
  host.File("/etc/rivulet/node.yaml", 0, 0600);
  const std::string said = Say(subject, "permissions");
  CHECK(Has(said,
      "warning: others may read or change the secret /etc/rivulet/password (mode 644)"));
  CHECK(Has(said, "failed: user rivulet may not read the secret /etc/rivulet/key.pem (mode 600)"));
  CHECK(Has(said, "warning: everybody may change /etc/rivulet/pipelines/a.yaml (mode 666)"));
  CHECK(Has(said, "failed: user rivulet may not read /etc/rivulet/node.yaml (mode 600)"));
  // A folder on the way.
  host.File("/etc/rivulet/node.yaml", 0, 0644);
  host.Folder("/etc/rivulet", 0, 0700);
  CHECK(Has(Say(subject, "permissions"),
      "failed: user rivulet may not read /etc/rivulet/node.yaml (mode 644)"));
  // About itself doctor asks the kernel, which knows of access lists.
  host.user = 999;
  host.infos["/etc/rivulet"].mode = 0;
  host.forbidden = {"/etc/rivulet/password"};
  CHECK(Has(Say(subject, "permissions"), "may not read the secret /etc/rivulet/password"));
}

TEST_CASE("doctor: secrets that a node file names") {
  RecordedHost host;
  const auto find = [&](const std::string& yaml, const std::string& credentials = "") {
    return FindSecretFiles(host, yaml, "/etc/rivulet/node.yaml", credentials);
  };
  const SecretFiles found = find("mqtt: { password_file: password, tls: { ca: ca.pem, key: /k.pem } }\n"
                                 "http: { token_file: ../token }\n");
  CHECK(found.paths == std::vector<std::string>{"/etc/rivulet/password", "/etc/token", "/k.pem"});
  CHECK_FALSE(found.withheld);
  CHECK(find("").paths.empty());
  CHECK(find("mqtt: [").paths.empty());
  CHECK(find("mqtt: { password_file: { a: b }, tls: x }\n").paths.empty());
  const std::string handed = "mqtt: { password_file: credential:mqtt }\n";
  CHECK(find(handed).withheld);
  CHECK(find(handed, kServiceCredentials).withheld);
  host.File(std::string(kServiceCredentials) + "/mqtt", 0, 0400);
  CHECK_FALSE(find(handed, kServiceCredentials).withheld);
  CHECK(find(handed, kServiceCredentials).paths.empty());
}

constexpr char kStickPipeline[] = R"(
pipeline: speed
source: { mqtt: "vehicles/{vehicle}/speed", time: { field: ts, unit: ms, delay: 1s },
          fields: { ts: int, v: float } }
steps:
  - key: vehicle
  - select: [v]
sinks:
  - sqlite: /media/usb/speed.db
    table: speed
  - file: out.jsonl
)";

TEST_CASE("doctor paths: sticks that are not in") {
  RecordedHost host;
  CHECK(Has(Say(host, "paths"), "ok: all is written below /var/lib/rivulet"));
  const auto say = [&host] { return Say(host, "paths", "", kStickPipeline); };
  host.Folder("/media/usb", 999, 0755);  // the mount point is there, as a plain folder
  CHECK(say() == "failed: /media/usb: nothing is mounted there, it would go to the card\n");
  host.files["/sys/block/sda/sda1/size"] = "60062500\n";
  Subject subject = SubjectOf(host, "", kStickPipeline);
  CHECK(Has(Examine(&subject, {"paths"})[0].advice, "/dev/sda1 is plugged in and not mounted"));
  host.files["/proc/self/mounts"] =
      std::string(kPiMounts) + "/dev/sda1 /media/usb vfat rw,uid=999 0 0\n";
  CHECK(say() == "ok: 1 folders of sinks are there and can be written\n");
  host.files["/proc/self/mounts"] = std::string(kPiMounts) + "tmpfs /media tmpfs rw 0 0\n";
  CHECK(Has(say(), "nothing is mounted there"));
}

TEST_CASE("doctor paths: folders of sinks") {
  RecordedHost host;
  std::string text = kStickPipeline;
  text.replace(text.find("/media/usb/"), 11, "/srv/out/");
  const auto say = [&] { return Say(host, "paths", "", text); };
  CHECK(Has(say(), "failed: the folder /srv/out of a sink is not there"));
  host.Folder("/srv/out", 0, 0755);
  CHECK(Has(say(), "failed: user rivulet may not write in /srv/out"));
  host.Folder("/srv/out", 999, 0755);
  CHECK(Has(say(), "ok: 1 folders"));
  host.space.free_bytes = 1 << 20;
  CHECK(Has(say(), "warning: 1 MB free for what goes to /srv/out"));
  host.space.read_only = true;
  CHECK(Has(say(), "failed: the file system of /srv/out is read-only"));
}

TEST_CASE("doctor: mounts as the kernel writes them") {
  const auto mounts =
      ParseMounts("/dev/sda1 /media/pi/USB\\040STICK\\134x vfat rw,uid=1000 0 0\nshort line\n\n"
                  "/dev/a / ext4 rw 0 0\n/dev/b /a ext4 rw 0 0\n/dev/c /a ext4 ro 0 0\n"
                  "x /\\09 y z\n");
  REQUIRE(mounts.size() == 5);
  CHECK(mounts[0].point == "/media/pi/USB STICK\\x");
  CHECK(mounts[0].ValueOf("uid") == "1000");
  CHECK(mounts[0].ValueOf("ui") == "");
  CHECK(MountOf(mounts, "/a/b")->device == "/dev/c");
  CHECK(MountOf(mounts, "/ab")->device == "/dev/a");
  CHECK(MountOf({}, "/ab") == nullptr);
  CHECK(NumberOf("0x50005", 16) == 0x50005u);
  CHECK_FALSE(NumberOf("").has_value());
  CHECK_FALSE(NumberOf("99999999999999999999").has_value());
  CHECK_FALSE(NumberOf("12x").has_value());
  CHECK(LeadingNumberOf("  1234 kB") == 1234);
}

TEST_CASE("doctor: the report as text and as JSON") {
  const RecordedHost host;
  const Subject subject = SubjectOf(host);
  const std::vector<Finding> findings{{"clock", Verdict::kOk, "synchronised", "", ""},
                                      {"broker-limits", Verdict::kWarning, "a \"b\"", "c", "d"},
                                      {"card", Verdict::kSkipped, "why", "", ""},
                                      {"disk", Verdict::kFailed, "e", "f", "g"}};
  CHECK(DoctorText(findings) ==
        "ok       clock          synchronised\n"
        "WARNING  broker-limits  a \"b\"\n"
        "                        expected: c\n"
        "                        to do: d\n"
        "skipped  card           why\n"
        "FAILED   disk           e\n"
        "                        expected: f\n"
        "                        to do: g\n"
        "\n1 ok, 1 warning, 1 failed, 1 skipped\n");
  const auto json = nlohmann::json::parse(DoctorJson(subject, findings));
  CHECK(json["node_file"] == "/etc/rivulet/node.yaml");
  CHECK(json["node"] == "pi-1");
  CHECK(json["failed"] == 1);
  CHECK(json["findings"][1] == nlohmann::json{{"check", "broker-limits"}, {"result", "warning"},
                                              {"found", "a \"b\""}, {"expected", "c"},
                                              {"advice", "d"}});
  Findings hostile("clock");
  hostile.Warn("a\x1b[2Jb\nc", "", "x");
  CHECK(hostile.list()[0].found == "a [2Jb c");
}

TEST_CASE("doctor: garbage from the machine does no harm") {
  RecordedHost host;
  host.File("/var/lib/rivulet/state/LOCK", 999, 0644).inode = 131074;
  host.files["/proc/locks"] = kPiLocks;
  for (const char* path : {"/proc/612/cmdline", "/proc/612/cgroup",
                           "/sys/block/mmcblk0/device/life_time",
                           "/etc/mosquitto/mosquitto.conf", "/etc/mosquitto/acl"}) {
    host.files[path] = "x";
  }
  const std::vector<std::string> words{
      "\n", " ", ":", "0::", "mosquitto", "-c", "/", "1", "999999999999999999999", "-", "\\", "\\04",
      "FLOCK", "include_dir", "acl_file", "listener", "#", "\xff", "topic", "pattern", "%u",
      std::string(1, '\0'), "MemTotal:", ",", "=", "0x"};
  Random random(42);
  for (int round = 0; round < 300; ++round) {
    RecordedHost hurt = host;
    for (auto& [path, text] : hurt.files) {
      if (random.Next() % 3 == 0) continue;
      text.clear();
      for (uint64_t n = random.Next() % 30; n > 0; --n) text += words[random.Next() % words.size()];
    }
    Subject subject = SubjectOf(hurt);
    CHECK(Examine(&subject, {}).size() >= DoctorChecks().size());
  }
}

}  // namespace rivulet::doctor_test
