// Node files: defaults, every setting, faults, secrets and the list of pipelines.
#include "tests/node/config_test_util.h"

namespace rivulet {
namespace {

using config_test::AllErrors;
using config_test::ConfigFolder;
using config_test::Has;
using config_test::Node;
using config_test::TemporaryFolder;

TEST_CASE("an empty file is a node") {
  for (const char* yaml : {"", "# nothing\n", "mqtt:\nnode: {}\n"}) {
    const auto read = Node(yaml);
    REQUIRE_MESSAGE(read.ok, AllErrors(read.errors));
    const NodeSpec& spec = read.spec;
    CHECK_FALSE(spec.name.empty());
    CHECK(spec.data_directory == "/var/lib/rivulet");
    CHECK(spec.pipelines == std::vector<std::string>{"/etc/rivulet/pipelines/"});
    CHECK(spec.partitions == 64);
    CHECK(spec.workers == 0);
    CHECK(spec.mqtt.brokers == std::vector<std::string>{"tcp://localhost:1883"});
    CHECK(spec.mqtt.client_id == "rivulet-" + spec.name);
    CHECK(spec.mqtt.version == 4);
    CHECK(spec.mqtt_qos == 1);
    CHECK(spec.mqtt.persistent_session);
    CHECK_FALSE(spec.mqtt.tls);
    REQUIRE(spec.mqtt.will);
    CHECK(spec.mqtt.will->topic == "rivulet/" + spec.name + "/status");
    CHECK(spec.mqtt.will->payload == R"({"status":"offline"})");
    CHECK(spec.mqtt.will->retain);
    CHECK(spec.mqtt.online_payload == R"({"status":"online"})");
    CHECK(spec.journal.sync == JournalSync::kInterval);
    CHECK(spec.commit_sync);
    CHECK(spec.commit_interval == Duration::Seconds(1));
    CHECK(spec.checkpoint_interval == Duration::Seconds(10));
    CHECK(spec.http.address == "127.0.0.1");
    CHECK(spec.http.port == 8377);
    CHECK(spec.log_level == "info");
  }
}

TEST_CASE("the example says the defaults") {
  NodeSpec example;
  ConfigErrors errors;
  const std::string file = (ConfigFolder() / "node.yaml").string();
  REQUIRE_MESSAGE(ReadNodeFile(file, &example, &errors), AllErrors(errors));
  const NodeSpec empty = Node("").spec;
  CHECK(example.name == empty.name);
  CHECK(example.data_directory == empty.data_directory);
  CHECK(example.mqtt.brokers == empty.mqtt.brokers);
  CHECK(example.mqtt.will->topic == empty.mqtt.will->topic);
  CHECK(example.journal.sync == empty.journal.sync);
  CHECK(example.journal_interval == empty.journal_interval);
  CHECK(example.journal.segment_bytes == empty.journal.segment_bytes);
  CHECK(example.journal.retain_bytes == empty.journal.retain_bytes);
  CHECK(example.journal.retain_age == empty.journal.retain_age);
  CHECK(example.state_memory == empty.state_memory);
  CHECK(example.state_map_size == empty.state_map_size);
  CHECK(example.commit_interval == empty.commit_interval);
  CHECK(example.checkpoint_interval == empty.checkpoint_interval);
  CHECK(example.commit_sync == empty.commit_sync);
  CHECK(example.disk_reserve == empty.disk_reserve);
  CHECK(example.http.port == empty.http.port);
  CHECK(example.log_level == empty.log_level);
  std::vector<std::string> files;
  REQUIRE_MESSAGE(ListPipelineFiles(example, &files, &errors), AllErrors(errors));
  CHECK(files.size() >= 3);
}

TEST_CASE("every setting is taken") {
  const TemporaryFolder folder;
  folder.Write("secret/password", "hunter2\r\n");
  folder.Write("token", "let me in\n");
  for (const char* name : {"ca.pem", "c.pem", "k.pem"}) folder.Write(name, "-");
  const auto read = Node(
      "node: { name: pi-2, data: state, partitions: 16, workers: 3 }\n"
      "pipelines: [a.yaml, ../shared/*.yaml, /abs/dir]\n"
      "mqtt:\n  brokers: [mqtts://one, 'ssl://[fe80::1]:1234', mqtt://three, tcp://four:99]\n"
      "  client_id: mine\n  version: 5\n  qos: 2\n  user: me\n  password_file: secret/password\n"
      "  tls: { ca: ca.pem, cert: c.pem, key: k.pem, verify_hostname: false }\n"
      "  status_topic: site/{node}/up\n  keep_alive: 1m\n"
      "  reconnect: { min: 1s, max: 5s }\n  max_inflight: 7\n  max_payload: 1MB\n"
      "journal: { sync: always, interval: 10ms, segment: 1MB, retain: { bytes: 2MB, age: 3h } }\n"
      "state: { memory: 5MB, map_size: 6MB, outputs: 1MB }\n"
      "commit: { interval: 20ms, checkpoint: 3s, durability: local }\n"
      "disk: { reserve: 0 }\nhttp: { listen: '0.0.0.0:80', token_file: token }\n"
      "log: { level: warn }\n",
      (folder.path() / "node.yaml").string());
  REQUIRE_MESSAGE(read.ok, AllErrors(read.errors));
  const NodeSpec& spec = read.spec;
  const std::string base = folder.path().string();
  CHECK(spec.data_directory == base + "/state");
  CHECK(spec.pipelines[0] == base + "/a.yaml");
  CHECK(spec.pipelines[1] == folder.path().parent_path().string() + "/shared/*.yaml");
  CHECK(spec.pipelines[2] == "/abs/dir");
  CHECK(spec.partitions == 16);
  CHECK(spec.workers == 3);
  CHECK(spec.mqtt.brokers == std::vector<std::string>{"ssl://one:8883", "ssl://[fe80::1]:1234",
                                                      "tcp://three:1883", "tcp://four:99"});
  CHECK(spec.mqtt.client_id == "mine");
  CHECK(spec.mqtt.version == 5);
  CHECK(spec.mqtt_qos == 2);
  CHECK(spec.mqtt.user == "me");
  CHECK(spec.mqtt.password == "hunter2");
  REQUIRE(spec.mqtt.tls);
  CHECK(spec.mqtt.tls->key_file == base + "/k.pem");
  CHECK_FALSE(spec.mqtt.tls->verify_hostname);
  CHECK(spec.mqtt.will->topic == "site/pi-2/up");
  CHECK(spec.mqtt.keep_alive == Duration::Seconds(60));
  CHECK(spec.mqtt.reconnect_min == Duration::Seconds(1));
  CHECK(spec.mqtt.reconnect_max == Duration::Seconds(5));
  CHECK(spec.mqtt.max_inflight == 7);
  CHECK(spec.max_payload == 1u << 20);
  CHECK(spec.mqtt.max_packet > 1u << 20);
  CHECK(spec.journal.sync == JournalSync::kAlways);
  CHECK(spec.journal_interval == Duration::Millis(10));
  CHECK(spec.journal.segment_bytes == 1u << 20);
  CHECK(spec.journal.retain_bytes == 2u << 20);
  CHECK(spec.journal.retain_age == Duration::Seconds(10800));
  CHECK(spec.state_memory == 5u << 20);
  CHECK(spec.state_map_size == 6u << 20);
  CHECK(spec.state_outputs == 1u << 20);
  CHECK(spec.commit_interval == Duration::Millis(20));
  CHECK(spec.checkpoint_interval == Duration::Seconds(3));
  CHECK_FALSE(spec.commit_sync);
  CHECK(spec.disk_reserve == 0);
  CHECK(spec.http.address == "0.0.0.0");
  CHECK(spec.http.port == 80);
  CHECK(spec.http.token == "let me in");
  CHECK(spec.log_level == "warn");
}

TEST_CASE("what can be turned off; what is automatic") {
  const auto read = Node("node: { workers: auto }\n"
                         "mqtt: { status_topic: false, brokers: ssl://b }\n"
                         "http: { listen: false }\n");
  REQUIRE_MESSAGE(read.ok, AllErrors(read.errors));
  CHECK_FALSE(read.spec.mqtt.will);
  CHECK(read.spec.mqtt.online_payload.empty());
  CHECK(read.spec.mqtt.tls);
  CHECK(read.spec.http.port == 0);
  CHECK(read.spec.workers == 0);
}

TEST_CASE("loopback needs no token, other addresses do") {
  for (const char* listen : {"127.9.9.9:1", "'[::1]:8377'", "localhost:65535"}) {
    CAPTURE(listen);
    CHECK(Node("http: { listen: " + std::string(listen) + " }").ok);
  }
  for (const char* listen : {"'0.0.0.0:80'", "'[::]:80'", "'127.example.com:80'", "'pi:80'"}) {
    CAPTURE(listen);
    CHECK(Has(Node("http: { listen: " + std::string(listen) + " }").errors,
              ErrorCode::kMissingSetting, 1, 18, "'token_file'"));
  }
}

TEST_CASE("faults of node files") {
  struct Fault {
    const char* yaml;
    ErrorCode code;
    int column;
    const char* part;
  };
  const Fault faults[] = {
      {"nodes: {}", ErrorCode::kUnknownSetting, 1, "did you mean 'node'"},
      {"node: { name: 'a/b' }", ErrorCode::kBadSettingValue, 16, "'a/b'"},
      {"node: { partitions: 0 }", ErrorCode::kBadSettingValue, 21, "1 to 4096"},
      {"node: { partitions: 99999999999999999999 }", ErrorCode::kBadSettingValue, 21, "1 to 4096"},
      {"node: { partitions: 6.4 }", ErrorCode::kWrongSettingType, 21, "whole number"},
      {"node: { workers: many }", ErrorCode::kWrongSettingType, 18, "1 to 256"},
      {"pipelines: []", ErrorCode::kBadSettingValue, 12, "empty list"},
      {"mqtt: { brokers: localhost }", ErrorCode::kBadSettingValue, 18, "tcp://"},
      {"mqtt: { brokers: 'tcp://h:0' }", ErrorCode::kBadSettingValue, 19, "tcp://"},
      {"mqtt: { brokers: 'tcp://h:70000' }", ErrorCode::kBadSettingValue, 19, "tcp://"},
      {"mqtt: { brokers: 'tcp://' }", ErrorCode::kBadSettingValue, 19, "tcp://"},
      {"mqtt: { brokers: 'ws://h' }", ErrorCode::kBadSettingValue, 19, "schemes"},
      {"mqtt: { brokers: [mqtt://a, 'tcp://a:1883'] }", ErrorCode::kDuplicateSetting, 30, "a:1883"},
      {"mqtt: { version: 4 }", ErrorCode::kBadSettingValue, 18, "3.1.1, 5"},
      {"mqtt: { qos: 3 }", ErrorCode::kBadSettingValue, 14, "0 to 2"},
      {"mqtt: { status_topic: 'a/{pi}' }", ErrorCode::kBadTopicPattern, 24, "{node}"},
      {"mqtt: { status_topic: 'a/#' }", ErrorCode::kBadTopicPattern, 24, "#"},
      {"mqtt: { keep_alive: 100ms }", ErrorCode::kBadSettingValue, 21, "1s"},
      {"mqtt: { reconnect: { min: 1m } }", ErrorCode::kBadSettingValue, 20, "min <= max"},
      {"mqtt: { tls: {} }", ErrorCode::kBadSettingValue, 9, "ssl://"},
      {"mqtt: { brokers: ssl://b, tls: { ca: /none } }", ErrorCode::kFileNotReadable, 38, "'ca'"},
      {"mqtt: { user: u, password_file: /none }", ErrorCode::kSecretNotReadable, 33, "/none"},
      {"mqtt: { user: u, password_file: /dev/null }", ErrorCode::kSecretNotReadable, 33, "empty"},
      {"journal: { sync: alwyas }", ErrorCode::kBadSettingValue, 18, "did you mean 'always'"},
      {"journal: { segment: 1KB }", ErrorCode::kBadSettingValue, 21, "64 KB"},
      {"journal: { segment: 8 MB }", ErrorCode::kBadSize, 21, "'8 MB'"},
      {"journal: { interval: 0s }", ErrorCode::kBadSettingValue, 22, "1ms"},
      {"journal: { retain: 64MB }", ErrorCode::kWrongSettingType, 20, "bytes, age"},
      {"state: { memory: [1MB] }", ErrorCode::kWrongSettingType, 18, "a list"},
      {"commit: { durability: peer }", ErrorCode::kBadSettingValue, 23, "disk, local"},
      {"http: { listen: 8377 }", ErrorCode::kBadSettingValue, 17, "address:port"},
      {"http: { listen: '127.0.0.1:0' }", ErrorCode::kBadSettingValue, 18, "address:port"},
      {"http: { listen: '::1:80' }", ErrorCode::kBadSettingValue, 18, "address:port"},
      {"http: { listen: true }", ErrorCode::kBadSettingValue, 17, "address:port"},
      {"log: { level: loud }", ErrorCode::kBadSettingValue, 15, "trace, debug"},
      {"log: info", ErrorCode::kWrongSettingType, 6, "level"}};
  for (const Fault& fault : faults) {
    CAPTURE(fault.yaml);
    const auto read = Node(fault.yaml);
    CHECK_MESSAGE(read.errors.size() == 1, AllErrors(read.errors));
    CHECK_MESSAGE(Has(read.errors, fault.code, 1, fault.column, fault.part),
                  AllErrors(read.errors));
  }
}

TEST_CASE("cert and key, user and password go together") {
  const TemporaryFolder folder;
  folder.Write("c.pem", "-");
  folder.Write("password", "x");
  const std::string file = (folder.path() / "node.yaml").string();
  CHECK(Has(Node("mqtt: { brokers: ssl://b, tls: { cert: c.pem } }", file).errors,
            ErrorCode::kMissingSetting, 1, 32, "'key'"));
  CHECK(Has(Node("mqtt: { password_file: password }", file).errors, ErrorCode::kMissingSetting, 1,
            9, "'user'"));
}

TEST_CASE("pipeline files come from files, directories and globs, sorted, each once") {
  const TemporaryFolder folder;
  const std::string b = folder.Write("p/b.yaml", "");
  const std::string a = folder.Write("p/a.yaml", "");
  const std::string c = folder.Write("q/c.yaml", "");
  folder.Write("p/.hidden.yaml", "");
  folder.Write("p/notes.txt", "");
  folder.Write("p/dir.yaml/x.yaml", "");
  NodeSpec spec;
  const std::string base = folder.path().string();
  spec.pipelines = {base + "/p/", base + "/p/../p/a.yaml", base + "/?/c.yaml", base + "/none*",
                    base + "/[q]"};
  std::vector<std::string> files;
  ConfigErrors errors;
  REQUIRE_MESSAGE(ListPipelineFiles(spec, &files, &errors), AllErrors(errors));
  CHECK(files == std::vector<std::string>{a, b, c});
  spec.pipelines.push_back(base + "/missing");
  CHECK_FALSE(ListPipelineFiles(spec, &files, &errors));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code == ErrorCode::kFileNotReadable);
  CHECK(files.size() == 3);
}

}  // namespace
}  // namespace rivulet
