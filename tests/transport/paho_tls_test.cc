// TLS against a real mosquitto, with certificates made on the spot.
#include <doctest/doctest.h>

#include "tests/transport/link_recorder.h"

namespace rivulet {
namespace {

using testing::Connected;
using testing::Eventually;
using testing::LinkRecorder;
using testing::MosquittoFixture;
using testing::PublishSurely;
using testing::SinkOptions;
using testing::TemporaryDirectory;

constexpr int kVersions[] = {4, 5};

// A certificate authority in a directory, made with the openssl program.
class Authority {
 public:
  explicit Authority(const std::string& name) : name_(name) {
    Run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=" + name_ + " -keyout " +
        Path("ca.key") + " -out " + Path("ca.crt"));
  }
  // Makes <who>.key and <who>.crt; `san` is e.g. "DNS:localhost".
  void Issue(const std::string& who, const std::string& san) {
    std::ofstream(Path("ext")) << "subjectAltName=" << san << "\n";
    Run("openssl req -newkey rsa:2048 -nodes -subj /CN=" + who + " -keyout " + Path(who + ".key") +
        " -out " + Path(who + ".csr"));
    Run("openssl x509 -req -days 2 -in " + Path(who + ".csr") + " -CA " + Path("ca.crt") +
        " -CAkey " + Path("ca.key") + " -CAcreateserial -extfile " + Path("ext") + " -out " +
        Path(who + ".crt"));
  }
  std::string Path(const std::string& file) const { return directory_ / file; }

 private:
  void Run(const std::string& command) {
    const std::string quiet = command + " >" + Path("log") + " 2>&1";
    if (std::system(quiet.c_str()) != 0) throw std::runtime_error("failed: " + command);
  }
  TemporaryDirectory directory_;
  std::string name_;
};

MqttOptions TlsOptions(const std::string& uri, const std::string& ca, int version) {
  MqttOptions options = SinkOptions(uri, "tls", version);
  options.tls = MqttTls{};
  options.tls->ca_file = ca;
  return options;
}

// True when the link keeps failing with this in its last error.
bool NeverConnects(const MqttOptions& options, const std::string& words) {
  testing::KeepPahoAwake();
  auto link = NewPahoMqttLink(options);
  REQUIRE(link.ok());
  REQUIRE((*link)->Start().ok());
  const bool said = Eventually([&] {
    return (*link)->Stats().last_error.find(words) != std::string::npos;
  });
  return said && (*link)->Stats().connects == 0;
}

}  // namespace

TEST_CASE("TLS: the right authority and client certificate get in, others do not") {
  Authority authority("rivulet-test-ca");
  authority.Issue("broker", "DNS:localhost");
  authority.Issue("client", "DNS:client");
  Authority stranger("stranger");
  stranger.Issue("client", "DNS:client");
  MosquittoFixture broker({"cafile " + authority.Path("ca.crt"),
                           "certfile " + authority.Path("broker.crt"),
                           "keyfile " + authority.Path("broker.key"),
                           "require_certificate true"});
  for (const int version : kVersions) {
    CAPTURE(version);
    MqttOptions good = TlsOptions(broker.tls_uri(), authority.Path("ca.crt"), version);
    good.tls->cert_file = authority.Path("client.crt");
    good.tls->key_file = authority.Path("client.key");
    {
      LinkRecorder recorder;
      auto link = Connected(good, &recorder, {{"a", 1}});
      REQUIRE(testing::Subscribed(link.get(), recorder, "a"));
      // Refusing works through TLS too. (A clean session: the message itself is not kept.)
      recorder.RefuseNext(1);
      REQUIRE(link->Publish({"a", "x", 1, false, ""}, nullptr));
      REQUIRE(Eventually([&] { return link->Stats().connects >= 2; }));
      CHECK(recorder.refused().size() == 1);
    }
    MqttOptions wrong_ca = good;
    wrong_ca.tls->ca_file = stranger.Path("ca.crt");
    CHECK(NeverConnects(wrong_ca, "no TLS connection"));

    MqttOptions no_certificate = good;
    no_certificate.tls->cert_file.clear();
    no_certificate.tls->key_file.clear();
    CHECK(NeverConnects(no_certificate, "client certificate"));

    MqttOptions strange_certificate = good;
    strange_certificate.tls->cert_file = stranger.Path("client.crt");
    strange_certificate.tls->key_file = stranger.Path("client.key");
    CHECK(NeverConnects(strange_certificate, "client certificate"));

    MqttOptions missing = good;
    missing.tls->ca_file = "/nowhere/ca.crt";
    CHECK(NeverConnects(missing, "/nowhere/ca.crt"));
  }
}

TEST_CASE("TLS: a certificate for another host is refused unless that is switched off") {
  Authority authority("rivulet-test-ca");
  authority.Issue("broker", "DNS:elsewhere.example");
  MosquittoFixture broker({"cafile " + authority.Path("ca.crt"),
                           "certfile " + authority.Path("broker.crt"),
                           "keyfile " + authority.Path("broker.key")});
  MqttOptions options = TlsOptions(broker.tls_uri(), authority.Path("ca.crt"), 4);
  CHECK(NeverConnects(options, "names this host"));
  options.tls->verify_hostname = false;
  CHECK(Connected(options)->Stats().connected);
}

TEST_CASE("TLS: an address in the certificate counts as the host") {
  Authority authority("rivulet-test-ca");
  authority.Issue("broker", "IP:127.0.0.1");
  MosquittoFixture broker({"cafile " + authority.Path("ca.crt"),
                           "certfile " + authority.Path("broker.crt"),
                           "keyfile " + authority.Path("broker.key")});
  CHECK(Connected(TlsOptions(broker.tls_uri("127.0.0.1"), authority.Path("ca.crt"), 5))
            ->Stats()
            .connected);
}

}  // namespace rivulet
