// `rivulet generate`: made-up telemetry into a file or to a broker.
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>
#include <string_view>

#include "node/commands/cli.h"
#include "node/generate/live_publisher.h"
#include "node/generate/reading_stream.h"
#include "node/sinks/line_writer.h"

namespace rivulet {

namespace {

constexpr char kAbout[] =
    "Makes up telemetry that wanders smoothly and writes it to a file, one JSON object a line, or\n"
    "publishes it in real time. The same options and seed give the same file on every machine.\n"
    "\n"
    "  fleet        {\"vehicle\":\"v0042\",\"ts\":1700000000123,\"speed\":63.2,\"rpm\":2150,\n"
    "                \"coolant\":88.5,\"oil_pressure\":310,\"battery\":13.9,\"fuel\":0.62}\n"
    "  temperature  {\"sensor\":\"s017\",\"ts\":1700000000123,\"fahrenheit\":71.42}";

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// The command line as written, before it is checked.
struct GenerateFlags {
  std::vector<std::string> kind;
  uint64_t vehicles = 10, seed = 1;
  double rate = 100, seconds = 60, late_share = 0, out_of_reach = 0;
  uint64_t count = 0, start = 0, disorder = 0, qos = 1;
  bool position = false;
  std::string output, broker, topic, user, password_file, ca_file;
  std::string outage_seconds = "300-1800";
};

void Declare(CommandLine* line, GenerateFlags* flags) {
  line->Operands("the kind, fleet or temperature,", &flags->kind, 1, 1);
  line->Text("output,o", "FILE", &flags->output, "write to this file; - is standard output");
  line->Text("mqtt", "URL", &flags->broker,
             "publish to this broker, as in tcp://localhost:1883, until interrupted or the end");
  line->Text("topic", "TEMPLATE", &flags->topic,
             "topic with {field} parts "
             "[vehicles/{vehicle}/telemetry, sensors/{sensor}/temperature]");
  line->Count("qos", "0|1|2", &flags->qos, "quality of service");
  line->Text("user", "NAME", &flags->user, "user name for the broker");
  line->Text("password-file", "FILE", &flags->password_file,
             "file whose first line is the password");
  line->Text("ca-file", "FILE", &flags->ca_file, "certificates to trust, for ssl:// brokers");
  line->Count("vehicles,n", "N", &flags->vehicles, "how many vehicles or sensors take turns");
  line->Number("rate,r", "R", &flags->rate,
               "readings a second, all vehicles together; 0 with --mqtt: as fast as acknowledged");
  line->Number("seconds,s", "S", &flags->seconds,
               "how much event time to cover (with --mqtt: until interrupted unless given)");
  line->Count("count", "N", &flags->count, "how many readings to make, instead of --seconds");
  line->Count("seed", "N", &flags->seed, "another seed, other values");
  line->Count("start", "MS", &flags->start,
              "event time of the first reading, ms since 1970 [file: 1700000000000, --mqtt: now]");
  line->Count("disorder", "MS", &flags->disorder,
              "readings arrive up to this much after their time");
  line->Number("late-share", "P", &flags->late_share,
               "this share (0 to 1) arrives 1 to 10 minutes late; with --mqtt at the latest at the "
               "end");
  line->Number("out-of-reach", "P", &flags->out_of_reach,
               "this share (0 to 1) of the vehicles is out of reach now and then, and sends what it "
               "read meanwhile afterwards, in order");
  line->Text("out-of-reach-seconds", "MIN-MAX", &flags->outage_seconds,
             "for so long at a time, and as long in reach in between");
  line->Flag("position", &flags->position, "add lat and lon to fleet readings");
  line->Example(
      "rivulet generate fleet --vehicles 50 --rate 1000 --seconds 600 --output fleet.jsonl");
  line->Example("rivulet generate temperature --rate 20 --mqtt tcp://localhost:1883");
}

// "300-1800", or one number for both.
bool ParseOutage(std::string_view text, Duration* shortest, Duration* longest) {
  const size_t dash = text.find('-');
  const std::string_view parts[] = {text.substr(0, dash),
                                    dash == std::string_view::npos ? text : text.substr(dash + 1)};
  int64_t seconds[2];
  for (size_t i = 0; i < 2; ++i) {
    const char* end = parts[i].data() + parts[i].size();
    const auto [stop, error] = std::from_chars(parts[i].data(), end, seconds[i]);
    if (error != std::errc() || stop != end || seconds[i] < 0 || seconds[i] > 1'000'000) return false;
  }
  *shortest = Duration::Seconds(seconds[0]);
  *longest = Duration::Seconds(seconds[1]);
  return true;
}

// "" or what is wrong.
std::string Complaint(const GenerateFlags& f, const CommandLine& line) {
  if (f.kind[0] != "fleet" && f.kind[0] != "temperature") {
    return "unknown kind '" + f.kind[0] + "'; expected fleet or temperature";
  }
  if (f.output.empty() == f.broker.empty()) return "give one of --output and --mqtt";
  if (line.Given("seconds") && line.Given("count")) return "give --seconds or --count, not both";
  if (f.rate < 0 || f.rate > 1e9) return "--rate must lie between 0 and 1e9";
  if (f.rate > 0 && f.rate < 0.001) return "--rate must be at least 0.001";
  if (f.rate == 0 && f.broker.empty()) return "--rate 0 (as fast as acknowledged) needs --mqtt";
  if (f.rate == 0 && line.Given("seconds")) return "--rate 0 has no --seconds; give --count";
  if (f.rate == 0 && (f.disorder != 0 || f.late_share != 0 || f.out_of_reach != 0)) {
    return "--rate 0 (as fast as acknowledged) has no --disorder, --late-share or --out-of-reach";
  }
  Duration shortest, longest;
  if (!ParseOutage(f.outage_seconds, &shortest, &longest)) {
    return "--out-of-reach-seconds is '" + f.outage_seconds + "'; expected two numbers, as in 300-1800";
  }
  if (f.seconds < 0 || f.seconds > 1e9) return "--seconds must lie between 0 and 1e9";
  if (f.vehicles == 0 || f.vehicles > 1'000'000) return "--vehicles must lie between 1 and 1000000";
  if (f.qos > 2) return "--qos must be 0, 1 or 2";
  if (f.start > 1ull << 50 || f.disorder > 1ull << 50) return "--start or --disorder is too large";
  return "";
}

ReadingStreamOptions StreamOptions(const GenerateFlags& f, const CommandLine& line) {
  ReadingStreamOptions o;
  o.fleet.kind = f.kind[0] == "fleet" ? ReadingKind::kFleet : ReadingKind::kTemperature;
  o.fleet.vehicles = static_cast<uint32_t>(f.vehicles);
  o.fleet.seed = f.seed;
  o.fleet.position = f.position;
  o.rate_milli = f.rate > 0 ? static_cast<uint64_t>(std::llround(f.rate * 1000)) : 1'000'000;
  if (line.Given("start")) o.start.us = static_cast<int64_t>(f.start) * 1000;
  const bool endless = !f.broker.empty() && !line.Given("seconds");
  if (line.Given("count")) {
    o.count = f.count;
  } else {
    o.count = endless ? kUnlimited
                      : static_cast<uint64_t>(std::llround(f.seconds * f.rate));
  }
  o.disorder = Duration::Millis(static_cast<int64_t>(f.disorder));
  o.late_share = f.late_share;
  o.out_of_reach = f.out_of_reach;
  ParseOutage(f.outage_seconds, &o.shortest_outage, &o.longest_outage);
  return o;
}

void Summarise(const char* verb, uint64_t readings, Duration elapsed, const std::string& more) {
  const double seconds = static_cast<double>(elapsed.us) / 1e6;
  const double rate = seconds > 0 ? static_cast<double>(readings) / seconds : 0;
  std::fprintf(stderr, "%s %s readings in %.1f s (%s/s)%s\n", verb, FormatGrouped(readings).c_str(),
               seconds, FormatCount(rate).c_str(), more.c_str());
}

Status WriteReadings(const ReadingStreamOptions& options, LineWriter* writer, uint64_t* written) {
  constexpr uint64_t kLook = 4096;  // readings between looks at the clock and for Ctrl-C
  ReadingStream stream(options);
  Progress progress("readings", options.count);
  ReadingStream::Reading reading;
  while (stream.Next(&reading)) {
    RIVULET_RETURN_IF_ERROR(writer->Append(reading.json));
    if (++*written % kLook != 0) continue;
    if (Interrupted()) break;
    progress.Update(*written);
  }
  return writer->Flush();
}

int GenerateFile(const GenerateFlags& flags, const ReadingStreamOptions& options) {
  LineWriter writer(256 << 10);
  if (flags.output == "-") {
    writer.UseStandardOutput();
  } else {
    Status status = writer.OpenEmpty(flags.output);
    if (!status.ok()) return Report("generate", status);
  }
  const Monotonic started = MonotonicNow();
  uint64_t written = 0;
  const Status status = WriteReadings(options, &writer, &written);
  if (!status.ok()) return Report("generate", status);
  Summarise("wrote", written, MonotonicNow() - started, "");
  return Interrupted() && written != options.count ? kExitInterrupted : kExitOk;
}

// "localhost", "mqtt://host" and "mqtts://host:8883" in the form the link expects.
std::string BrokerUrl(std::string url) {
  if (url.starts_with("mqtt://")) url.replace(0, 4, "tcp");
  if (url.starts_with("mqtts://")) url.replace(0, 5, "ssl");
  if (url.find("://") == std::string::npos) url.insert(0, "tcp://");
  const size_t host = url.find("://") + 3;
  const size_t bracket = url.find(']', host);
  const size_t colon = url.find(':', bracket == std::string::npos ? host : bracket);
  if (colon == std::string::npos) url += url.starts_with("ssl://") ? ":8883" : ":1883";
  return url;
}

Result<std::unique_ptr<MqttLink>> StartLink(const GenerateFlags& flags) {
  MqttOptions options;
  options.brokers = {BrokerUrl(flags.broker)};
  options.client_id = "rivulet-generate-" + std::to_string(getpid());
  options.persistent_session = false;
  options.max_inflight = 1000;
  options.user = flags.user;
  if (!flags.ca_file.empty()) {
    options.tls.emplace();
    options.tls->ca_file = flags.ca_file;
  }
  if (!flags.password_file.empty()) {
    std::ifstream file(flags.password_file);
    if (!std::getline(file, options.password)) {
      return {ErrorCode::kSecretNotReadable, "no password in '" + flags.password_file + "'"};
    }
  }
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<MqttLink> link, NewPahoMqttLink(options));
  RIVULET_RETURN_IF_ERROR(link->Start());
  return link;
}

void SleepUntil(Monotonic until) {
  timespec at{};
  at.tv_sec = static_cast<time_t>(until.us / 1'000'000);
  at.tv_nsec = static_cast<long>(until.us % 1'000'000 * 1000);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

int GenerateLive(const GenerateFlags& flags, const ReadingStreamOptions& stream, bool start_now) {
  LiveOptions options;
  options.stream = stream;
  options.start_now = start_now;
  options.paced = flags.rate > 0;
  options.qos = static_cast<int>(flags.qos);
  options.topic = !flags.topic.empty()        ? flags.topic
                  : flags.kind[0] == "fleet" ? "vehicles/{vehicle}/telemetry"
                                              : "sensors/{sensor}/temperature";
  const bool endless = stream.count == kUnlimited;
  Result<std::unique_ptr<MqttLink>> link = StartLink(flags);
  if (!link.ok()) return Report("generate", link.status());
  Result<LiveReport> result = [&] {
    Progress progress("readings", endless ? 0 : stream.count);
    const LiveHooks hooks{[] { return Now{MonotonicNow(), WallNow()}; }, SleepUntil, Interrupted,
                          [&](uint64_t acknowledged) { progress.Update(acknowledged); }};
    return PublishLive(options, hooks, link->get());
  }();
  (*link)->Stop(Duration::Seconds(2));
  if (!result.ok()) return Report("generate", result.status());
  const LiveReport& report = *result;
  Summarise("published", report.sent, report.elapsed,
            ", " + FormatGrouped(report.acknowledged) + " acknowledged, " +
                FormatGrouped(report.errors) + " errors");
  if (report.acknowledged != report.sent) return kExitFailure;
  if (report.interrupted) return endless ? kExitOk : kExitInterrupted;
  return endless || report.sent == stream.count ? kExitOk : kExitFailure;
}

}  // namespace

int GenerateCommand(const Arguments& args) {
  GenerateFlags flags;
  CommandLine line("generate", "fleet|temperature (--output FILE | --mqtt URL) [options]", kAbout);
  Declare(&line, &flags);
  if (const std::optional<int> done = line.Parse(args)) return *done;
  const std::string complaint = Complaint(flags, line);
  if (!complaint.empty()) return line.Refuse(complaint);
  const ReadingStreamOptions stream = StreamOptions(flags, line);
  const Status status = ReadingStream::Check(stream);
  if (!status.ok()) return line.Refuse(status.message());
  CatchInterrupts();
  return flags.broker.empty() ? GenerateFile(flags, stream)
                              : GenerateLive(flags, stream, !line.Given("start"));
}

}  // namespace rivulet
