// The way to the brokers: name, connection, TLS, login. Each step that can fail has its own remedy.
#include "node/doctor/checks.h"
#include "operators/decode/decoder.h"

namespace rivulet {
namespace {

constexpr Duration kRenewWithin = Duration::Seconds(14 * 24 * 3600);

struct Trouble {
  std::string found, expected, advice;
};

std::string DateOf(EventTime t) { return FormatIso8601(t.us / 1'000'000 * 1'000'000); }

Trouble ConnectTrouble(const BrokerVisit& visit) {
  if (visit.reach.refused) {
    return {visit.uri + ": nothing listens on " + visit.reach.address, "a broker",
            "is it running ('systemctl status mosquitto'), and is it this port? Without a 'listener' "
            "in its configuration mosquitto 2 answers on its own machine only"};
  }
  return {visit.uri + ": no connection to " + visit.reach.address + ": " + visit.reach.error,
          "a machine that answers",
          "check network and address ('ping " + visit.address.host + "'), and firewalls on the way"};
}

Trouble TlsTrouble(const BrokerVisit& visit, EventTime now) {
  const BrokerReach& reach = visit.reach;
  Trouble trouble{visit.uri + ": no TLS: " + reach.error, "a TLS connection to a broker that is trusted",
                  "check that the port is the broker's TLS port, and 'mqtt.tls' of the node file"};
  if (!reach.certificate.empty()) trouble.found += " (certificate " + reach.certificate + ")";
  if (reach.valid_until && *reach.valid_until < now) {
    trouble.found = visit.uri + ": the broker's certificate expired on " + DateOf(*reach.valid_until);
    trouble.expected = "a certificate that is valid";
    trouble.advice = "renew it on the broker; if it should be valid, this machine's clock is wrong";
  } else if (reach.error.find("not yet valid") != std::string::npos) {
    trouble.advice = "this machine's clock, or that of who made the certificate, is wrong";
  } else if (reach.error.find("ostname mismatch") != std::string::npos ||
             reach.error.find("address mismatch") != std::string::npos) {
    trouble.advice = "use the name in the broker's certificate in 'mqtt.brokers', or have one made for '" +
                     visit.address.host + "'";
  } else if (reach.error.find("self-signed") != std::string::npos ||
             reach.error.find("issuer") != std::string::npos ||
             reach.error.find("first certificate") != std::string::npos) {
    trouble.advice = "set 'mqtt.tls.ca' to the certificate that signed the broker's";
  } else if (reach.error.find("alert") != std::string::npos) {
    trouble.advice = "the broker asks for a client certificate that it knows: set 'mqtt.tls.cert' and "
                     "'mqtt.tls.key'";
  }
  return trouble;
}

Trouble LoginTrouble(const BrokerVisit& visit, const MqttOptions& mqtt) {
  const int code = visit.session.refusal;
  const bool login = code == 4 || code == 5 || code == 134 || code == 135;
  if (login && mqtt.user.empty()) {
    return {visit.uri + ": the broker asks for a user: " + visit.session.error, "to be let in",
            "set 'mqtt.user' and 'mqtt.password_file', or 'allow_anonymous true' for this listener"};
  }
  if (login) {
    return {visit.uri + ": user '" + mqtt.user + "' is not let in: " + visit.session.error,
            "a user name and password that the broker knows",
            "correct 'mqtt.user' and the file of 'mqtt.password_file', or 'mosquitto_passwd' on the "
            "broker and 'systemctl reload mosquitto'"};
  }
  return {visit.uri + ": connected, but not let in: " + visit.session.error,
          "an MQTT broker that lets the node in",
          code > 0 ? "see the broker's log" : "check that the port is the broker's MQTT port (8883 is "
                                              "usually TLS, 9001 WebSockets)"};
}

void CheckExpiry(const Host& host, const std::string& what, std::optional<EventTime> end,
                 Findings* findings) {
  const EventTime now = host.Wall();
  if (!end) return;
  if (*end < now) {
    findings->Fail(what + " expired on " + DateOf(*end), "a certificate that is valid", "renew it");
  } else if (end->us - now.us < kRenewWithin.us) {
    findings->Warn(what + " expires on " + DateOf(*end), "valid for two more weeks", "renew it");
  }
}

void CheckOwnCertificates(const Host& host, const NodeSpec& node, Findings* findings) {
  if (!node.mqtt.tls) return;
  for (const std::string& file : {node.mqtt.tls->ca_file, node.mqtt.tls->cert_file}) {
    if (file.empty()) continue;
    const Result<EventTime> end = host.CertificateEnd(file);
    if (end.ok()) {
      CheckExpiry(host, "the certificate in " + file, *end, findings);
    } else {
      findings->Fail(end.status().message(), "a PEM certificate", "correct 'mqtt.tls' of the node file");
    }
  }
}

std::optional<Trouble> TroubleOf(const BrokerVisit& visit, const NodeSpec& node, EventTime now) {
  switch (visit.reach.stopped_at) {
    case BrokerReach::Step::kResolve:
      return Trouble{visit.uri + ": the name '" + visit.address.host +
                         "' is not known: " + visit.reach.error,
                     "a name that DNS or /etc/hosts knows",
                     "check its spelling ('getent hosts " + visit.address.host +
                         "'); names in .local need libnss-mdns; a broker on this machine is localhost"};
    case BrokerReach::Step::kConnect:
      return ConnectTrouble(visit);
    case BrokerReach::Step::kTls:
      return TlsTrouble(visit, now);
    case BrokerReach::Step::kReached:
      break;
  }
  if (!visit.session.connected) return LoginTrouble(visit, node.mqtt);
  return std::nullopt;
}

}  // namespace

void CheckBroker(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  const NodeSpec& node = *subject->node;
  const bool welcome = Welcoming(subject) != nullptr;
  for (const BrokerVisit& visit : Visits(subject)) {
    const std::optional<Trouble> trouble = TroubleOf(visit, node, host.Wall());
    if (!trouble) {
      findings->Ok(visit.uri + " (" + visit.reach.address + ") lets the node in, MQTT " +
                   (node.mqtt.version >= 5 ? "5" : "3.1.1"));
      CheckExpiry(host, visit.uri + ": the broker's certificate", visit.reach.valid_until, findings);
    } else if (subject->secrets.withheld && visit.reach.stopped_at == BrokerReach::Step::kReached) {
      findings->Skip(visit.uri + " (" + visit.reach.address +
                     ") answers; whether it lets the node in cannot be tried without the service's "
                     "credentials: run 'sudo rivulet doctor' while the service runs");
    } else if (welcome) {
      findings->Warn(trouble->found, trouble->expected, trouble->advice);
    } else {
      findings->Fail(trouble->found, trouble->expected, trouble->advice);
    }
  }
  CheckOwnCertificates(host, node, findings);
}

}  // namespace rivulet
