// `rivulet status`: asks a running node how it is doing and shows the answer as tables.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "node/commands/cli.h"
#include "node/http/http_client.h"

namespace rivulet {

namespace {

using Json = nlohmann::json;

constexpr Duration kTimeout = Duration::Seconds(3);
constexpr const char* kNone = "-";

// The member called `name`, or null when there is none: the answer may come from another version.
const Json& Member(const Json& object, const char* name) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

// Text from the answer without what could steer the terminal.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string TextOf(const Json& object, const char* name) {
  const Json& v = Member(object, name);
  return v.is_string() ? Printable(v.get<std::string>()) : kNone;
}

double NumberOf(const Json& object, const char* name, double otherwise) {
  const Json& v = Member(object, name);
  return v.is_number() ? v.get<double>() : otherwise;
}

bool BoolOf(const Json& object, const char* name) {
  const Json& v = Member(object, name);
  return v.is_boolean() && v.get<bool>();
}

std::string CountOf(const Json& object, const char* name) {
  const Json& v = Member(object, name);
  if (v.is_number_unsigned()) return FormatGrouped(v.get<uint64_t>());
  return v.is_number() ? Printable(v.dump()) : kNone;
}

std::string SizeOf(const Json& object, const char* name) {
  const Json& v = Member(object, name);
  return v.is_number_unsigned() ? FormatSize(v.get<uint64_t>()) : kNone;
}

// "1d 02:03:04", "02:03:04".
std::string UptimeOf(const Json& object, const char* name) {
  const double seconds = NumberOf(object, name, -1);
  if (!(seconds >= 0 && seconds < 1e11)) return kNone;
  const auto s = static_cast<long long>(seconds);
  char text[64];
  std::snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", s / 3600 % 24, s / 60 % 60, s % 60);
  return s < 86400 ? text : std::to_string(s / 86400) + "d " + text;
}

// "2023-11-14 22:13:20.123" in UTC.
std::string TimeOf(const Json& object, const char* name) {
  const Json& v = Member(object, name);
  if (!v.is_number_integer()) return kNone;
  const auto ms = v.get<int64_t>();
  constexpr int64_t kYear10000 = 253'402'300'800'000;
  if (ms < 0 || ms >= kYear10000) return kNone;
  const auto seconds = static_cast<time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32], text[48];
  std::strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &utc);
  std::snprintf(text, sizeof(text), "%s.%03d", date, static_cast<int>(ms % 1000));
  return text;
}

std::string LagOf(const Json& object, const char* name) {
  const double ms = NumberOf(object, name, std::numeric_limits<double>::quiet_NaN());
  if (!(ms > -1e14 && ms < 1e14)) return kNone;
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", ms / 1000);
  return text;
}

// Rows of cells; the first row is the heading. The first column is flush left, others flush right.
void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows) {
    for (size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], row[k].size());
  }
  for (const auto& row : rows) {
    std::printf("%-*s", static_cast<int>(widths[0]), row[0].c_str());
    for (size_t k = 1; k < row.size(); ++k) {
      std::printf("  %*s", static_cast<int>(widths[k]), row[k].c_str());
    }
    std::printf("\n");
  }
}

void PrintJournal(const Json& journal) {
  if (!journal.is_object()) return;
  const double kept = NumberOf(journal, "end", 0) - NumberOf(journal, "begin", 0);
  std::string line = SizeOf(journal, "bytes") + " on disk";
  if (kept >= 0 && kept < 1e18) line += ", " + FormatGrouped(static_cast<uint64_t>(kept)) + " messages kept";
  const auto add = [&](const char* name, const char* what) {
    if (NumberOf(journal, name, 0) > 0) line += ", " + CountOf(journal, name) + what;
  };
  add("duplicates", " sent again and dropped");
  add("damaged_entries", " DAMAGED and skipped");
  add("failed_syncs", " FAILED SYNCS");
  std::printf("journal   %s\n", line.c_str());
}

void PrintNode(const Json& status) {
  const Json& node = Member(status, "node");
  std::printf("node      %s, rivulet %s, %s, up %s\n", TextOf(node, "name").c_str(),
              TextOf(node, "version").c_str(), BoolOf(node, "ready") ? "ready" : "NOT READY",
              UptimeOf(node, "uptime_s").c_str());
  const Json& mqtt = Member(status, "mqtt");
  if (mqtt.is_object()) {
    const bool connected = BoolOf(mqtt, "connected");
    std::printf("mqtt      %s%s, %s messages received\n",
                connected ? "connected to " : "NOT CONNECTED: ",
                TextOf(mqtt, connected ? "broker" : "last_error").c_str(),
                CountOf(mqtt, "received").c_str());
  }
  PrintJournal(Member(status, "journal"));
}

