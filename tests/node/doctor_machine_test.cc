// Checks of `rivulet doctor` that are about the machine, on recorded machines.
#include "tests/node/doctor_fixture.h"

namespace rivulet::doctor_test {

TEST_CASE("doctor: a healthy Pi has nothing but good") {
  const RecordedHost host;
  Subject subject = SubjectOf(host);
  for (const Finding& f : Examine(&subject, {})) {
    CAPTURE(f.check);
    CAPTURE(f.found);
    CHECK((f.verdict == Verdict::kOk || f.verdict == Verdict::kSkipped));
  }
}

TEST_CASE("doctor clock") {
  RecordedHost host;
  CHECK(Has(Say(host, "clock"),
      "ok: synchronised, 2026-05-28T20:26:40Z; there is no real-time clock"));
  host.files["/sys/class/rtc/rtc0/name"] = "rpi-rtc soc:rpi_rtc\n";
  CHECK(Say(host, "clock") == "ok: synchronised, 2026-05-28T20:26:40Z\n");
  host.clock->synchronised = false;
  CHECK(Has(Say(host, "clock"), "warning: not synchronised, the clock says"));
  host.files["/run/systemd/timesync/synchronized"] = "";
  CHECK(Has(Say(host, "clock"), "warning: not synchronised any more"));
  host.clock.reset();
  CHECK(Has(Say(host, "clock"), "ok: synchronised"));
  host.files.erase("/run/systemd/timesync/synchronized");
  CHECK(Has(Say(host, "clock"), "skipped: the kernel does not say"));
  for (const int64_t s : {0ll, 1'600'000'000ll, 5'000'000'000ll}) {
    host.now = {s * 1'000'000};
    CHECK(Has(Say(host, "clock"), "failed: the clock says "));
  }
}

TEST_CASE("doctor disk: kinds of file systems and their options") {
  RecordedHost host;
  CHECK(Say(host, "disk") == "ok: 20 GB free of 29 GB, ext4 on /dev/mmcblk0p2\n");
  const auto with = [&host](const std::string& line) {
    host.files["/proc/self/mounts"] = kPiMounts + line + "\n";
    return Say(host, "disk");
  };
  CHECK(Has(with("/dev/sda1 /var/lib/rivulet vfat rw 0 0"),
      "failed: the data directory is on vfat"));
  CHECK(Has(with("/dev/sda1 /var/lib exfat rw 0 0"), "a power cut can damage the state"));
  CHECK(Has(with("nas:/pi /var/lib/rivulet nfs4 rw 0 0"), "on another machine"));
  CHECK(Has(with("tmpfs /var/lib/rivulet tmpfs rw 0 0"), "all is gone with the next restart"));
  CHECK(Has(with("/dev/sda1 /var/lib/rivulet ext4 rw,sync 0 0"),
      "warning: /var/lib/rivulet is mounted with 'sync'"));
  CHECK(Has(with("/dev/sda1 /var/lib/rivulet ext4 rw,barrier=0 0 0"), "without write barriers"));
  CHECK(Has(with("/dev/sda1 /var/lib/rivulet ext4 rw,strictatime 0 0"),
      "each read is also a write"));
  CHECK(Has(with("/dev/sda1 /var/lib/rivulet ext4 ro 0 0"),
      "failed: the file system of the data directory is read-only"));
  // raspi-config's overlay, overlayroot's, a container's.
  CHECK(Has(with("overlay / overlay rw,lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work "
                 "0 0"),
            "failed: the data directory is on an overlay whose upper layer is in memory"));
  CHECK(Has(with("tmpfs-root /media/root-rw tmpfs rw 0 0\noverlayroot / overlay "
                 "rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay 0 0"),
            "failed: the data directory is on an overlay"));
  CHECK(Has(with("overlay / overlay rw,upperdir=/var/lib/docker/overlay2/x/diff 0 0"),
      "warning: "));
}

TEST_CASE("doctor disk: room") {
  RecordedHost host;
  host.space.free_bytes = 130ull << 20;
  CHECK(Has(Say(host, "disk"), "warning: 130 MB free of 29 GB"));
  host.space.free_bytes = 70ull << 20;
  CHECK(Has(Say(host, "disk"), "failed: 70 MB free of 29 GB: the node pauses soon"));
  host.space.free_bytes = 60ull << 20;
  CHECK(Has(Say(host, "disk"), "failed: 60 MB free of 29 GB: the node takes no messages"));
  CHECK(Has(Say(host, "disk", "disk: { reserve: 1MB }\njournal: { retain: { bytes: 1MB } }\n"),
      "ok: 60 MB free"));
  host.space.free_bytes = 20ull << 30;
  host.space.free_files = 12;
  CHECK(Has(Say(host, "disk"), "warning: room for only 12 more files"));
  host.space.files = 0;  // not counted, as on btrfs
  CHECK(Has(Say(host, "disk"), "ok: "));
  host.space.read_only = true;
  CHECK(Has(Say(host, "disk"), "failed: the file system of the data directory is read-only"));
}

TEST_CASE("doctor card") {
  RecordedHost host;
  CHECK(Has(Say(host, "card"), "skipped: mmcblk0 (SC32G) is an SD card made 08/2021"));
  auto& life = host.files["/sys/block/mmcblk0/device/life_time"];
  life = "0x02 0x01\n";
  CHECK(Say(host, "card") == "ok: mmcblk0 (SC32G): up to 20 % of its life used\n");
  life = "0x01 0x09\n";
  CHECK(Has(Say(host, "card"), "warning: mmcblk0 (SC32G) wears out: up to 90 %"));
  life = "0x0b 0x01\n";
  CHECK(Has(Say(host, "card"), "failed: mmcblk0 (SC32G) is worn out: more than 100 %"));
  life = "0x01 0x01\n";
  host.files["/sys/block/mmcblk0/device/pre_eol_info"] = "0x03\n";
  CHECK(Has(Say(host, "card"), "spare blocks nearly gone"));
  host.files["/sys/fs/ext4/mmcblk0p2/errors_count"] = "7\n";
  CHECK(Has(Say(host, "card"), "warning: ext4 has noted 7 errors on mmcblk0p2"));
  host.files["/sys/block/mmcblk0/ro"] = "1\n";
  CHECK(Has(Say(host, "card"), "failed: mmcblk0 (SC32G) is write-protected"));
  life = "garbage \x01\n";
  host.files["/sys/block/mmcblk0/device/pre_eol_info"] = "?";
  CHECK(Has(Say(host, "card"), "skipped: "));
  host.links.clear();
  CHECK(Has(Say(host, "card"), "skipped: the medium of /var/lib/rivulet cannot be seen here"));
}

TEST_CASE("doctor sync") {
  RecordedHost host;
  const auto with = [&host](int64_t half_ms, int64_t longest_ms, const std::string& yaml = "") {
    host.syncs.assign(40, Duration::Millis(half_ms));
    host.syncs[3] = Duration::Millis(longest_ms);
    return Say(host, "sync", yaml);
  };
  CHECK(with(6, 40) == "ok: half of 40 syncs took up to 6.0 ms, the longest 40.0 ms\n");
  CHECK(Has(with(60, 70), "warning: half of 40"));
  CHECK(Has(with(60, 70, "journal: { sync: never }\n"), "ok: "));
  CHECK(Has(with(12, 70, "journal: { sync: always }\n"), "at most 83 messages/s"));
  CHECK(Has(with(6, 1500), "warning: "));
  CHECK(Has(with(400, 900), "failed: "));
  CHECK(Has(with(400, 900, "commit: { interval: 1m }\njournal: { interval: 5s }\n"), "ok: "));
  host.space.free_bytes = 1;
  CHECK(Has(Say(host, "sync"), "skipped: not measured"));
  host.infos.clear();
  CHECK(Has(Say(host, "sync"), "skipped: there is no data directory yet"));
}

TEST_CASE("doctor power: the firmware's bits") {
  RecordedHost host;
  const std::string path = "/sys/devices/platform/soc/soc:firmware/get_throttled";
  const auto with = [&](const std::string& word) {
    host.files[path] = word;
    return Say(host, "power");
  };
  CHECK(with("0\n") == "ok: no undervoltage, no throttling since start\n");
  CHECK(with("50005\n") == "failed: now: undervoltage, CPU throttled\n");
  CHECK(with("0x50000\n") == "warning: since start: undervoltage, CPU throttled\n");
  CHECK(with("80008\n") == "warning: now: soft temperature limit reached\n");
  CHECK(with("20000\n") == "warning: since start: CPU frequency capped\n");
  CHECK(Has(with("throttled=0x0"), "skipped: "));
  host.files["/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"] = "50000\n";
  CHECK(Has(with(""), "warning: since start: undervoltage"));
  host.files.erase("/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled");
  host.files["/sys/class/hwmon/hwmon0/name"] = "cpu_thermal\n";
  host.files["/sys/class/hwmon/hwmon1/name"] = "rpi_volt\n";
  host.files["/sys/class/hwmon/hwmon1/in0_lcrit_alarm"] = "1\n";
  CHECK(with("") == "failed: undervoltage\n");
  host.files["/sys/class/hwmon/hwmon1/in0_lcrit_alarm"] = "0\n";
  CHECK(with("") == "ok: no undervoltage\n");
}

TEST_CASE("doctor cpu") {
  RecordedHost host;
  CHECK(Say(host, "cpu") == "ok: 51.6 °C, governor ondemand\n");
  host.files["/sys/class/thermal/thermal_zone1/temp"] = "82770\n";
  CHECK(Has(Say(host, "cpu"), "warning: the CPU is at 82.8 °C"));
  host.files["/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"] = "powersave\n";
  CHECK(Has(Say(host, "cpu"), "governor powersave"));
  host.files.clear();
  host.infos.clear();
  CHECK(Has(Say(host, "cpu"), "skipped: "));
}

TEST_CASE("doctor memory") {
  RecordedHost host;
  CHECK(Say(host, "memory") == "ok: 3.2 GB of 3.7 GB available; it needs up to 112 MB\n");
  Subject subject = SubjectOf(host);
  subject.node->state_memory = 8ull << 30;
  CHECK(Has(Say(subject, "memory"), "failed: 3.7 GB of memory in all"));
  subject.node->state_memory = 3500ull << 20;
  CHECK(Has(Say(subject, "memory"), "warning: 3.2 GB of memory available"));
  host.files["/proc/swaps"] = "Filename Type Size Used Priority\n/dev/zram0 partition 900000 "
                              "800000 100\n"
                              "/var/swap file 524284 204800 -2\n";
  CHECK(Has(Say(host, "memory"), "warning: 200 MB are swapped out to /var/swap"));
  CHECK_FALSE(Say(host, "memory").find("zram") != std::string::npos);
  host.files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset cpu io pids\n";
  CHECK(Has(Say(host, "memory"), "'MemoryMax=' of the service has no effect"));
  host.files["/sys/fs/cgroup/system.slice/rivulet.service/memory.max"] = "67108864\n";
  CHECK(Has(Say(host, "memory"), "failed: the service may use 64 MB"));
  host.files["/sys/fs/cgroup/system.slice/rivulet.service/memory.max"] = "max\n";
  CHECK_FALSE(Say(host, "memory").find("failed") != std::string::npos);
  host.files["/proc/meminfo"] = "nonsense";
  CHECK(Has(Say(host, "memory"), "skipped: "));
}

TEST_CASE("doctor limits") {
  RecordedHost host;
  CHECK(Has(Say(host, "limits"), "ok: 64-bit, times of 64 bits, up to 1024 open files"));
  host.platform = {32, 32};
  CHECK(Has(Say(host, "limits"), "times of 32 bits (until 2038)"));
  Subject subject = SubjectOf(host);
  subject.node->state_map_size = 2ull << 30;
  CHECK(Has(Say(subject, "limits"), "failed: 'state.map_size' and 'state.memory'"));
  host.now = {2'120'000'000'000'000};
  CHECK(Has(Say(host, "limits"), "19 January 2038"));
  host.platform = {};
  host.limits = {64, 512ull << 20, 1ull << 20};
  const std::string said = Say(host, "limits");
  CHECK(Has(said, "warning: 64 files may be open"));
  CHECK(Has(said, "failed: this process may use 512 MB of addresses"));
  CHECK(Has(said, "failed: files may grow to 1 MB"));
}

TEST_CASE("doctor process: who has the data directory") {
  RecordedHost host;
  CHECK(Say(host, "process") == "ok: no node runs on /var/lib/rivulet\n");
  host.File("/var/lib/rivulet/state/LOCK", 999, 0644).inode = 131074;
  host.files["/proc/locks"] = kPiLocks;
  CHECK(Has(Say(host, "process"), "ok: a process that cannot be seen from here"));
  host.Folder("/proc/612", 999, 0555);
  const auto with = [&](const std::string& command, const std::string& group) {
    host.files["/proc/612/cmdline"] = command;
    host.files["/proc/612/cgroup"] = "0::" + group + "\n";
    return Say(host, "process");
  };
  const std::string run("/usr/bin/rivulet\0run\0", 21);
  CHECK(with(run, "/system.slice/rivulet.service") == "ok: the node runs: process 612\n");
  CHECK(with(run, "/user.slice") == "ok: the node runs: process 612\n");
  CHECK(with(run + std::string("--config\0node.yaml\0", 19),
      "/").starts_with("failed: process 612"));
  host.links["/proc/612/cwd"] = "/etc/rivulet";
  CHECK(with(run + std::string("-c\0./node.yaml\0", 15), "/") ==
      "ok: the node runs: process 612\n");
  CHECK(with(std::string("rivulet\0replay\0p.yaml\0", 22),
      "/").starts_with("failed: process 612 (rivulet replay p.yaml)"));
  host.infos["/proc/612"].uid = 0;
  CHECK(Has(with(run, "/user.slice"), "warning: the node runs as root: process 612"));
  host.infos["/proc/612"].uid = 999;
  host.files["/usr/lib/systemd/system/rivulet.service"] = "";
  CHECK(Has(with(run, "/user.slice"), "warning: the node runs, but not as the service"));
  CHECK(with(run, "/system.slice/rivulet.service") == "ok: the node runs: process 612\n");
  host.files.erase("/proc/locks");  // a sandbox
  CHECK(Has(Say(host, "process"), "skipped: /proc/locks"));
  host.files["/proc/locks"] = "1: FLOCK\n2: FLOCK ADVISORY WRITE x y z\n: : : : :\n";
  CHECK(Has(Say(host, "process"), "ok: no node runs"));
}

TEST_CASE("doctor http") {
  RecordedHost host;
  CHECK(Say(host, "http") == "ok: 127.0.0.1:8377 is free\n");
  CHECK(Has(Say(host, "http", "http: { listen: false }\n"), "ok: 'http.listen' is turned off"));
  CHECK(Has(Say(host, "http", "http: { listen: \"127.0.0.1:80\" }\n"),
      "warning: port 80 is for root"));
  host.listen = {ErrorCode::kListen, "Address already in use"};
  CHECK(Has(Say(host, "http"),
      "failed: 127.0.0.1:8377 cannot be listened on: Address already in use"));
  host.File("/var/lib/rivulet/state/LOCK", 999, 0644).inode = 131074;
  host.files["/proc/locks"] = kPiLocks;
  CHECK(Has(Say(host, "http"), "ok: 127.0.0.1:8377 is taken, as the node runs"));
}

}  // namespace rivulet::doctor_test
