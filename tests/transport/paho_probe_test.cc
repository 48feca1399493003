// Looking for what stands between this machine and a broker: peers that are none, and a broker.
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/transport/mosquitto_fixture.h"
#include "transport/broker_probe.h"

namespace rivulet {
namespace {

constexpr Duration kShort = Duration::Millis(300);

// Listens on a loopback port, and says the same to each who comes, who is then kept on the line.
class Stranger {
 public:
  explicit Stranger(std::string greeting, int guests) : greeting_(std::move(greeting)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, guests] {
      for (int k = 0; k < guests; ++k) {
        guests_.push_back(::accept(fd_, nullptr, nullptr));
        (void)::send(guests_.back(), greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
      }
    });
  }
  ~Stranger() {
    thread_.join();
    for (const int guest : guests_) ::close(guest);
    ::close(fd_);
  }
  uint16_t port() const { return port_; }

 private:
  const std::string greeting_;
  int fd_ = -1;
  uint16_t port_ = 0;
  std::vector<int> guests_;
  std::thread thread_;
};

BrokerAddress At(uint16_t port, bool tls) {
  BrokerAddress address;
  address.host = "127.0.0.1";
  address.port = port;
  address.tls = tls;
  return address;
}

MqttProbe ProbeAt(const std::string& uri) {
  MqttProbe probe;
  probe.broker = uri;
  probe.options.client_id = "probe";
  probe.options.persistent_session = false;
  probe.timeout = kShort;
  return probe;
}

}  // namespace

TEST_CASE("the way to a broker: names and ports that are none") {
  BrokerAddress address = At(1, false);
  address.host = "no-such-host.invalid";
  BrokerReach reach = ReachBroker(address, std::nullopt, kShort);
  CHECK(reach.stopped_at == BrokerReach::Step::kResolve);
  CHECK_FALSE(reach.error.empty());
  reach = ReachBroker(At(1, false), std::nullopt, kShort);
  CHECK(reach.stopped_at == BrokerReach::Step::kConnect);
  CHECK(reach.refused);
  CHECK(reach.address == "127.0.0.1:1");
}

TEST_CASE("the way to a broker: peers that speak no TLS, or nothing at all") {
  for (const char* greeting : {"", "HTTP/1.1 400 Bad Request\r\n\r\n", "\x16\x03\x01\xff\xff",
                               "\x15\x03\x03"}) {
    CAPTURE(greeting);
    const Stranger stranger(greeting, 1);
    const BrokerReach reach = ReachBroker(At(stranger.port(), true), std::nullopt, kShort);
    CHECK(reach.stopped_at == BrokerReach::Step::kTls);
    CHECK_FALSE(reach.error.empty());
    CHECK_FALSE(reach.valid_until.has_value());
  }
  const Stranger stranger("", 1);
  CHECK(ReachBroker(At(stranger.port(), false), std::nullopt, kShort).stopped_at ==
        BrokerReach::Step::kReached);
  MqttTls missing;
  missing.ca_file = "/no/such/ca.pem";
  const Stranger other("", 1);
  const BrokerReach reach = ReachBroker(At(other.port(), true), missing, kShort);
  CHECK(reach.error.find("/no/such/ca.pem") != std::string::npos);
}

TEST_CASE("certificates that are none") {
  CHECK(CertificateEnd("/no/such/file.pem").status().code() == ErrorCode::kFileNotReadable);
  CHECK(CertificateEnd("/dev/null").status().code() == ErrorCode::kFileNotReadable);
}

TEST_CASE("a peer that is no broker does not let the probe in") {
  for (const char* greeting : {"", "HTTP/1.1 400 Bad Request\r\n\r\n"}) {
    CAPTURE(greeting);
    const Stranger stranger(greeting, 1);
    const MqttProbeReport report =
        ProbeBroker(ProbeAt("tcp://127.0.0.1:" + std::to_string(stranger.port())));
    CHECK_FALSE(report.connected);
    CHECK_FALSE(report.error.empty());
  }
  CHECK_FALSE(ProbeBroker(ProbeAt("nonsense")).connected);
}

TEST_CASE("a broker tells what it grants, in either version") {
  testing::MosquittoFixture broker({"allow_anonymous true", "max_packet_size 5000"});
  for (const int version : {4, 5}) {
    CAPTURE(version);
    MqttProbe probe = ProbeAt(broker.uri());
    probe.timeout = Duration::Seconds(10);
    probe.options.version = version;
    probe.subscriptions = {{"a/+", 1, false}, {"b/#", 2, false}};
    probe.values = {"$SYS/broker/version", "no/such/topic"};
    if (version == 5) {
      MqttLink::Publication publication;
      publication.topic = "out";
      publication.qos = 1;
      probe.publications = {publication};
    }
    const MqttProbeReport report = ProbeBroker(probe);
    REQUIRE(report.connected);
    REQUIRE(report.subscriptions.size() == 2);
    CHECK(report.subscriptions[0].granted);
    CHECK(report.subscriptions[0].qos == 1);
    CHECK(report.subscriptions[1].qos == 2);
    CHECK(report.values.size() == 1);
    CHECK(report.values.begin()->second.starts_with("mosquitto version"));
    CHECK(report.maximum_packet_size.has_value() == (version == 5));
    if (version == 5) CHECK(report.publications.at(0).granted);
  }
}

}  // namespace rivulet