void PrintSinkTroubles(const Json& pipeline) {
  const Json& sinks = Member(pipeline, "sinks");
  if (!sinks.is_array()) return;
  for (const Json& sink : sinks) {
    const Json& available = Member(sink, "available");
    if (!available.is_boolean() || available.get<bool>()) continue;
    std::printf("  %s: sink '%s' takes no results: %s\n", TextOf(pipeline, "name").c_str(),
                TextOf(sink, "name").c_str(), TextOf(sink, "last_error").c_str());
  }
}

// What has come and what has come out, and is waited with.
void PrintBacklog(const Json& pipeline) {
  const std::string name = TextOf(pipeline, "name"), reads = TextOf(pipeline, "reads");
  if (NumberOf(pipeline, "journal_lag", 0) > 0) {
    std::printf("  %s: %s %s wait to be processed\n", name.c_str(), CountOf(pipeline, "journal_lag").c_str(),
                reads == kNone ? "messages" : ("results of '" + reads + "'").c_str());
  }
  if (NumberOf(pipeline, "outputs_waiting", 0) > 0) {
    std::printf("  %s: %s results wait for its sinks\n", name.c_str(),
                CountOf(pipeline, "outputs_waiting").c_str());
  }
}

// Why the node does not do its work, as far as it says so; a line each.
std::vector<std::string> TroublesOf(const Json& status) {
  std::vector<std::string> troubles;
  const Json& node = Member(status, "node");
  if (!BoolOf(node, "ready")) troubles.push_back("it is not ready: " + TextOf(node, "error"));
  if (BoolOf(node, "paused")) troubles.push_back("it takes nothing in, as its disk is nearly full");
  const auto is_false = [](const Json& object, const char* name) {
    return Member(object, name).is_boolean() && !BoolOf(object, name);
  };
  const Json& mqtt = Member(status, "mqtt");
  if (is_false(mqtt, "connected")) {
    troubles.push_back("no connection to the broker: " + TextOf(mqtt, "last_error"));
  }
  const Json& pipelines = Member(status, "pipelines");
  for (const Json& p : pipelines.is_array() ? pipelines : Json::array()) {
    const auto each = [&](const char* what, const char* flag, const char* says) {
      const Json& list = Member(p, what);
      for (const Json& item : list.is_array() ? list : Json::array()) {
        if (!is_false(item, flag)) continue;
        troubles.push_back(TextOf(p, "name") + " " + says + " '" + TextOf(item, "name") + "'");
      }
    };
    each("tables", "ready", "waits for table");
    each("sinks", "available", "cannot deliver to sink");
  }
  return troubles;
}

// Which of several sources holds a pipeline back.
void PrintSources(const Json& pipeline) {
  const Json& sources = Member(pipeline, "sources");
  if (!sources.is_array()) return;
  for (const Json& source : sources) {
    const std::string lag = LagOf(source, "watermark_lag_ms");
    std::printf("  %s: source '%s' %s%s\n", TextOf(pipeline, "name").c_str(),
                TextOf(source, "name").c_str(),
                lag == kNone ? "has sent NOTHING YET" : ("has its watermark " + lag + " behind").c_str(),
                BoolOf(source, "idle") ? ", is idle" : "");
  }
}

void PrintTables(const Json& pipeline) {
  const Json& tables = Member(pipeline, "tables");
  if (!tables.is_array()) return;
  for (const Json& table : tables) {
    const std::string error = TextOf(table, "last_error");
    std::printf("  %s: table '%s' %s%s%s\n", TextOf(pipeline, "name").c_str(),
                TextOf(table, "name").c_str(),
                BoolOf(table, "ready") ? ("has " + CountOf(table, "rows") + " rows").c_str()
                                       : "is WAITED FOR",
                error.empty() || error == kNone ? "" : ": ", error == kNone ? "" : error.c_str());
  }
}

// What is open and waits for something that may never come.
void PrintWaits(const Json& pipeline) {
  if (TextOf(pipeline, "waits_for") != "record") return;
  std::printf("%s: %s open, waiting for a record; set 'idle' to close them\n",
              TextOf(pipeline, "name").c_str(), CountOf(pipeline, "state_keys").c_str());
}

