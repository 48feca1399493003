// Limits of a mosquitto on this machine beyond which it drops messages, from its configuration.
#include "base/units.h"
#include "node/doctor/checks.h"
#include "node/doctor/mosquitto_config.h"

namespace rivulet {
namespace {

// A setting that counts, with mosquitto's default and what the node would like.
struct Limit {
  std::string_view name;
  int64_t otherwise;     // mosquitto.conf(5), 2.0
  int64_t least;
  bool zero_is_none;     // 0: no limit
  std::string_view harm;
  std::string_view advice;
};

constexpr Limit kLimits[] = {
    {"max_queued_messages", 1000, 10'000, true,
     "beyond it messages for a node that is away or behind are dropped",
     "readings a second times the longest time away, as in 1000000"},
    {"max_queued_bytes", 0, 16 << 20, true,
     "beyond it messages for a node that is away or behind are dropped", "268435456, or 0"},
    {"max_inflight_messages", 20, 100, true, "the broker waits for the node after each so many", "1000"},
    {"max_inflight_bytes", 0, 1 << 20, true, "the broker waits for the node after each so many", "0"},
    {"message_size_limit", 0, 64 << 10, true, "longer messages are dropped", "0, or the longest payload"},
    {"max_packet_size", 0, 64 << 10, true, "longer messages are refused", "the longest payload and more"},
};

constexpr int64_t kAutosave = 1800, kLongAutosave = 300;

void CheckLimit(const MosquittoConfig& config, const Limit& limit, const std::string& where,
                Findings* findings) {
  const std::string* given = config.Find(limit.name);
  const int64_t value = given == nullptr ? limit.otherwise
                                         : LeadingNumberOf(*given).value_or(limit.otherwise);
  if ((value == 0 && limit.zero_is_none) || value >= limit.least) return;
  findings->Warn(std::string(limit.name) + " is " + std::to_string(value) +
                     (given == nullptr ? ", the default" : "") + ": " + std::string(limit.harm),
                 std::to_string(limit.least) + " or more" + (limit.zero_is_none ? ", or 0" : ""),
                 "'" + std::string(limit.name) + "' in " + where + ": " + std::string(limit.advice));
}

void CheckPersistence(const MosquittoConfig& config, const std::string& where, Findings* findings) {
  const std::string* persistence = config.Find("persistence");
  if (persistence == nullptr || *persistence != "true") {
    findings->Warn("persistence is off: a restart of the broker forgets sessions and what it holds for "
                   "the node",
                   "'persistence true'", "'persistence true' and 'persistence_location' in " + where);
    return;
  }
  const std::string* given = config.Find("autosave_interval");
  const int64_t interval = given == nullptr ? kAutosave : LeadingNumberOf(*given).value_or(kAutosave);
  if (interval != 0 && interval <= kLongAutosave) return;
  findings->Warn("autosave_interval is " + std::to_string(interval) +
                     (interval == 0 ? ": the broker saves at a clean stop only"
                                    : " s" + std::string(given == nullptr ? ", the default" : "")),
                 std::to_string(kLongAutosave) + " s or less: a power cut of the broker loses what came "
                 "since", "'autosave_interval 60' in " + where);
}

// "14d" and the like: hours, days, weeks, months, years.
void CheckExpiration(const MosquittoConfig& config, const std::string& where, Findings* findings) {
  const std::string* given = config.Find("persistent_client_expiration");
  if (given == nullptr || !given->ends_with('h')) return;
  const int64_t hours = LeadingNumberOf(*given).value_or(24);
  if (hours >= 24) return;
  findings->Warn("persistent_client_expiration is " + *given +
                     ": a node that is away for longer loses its session",
                 "a day or more", "'persistent_client_expiration 14d' in " + where);
}

}  // namespace

void CheckMosquitto(Subject* subject, Findings* findings) {
  const BrokerVisit* visit = Welcoming(subject);
  // A broker that does not let the node in may still be read about.
  if (visit == nullptr && !Visits(subject).empty()) visit = &Visits(subject).front();
  const auto config = visit == nullptr ? std::nullopt : FindMosquitto(*subject->host, *visit);
  if (!config) {
    findings->Skip("no configuration that can be read of a mosquitto on this machine where the node's "
                   "broker is");
    return;
  }
  const std::string where = config->file.empty()                                 ? "its configuration"
                            : config->file == "/etc/mosquitto/mosquitto.conf" ? "/etc/mosquitto/conf.d/"
                                                                                "rivulet.conf"
                                                                              : config->file;
  if (!config->unreadable.empty()) {
    findings->Skip(config->unreadable + " cannot be read; run 'sudo rivulet doctor'");
  }
  for (const Limit& limit : kLimits) CheckLimit(*config, limit, where, findings);
  CheckPersistence(*config, where, findings);
  CheckExpiration(*config, where, findings);
  if (subject->node->mqtt_qos == 0) {
    const std::string* queues = config->Find("queue_qos0_messages");
    if (queues == nullptr || *queues != "true") {
      findings->Warn("the node subscribes with QoS 0: the broker keeps nothing while it is away",
                     "'mqtt.qos: 1'", "'mqtt.qos: 1' in the node file, and senders with QoS 1");
    }
  }
  if (findings->clean()) {
    findings->Ok((config->file.empty() ? "its defaults" : config->file) + " holds enough for the node");
  }
}

}  // namespace rivulet
