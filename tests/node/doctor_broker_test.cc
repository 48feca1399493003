// Checks of `rivulet doctor` that are about brokers, with recorded answers.
#include "node/doctor/mosquitto_acl.h"
#include "node/doctor/mosquitto_config.h"
#include "tests/node/doctor_fixture.h"

namespace rivulet::doctor_test {

using Step = BrokerReach::Step;

TEST_CASE("doctor broker: each step on the way has its own words") {
  RecordedHost host;
  CHECK(Has(Say(host, "broker"),
      "ok: tcp://localhost:1883 (127.0.0.1:1883) lets the node in, MQTT 3.1.1"));
  host.reach = {Step::kResolve, "Name or service not known", false, "", "", std::nullopt};
  CHECK(Has(Say(host, "broker"),
      "failed: tcp://localhost:1883: the name 'localhost' is not known"));
  host.reach = {Step::kConnect, "Connection refused", true, "127.0.0.1:1883", "", std::nullopt};
  CHECK(Has(Say(host, "broker"), "nothing listens on 127.0.0.1:1883"));
  host.reach = {Step::kConnect, "Connection timed out", false, "10.0.0.9:1883", "", std::nullopt};
  CHECK(Has(Say(host, "broker"), "no connection to 10.0.0.9:1883: Connection timed out"));
  CHECK(host.probes.size() == 2);  // of the first; nobody is asked who cannot be reached
  CHECK(Has(Say(host, "access"), "skipped: no broker lets the node in"));
  CHECK(Has(Say(host, "broker-limits"), "skipped: no broker lets the node in"));
}

TEST_CASE("doctor broker: TLS") {
  RecordedHost host;
  const std::string yaml = "mqtt: { brokers: [ssl://b:8883] }\n";
  const auto advice = [&](const std::string& error, std::optional<EventTime> end = std::nullopt) {
    host.reach = {Step::kTls, error, false, "10.0.0.9:8883", end ? "/CN=b" : "", end};
    Subject subject = SubjectOf(host, yaml);
    const auto findings = Examine(&subject, {"broker"});
    CHECK(findings[0].verdict == Verdict::kFailed);
    return findings[0].found + " | " + findings[0].advice;
  };
  const EventTime good{host.now.us + 10'000'000};
  CHECK(Has(advice("certificate has expired", EventTime{1'700'000'000'000'000}),
      "expired on 2023-11-14"));
  CHECK(Has(advice("certificate is not yet valid", good), "clock"));
  CHECK(Has(advice("hostname mismatch", good), "the name in the broker's certificate"));
  CHECK(Has(advice("IP address mismatch", good), "the name in the broker's certificate"));
  CHECK(Has(advice("self-signed certificate in certificate chain", good), "'mqtt.tls.ca'"));
  CHECK(Has(advice("unable to get local issuer certificate", good), "'mqtt.tls.ca'"));
  CHECK(Has(advice("tlsv13 alert certificate required", good), "client certificate"));
  CHECK(Has(advice("wrong version number"), "TLS port"));
  host.reach = {Step::kReached, "", false, "10.0.0.9:8883", "/CN=b",
      EventTime{host.now.us + 86'400'000'000}};
  CHECK(Has(Say(host, "broker", yaml),
      "warning: ssl://b:8883: the broker's certificate expires on"));

  Subject subject = SubjectOf(host, yaml);
  subject.node->mqtt.tls = MqttTls{"/ca.pem", "/me.pem", "/key.pem", true};
  host.reach.valid_until.reset();
  host.certificate_end = {host.now.us - 1};
  CHECK(Has(Say(subject, "broker"), "failed: the certificate in /me.pem expired on"));
}

TEST_CASE("doctor broker: login, and a second way to the broker") {
  RecordedHost host;
  host.session.connected = false;
  host.session.refusal = 5;
  host.session.error = "not authorised";
  CHECK(Has(Say(host, "broker"), "failed: tcp://localhost:1883: the broker asks for a user"));
  Subject subject = SubjectOf(host);
  subject.node->mqtt.user = "pi";
  CHECK(Has(Say(subject, "broker"), "failed: tcp://localhost:1883: user 'pi' is not let in"));
  subject = SubjectOf(host);
  subject.secrets.withheld = true;
  CHECK(Has(Say(subject, "broker"), "skipped: tcp://localhost:1883 (127.0.0.1:1883) answers; whether"));
  host.session.refusal = 0;
  host.session.error = "no answer within 5 s";
  CHECK(Has(Say(host, "broker"), "connected, but not let in: no answer within 5 s"));

  // What one broker misses is a warning when another one lets the node in.
  host.session.connected = true;
  subject = SubjectOf(host, "mqtt: { brokers: [tcp://a, tcp://b:1884] }\n");
  Visits(&subject);
  (*subject.visits)[0].reach.stopped_at = Step::kResolve;
  (*subject.visits)[0].session.connected = false;
  const std::string said = Say(subject, "broker");
  CHECK(Has(said, "warning: tcp://a:1883: the name 'a' is not known"));
  CHECK(Has(said, "ok: tcp://b:1884"));
}

TEST_CASE("doctor leaves the node's session alone") {
  const RecordedHost host;
  Subject subject = SubjectOf(host, "mqtt: { qos: 2 }\n");
  Visits(&subject);
  Visits(&subject);
  REQUIRE(host.probes.size() == 2);
  for (const MqttProbe& probe : host.probes) {
    CHECK(probe.options.client_id == "rivulet-pi-1-doctor");
    CHECK_FALSE(probe.options.persistent_session);
    CHECK_FALSE(probe.options.will.has_value());
    CHECK(probe.publications.empty());  // not asked for
  }
  CHECK(host.probes[0].options.version == 4);
  CHECK(host.probes[0].subscriptions ==
        std::vector<MqttSubscription>{{"vehicles/+/speed", 2, false}});
  // A session that stays has nothing that would fill it.
  CHECK(host.probes[1].ask_for_session);
  CHECK(host.probes[1].subscriptions.empty());
}

TEST_CASE("doctor access: what the broker says") {
  RecordedHost host;
  CHECK(Has(Say(host, "access"),
      "ok: 1 topic filters can be subscribed to; publishing was not tried"));
  Subject subject = SubjectOf(host);
  subject.try_publish = true;
  CHECK(Has(Say(subject, "access"), "; 1 output topics can be written"));
  host.refused = {"vehicles/+/speed", "averages/rivulet-doctor"};
  subject = SubjectOf(host);
  subject.try_publish = true;
  const std::string said = Say(subject, "access");
  CHECK(Has(said,
      "failed: the broker refuses the subscription to 'vehicles/+/speed': not authorised"));
  CHECK(Has(said,
      "failed: the broker refuses a message to 'averages/rivulet-doctor': not authorised"));
  host.refused.clear();
  subject = SubjectOf(host, "mqtt: { qos: 2 }\n");
  Visits(&subject);
  (*subject.visits)[0].session.subscriptions[0].qos = 0;
  CHECK(Has(Say(subject, "access"), "warning: the broker grants QoS 0 for 'vehicles/+/speed'"));
}

TEST_CASE("doctor access: mosquitto's list, which its answers do not show") {
  RecordedHost host;
  host.files["/etc/mosquitto/mosquitto.conf"] =
      "listener 1883\nacl_file /etc/mosquitto/acl\npersistence true\n";
  CHECK(Has(Say(host, "access"), "skipped: mosquitto's '/etc/mosquitto/acl'"));
  auto& acl = host.files["/etc/mosquitto/acl"];
  acl = "topic read vehicles/#\ntopic averages/+\ntopic write rivulet/pi-1/status\n";
  CHECK(Has(Say(host, "access"), "as /etc/mosquitto/acl says too"));
  acl = "user other\ntopic #\n";
  CHECK(Has(Say(host, "access"),
      "failed: /etc/mosquitto/acl does not let a client without a name read 'vehicles/+/speed'"));
  acl = "topic vehicles/v1/speed\npattern write averages/+\npattern write rivulet/pi-1/#\n";
  CHECK(Say(host, "access") ==
      "warning: /etc/mosquitto/acl lets a client without a name read only part of "
                               "'vehicles/+/speed': the rest is dropped without a word\n");
}

TEST_CASE("doctor: what access lists allow") {
  using Right = MosquittoAcl::Right;
  const MosquittoAcl acl(
      "# all\n\ntopic read open/#\nuser a b\ntopic readwrite x/+/y\ntopic deny x/secret/y\n  "
      "topic  write  z w \n"
      "pattern read to/%u/%c\nuser pi\ntopic read p/#\ntopic deny p/1/#\nnonsense\ntopic\n");
  CHECK(acl.Reads("", "id", "open/a/b") == Right::kWhole);
  CHECK(acl.Reads("pi", "id", "open/a") == Right::kNone);
  CHECK(acl.Reads("a b", "id", "x/1/y") == Right::kWhole);
  CHECK(acl.Reads("a b", "id", "x/secret/y") == Right::kNone);
  CHECK(acl.Reads("a b", "id", "x/+/y") == Right::kPartly);
  CHECK(acl.Writes("a b", "id", "z w") == Right::kWhole);
  CHECK(acl.Reads("a b", "id", "z w") == Right::kNone);
  CHECK(acl.Reads("pi", "id", "to/pi/id") == Right::kWhole);
  CHECK(acl.Reads("pi", "id", "to/pi/other") == Right::kNone);
  CHECK(acl.Reads("", "id", "to//id") == Right::kNone);
  CHECK(acl.Reads("pi", "id", "p/#") == Right::kPartly);
}

TEST_CASE("doctor broker-limits") {
  RecordedHost host;
  CHECK(Has(Say(host, "broker-limits"),
      "ok: tcp://localhost:1883: takes 65535 publishes at a time; it does not tell"));
  host.session.values = {{"$SYS/broker/version", "mosquitto version 2.0.11"},
                         {"$SYS/broker/publish/messages/dropped", "0"}};
  host.version5.receive_maximum = 100;
  CHECK(Say(host, "broker-limits") ==
        "ok: mosquitto version 2.0.11: takes 100 publishes at a time; it has dropped no "
        "messages\n");
  host.session.values["$SYS/broker/publish/messages/dropped"] = "1234";
  host.version5.receive_maximum = 20;
  host.version5.maximum_qos = 0;
  host.version5.maximum_packet_size = 1024;
  host.version5.session_expiry_s = 3600;
  host.version5.retain_available = false;
  const std::string said = Say(host, "broker-limits");
  CHECK(Has(said, "warning: the broker has dropped 1234 messages since its start"));
  CHECK(Has(said, "warning: the broker takes 20 unacknowledged publishes at a time"));
  CHECK(Has(said, "failed: the broker offers QoS 0 at most"));
  CHECK(Has(said, "warning: the broker takes packets up to 1 KB"));
  CHECK(Has(said, "warning: the broker forgets a session after 1h"));
  CHECK(Has(said, "failed: the broker keeps no retained messages"));
  host = RecordedHost();
  host.version5.connected = false;
  host.version5.error = "broker does not speak this MQTT version";
  CHECK(Has(Say(host, "broker-limits"),
      "skipped: tcp://localhost:1883 does not let one in with MQTT 5"));
}

TEST_CASE("doctor mosquitto: limits that drop messages") {
  RecordedHost host;
  CHECK(Has(Say(host, "mosquitto"), "skipped: no configuration"));
  auto& file = host.files["/etc/mosquitto/mosquitto.conf"];
  file = "pid_file /run/mosquitto/mosquitto.pid\n\npersistence true\npersistence_location "
         "/var/lib/mosquitto/\n"
         "log_dest file /var/log/mosquitto/mosquitto.log\n\ninclude_dir /etc/mosquitto/conf.d\n";
  host.files["/etc/mosquitto/conf.d/README"] = "max_queued_messages 1\n";
  const std::string debian = Say(host, "mosquitto");
  CHECK(Has(debian, "warning: max_queued_messages is 1000, the default"));
  CHECK(Has(debian, "warning: max_inflight_messages is 20, the default"));
  CHECK(Has(debian, "warning: autosave_interval is 1800 s, the default"));
  auto& ours = host.files["/etc/mosquitto/conf.d/rivulet.conf"];
  ours = "max_queued_messages 1000000\r\n# comment\n  "
         "max_inflight_messages\t1000\nautosave_interval 60\n";
  CHECK(Has(Say(host, "mosquitto"), "ok: /etc/mosquitto/mosquitto.conf holds enough"));
  CHECK(Has(Say(host, "mosquitto", "mqtt: { qos: 0 }\n"),
      "warning: the node subscribes with QoS 0"));
  ours += "max_queued_bytes 1000\nmessage_size_limit 100\npersistent_client_expiration "
          "2h\nmax_packet_size 512\n";
  const std::string said = Say(host, "mosquitto");
  CHECK(Has(said, "warning: max_queued_bytes is 1000:"));
  CHECK(Has(said, "warning: message_size_limit is 100:"));
  CHECK(Has(said, "warning: max_packet_size is 512:"));
  CHECK(Has(said, "warning: persistent_client_expiration is 2h"));
  file = "";
  CHECK(Has(Say(host, "mosquitto"), "warning: persistence is off"));
  host.reach.address = "192.168.1.7:1883";
  CHECK(Has(Say(host, "mosquitto"), "skipped: no configuration"));
}

TEST_CASE("doctor mosquitto: which one it is") {
  RecordedHost host;
  host.files["/proc/700/cmdline"] = std::string("/usr/sbin/mosquitto\0-c\0/srv/b.conf\0", 35);
  host.files["/srv/b.conf"] = "per_listener_settings true\nlistener 1884\nacl_file "
                              "/one\nlistener 1885\nacl_file /two\n";
  BrokerVisit visit;
  visit.reach.address = "127.0.0.1:1885";
  visit.address.port = 1885;
  const auto config = FindMosquitto(host, visit);
  REQUIRE(config.has_value());
  CHECK(config->file == "/srv/b.conf");
  CHECK(*config->FindOf(1885, "acl_file") == "/two");
  CHECK(*config->FindOf(1884, "acl_file") == "/one");
  CHECK(config->FindOf(1886, "acl_file") == nullptr);
  visit.address.port = 1883;
  CHECK_FALSE(FindMosquitto(host, visit).has_value());
  host.files["/proc/700/cmdline"] = std::string("mosquitto\0", 10);
  CHECK(FindMosquitto(host, visit)->file.empty());
  host.files["/etc/self.conf"] = "include_dir /etc\n";  // includes itself: an end is found
  CHECK(ReadMosquittoConfig(host, "/etc/self.conf").lines.empty());
}

}  // namespace rivulet::doctor_test