// What expressions pass over.
void PrintUnquoted(const Json& pipeline) {
  const std::string records = CountOf(pipeline, "unquoted");
  if (records == kNone || records == "0") return;
  std::printf("  %s: %s records have a field that is named without back quotes; the log says which\n",
              TextOf(pipeline, "name").c_str(), records.c_str());
}

void PrintPipelines(const Json& status) {
  const Json& pipelines = Member(status, "pipelines");
  if (!pipelines.is_array() || pipelines.empty()) {
    std::puts("no pipelines");
    return;
  }
  std::vector<std::vector<std::string>> rows{{"PIPELINE", "RECORDS IN", "RESULTS", "LATE",
                                              "DEAD LETTERS", "WATERMARK (UTC)", "LAG", "KEYS",
                                              "STATE"}};
  for (const Json& p : pipelines) {
    rows.push_back({TextOf(p, "name"), CountOf(p, "records_in"), CountOf(p, "results"),
                    CountOf(p, "late"), CountOf(p, "dead_letters"), TimeOf(p, "watermark_ms"),
                    LagOf(p, "watermark_lag_ms"), CountOf(p, "state_keys"),
                    SizeOf(p, "state_bytes")});
  }
  std::puts("");
  PrintTable(rows);
  for (const Json& p : pipelines) PrintBacklog(p);
  for (const Json& p : pipelines) PrintSources(p);
  for (const Json& p : pipelines) PrintWaits(p);
  for (const Json& p : pipelines) PrintUnquoted(p);
  for (const Json& p : pipelines) PrintTables(p);
  for (const Json& p : pipelines) PrintSinkTroubles(p);
}

int Unavailable(const std::string& complaint) {
  std::fprintf(stderr, "rivulet status: %s\n", complaint.c_str());
  return kExitUnavailable;
}

int Show(const HttpReply& reply, bool as_json, const std::string& url) {
  if (reply.status == 401) {
    return Unavailable(url + " asks for a token; give --token-file with the node's token");
  }
  if (reply.status == 421) {
    return Unavailable(url + ": the node does not answer to this name; use its address, or add the name to " +
                       "'http.hosts' of its node file");
  }
  const Json status = Json::parse(reply.body, nullptr, false);
  if (!status.is_object() || !Member(status, "node").is_object()) {
    return Unavailable(url + " answered with HTTP status " + std::to_string(reply.status) +
                       " and not like a Rivulet node; is it another program's port?");
  }
  if (as_json) {
    std::fwrite(reply.body.data(), 1, reply.body.size(), stdout);
    if (!reply.body.ends_with('\n')) std::puts("");
  } else {
    PrintNode(status);
    PrintPipelines(status);
  }
  const std::vector<std::string> troubles = TroublesOf(status);
  for (const std::string& trouble : troubles) Unavailable(trouble);
  return troubles.empty() ? kExitOk : kExitUnavailable;
}

}  // namespace

int StatusCommand(const Arguments& args) {
  std::string url = "http://127.0.0.1:8377";
  std::string token_file, token;
  bool as_json = false;
  CommandLine line("status", "[options]",
                   "Asks a running node how it is doing. Exit code 4 when no node answers, or it\n"
                   "cannot do its work: not ready, disk nearly full, no broker, a sink or a table\n"
                   "that is not there. Then the reasons stand on standard error.");
  line.Text("url,u", "URL", &url, "where the node listens");
  line.Text("token-file", "FILE", &token_file, "file whose first line is the node's HTTP token");
  line.Flag("json", &as_json, "print the answer as it is");
  line.Example("rivulet status --url http://pi-2:8377 --token-file /etc/rivulet/token");
  if (const std::optional<int> done = line.Parse(args)) return *done;
  while (url.ends_with('/')) url.pop_back();
  if (!token_file.empty()) {
    std::ifstream file(token_file);
    if (!std::getline(file, token)) {
      return Report("status", {ErrorCode::kSecretNotReadable, "no token in '" + token_file + "'"});
    }
  }
  const Result<HttpReply> reply = HttpGet(url, "/api/v1/status", token, kTimeout);
  if (reply.ok()) return Show(*reply, as_json, url);
  if (reply.status().code() == ErrorCode::kUsage) return line.Refuse(reply.status().message());
  return Unavailable(reply.status().ToString());
}

}  // namespace rivulet
