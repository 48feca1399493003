// Node files: everything but `mqtt`, which has a reader of its own.

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <limits>

#include "node/config/faults.h"
#include "node/config/node_mqtt_reader.h"
#include "node/config/reader.h"
#include "node/config/setting_reader.h"
#include "node/config/text_file.h"
#include "node/config/yaml_tree.h"
#include "node/http/host_names.h"

namespace rivulet {
namespace {

// A map of the address space: on 32-bit machines it must leave room for the process.
constexpr uint64_t kMaxMemory =
    sizeof(void*) == 4 ? 1ull << 30 : uint64_t{std::numeric_limits<int64_t>::max()};
constexpr uint64_t kMegabyte = 1ull << 20;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// The machine's name, with bytes that a node's name cannot have replaced.
std::string HostName() {
  char buffer[256] = {};
  std::string name = gethostname(buffer, sizeof(buffer) - 1) == 0 ? buffer : "";
  if (name.size() > 63) name.resize(63);
  for (char& c : name) {
    if (!IsNameByte(c)) c = '-';
  }
  return name.empty() ? "node" : name;
}

void ReadNodeName(const SettingReader& reader, Faults* faults, std::string* name) {
  *name = HostName();
  constexpr std::string_view kExpected =
      "letters, digits, '-', '_' and '.', at most 63, such as pi-1";
  MarkedText text;
  if (!reader.Text("name", kExpected, &text)) return;
  bool good = text.text.size() <= 63;
  for (const char c : text.text) good = good && IsNameByte(c);
  if (!good) {
    faults->Add(text.mark, ErrorCode::kBadSettingValue,
                "'name' in 'node' is " + QuoteForMessage(text.text) + "; expected " +
                    std::string(kExpected));
    return;
  }
  *name = text.text;
}

void ReadNodeMap(const YamlNode& node, const FilePaths& paths, Faults* faults, NodeSpec* spec) {
  const SettingReader reader(node, settings::kNode, faults);
  ReadNodeName(reader, faults, &spec->name);
  MarkedText data;
  if (reader.Text("data", "the path of a directory", &data)) {
    spec->data_directory = paths.Resolve(data.text);
  }
  reader.Int("partitions", 1, 4096, &spec->partitions);
  const auto workers = reader.Find("workers");
  if (workers && !(workers->node->is_scalar() && workers->node->scalar.text == "auto")) {
    reader.Int("workers", 1, 256, &spec->workers);
  }
}

void ReadPipelineList(const SettingReader& file, const FilePaths& paths, Faults* faults, NodeSpec* spec) {
  const auto setting = file.Find("pipelines");
  if (!setting) {
    spec->pipelines = {paths.Resolve("pipelines/")};
    return;
  }
  constexpr std::string_view kExpected = "a file, a directory or a glob such as pipelines/*.yaml";
  const auto take = [&](const Setting& item) {
    MarkedText path;
    if (TakeText(item, kExpected, &path, faults)) {
      spec->pipelines.push_back(paths.Resolve(path.text));
    }
  };
  TakeOneOrMore(*setting, kExpected, take, faults);
}

void ReadJournal(const YamlNode& node, Faults* faults, NodeSpec* spec) {
  const SettingReader reader(node, settings::kJournal, faults);
  reader.Choice<JournalSync>(
      "sync", {"always", "interval", "never"},
      {JournalSync::kAlways, JournalSync::kInterval, JournalSync::kNever}, &spec->journal.sync);
  reader.DurationOf("interval", Duration::Millis(1), Duration::Seconds(3600),
                    &spec->journal_interval);
  reader.Size("segment", kMegabyte / 16, 1ull << 30, &spec->journal.segment_bytes);
  const auto retain = reader.Find("retain");
  if (!retain) return;
  const SettingReader limits(*retain->node, settings::kRetain, faults);
  limits.Size("bytes", 0, std::numeric_limits<int64_t>::max(), &spec->journal.retain_bytes);
  limits.DurationOf("age", Duration{}, kMaxDuration, &spec->journal.retain_age);
}

void ReadState(const YamlNode& node, Faults* faults, NodeSpec* spec) {
  const SettingReader reader(node, settings::kState, faults);
  reader.Size("memory", kMegabyte, kMaxMemory, &spec->state_memory);
  reader.Size("map_size", kMegabyte, kMaxMemory, &spec->state_map_size);
  reader.Size("outputs", kMegabyte / 16, kMaxMemory, &spec->state_outputs);
}

void ReadCommit(const YamlNode& node, Faults* faults, NodeSpec* spec) {
  const SettingReader reader(node, settings::kCommit, faults);
  reader.DurationOf("interval", Duration::Millis(1), Duration::Seconds(3600),
                    &spec->commit_interval);
  reader.DurationOf("checkpoint", Duration{}, Duration::Seconds(3600), &spec->checkpoint_interval);
  reader.Choice<bool>("durability", {"disk", "local"}, {true, false}, &spec->commit_sync);
}

// "127.0.0.1:8377", "[::1]:8377", "localhost:8377".
bool SplitListen(std::string_view text, std::string* address, uint16_t* port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.find_first_of(bracketed ? "[]/ " : ":[]/ ") != std::string_view::npos) return false;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  if (number < 1 || number > 65535) return false;
  *address = host;
  *port = static_cast<uint16_t>(number);
  return true;
}

// Names a browser may know the node by.
void ReadHosts(const SettingReader& reader, Faults* faults, std::vector<std::string>* hosts) {
  const auto setting = reader.Find("hosts");
  if (!setting) return;
  constexpr std::string_view kExpected = "a host name or address without port, such as pi-2.local";
  const auto take = [&](const Setting& item) {
    MarkedText text;
    if (!TakeText(item, kExpected, &text, faults)) return;
    const std::string quoted = text.text.find(':') == std::string::npos ? text.text : "[" + text.text + "]";
    const std::optional<std::string> name = NameInHost(quoted);
    if (name && name->find_first_of("/@ []") == std::string::npos) {
      hosts->push_back(*name);
      return;
    }
    faults->Add(text.mark, ErrorCode::kBadSettingValue,
                item.label + " is " + QuoteForMessage(text.text) + "; expected " + std::string(kExpected));
  };
  TakeOneOrMore(*setting, kExpected, take, faults);
}

void ReadHttp(const YamlNode& node, const FilePaths& paths, Faults* faults, HttpSpec* http) {
  const SettingReader reader(node, settings::kHttp, faults);
  if (const auto token = reader.Find("token_file")) {
    ReadSecret(*token, paths, &http->token, faults);
  }
  ReadHosts(reader, faults, &http->hosts);
  const auto listen = reader.Find("listen");
  if (!listen) return;
  const YamlNode& value = *listen->node;
  if (value.is_scalar() && !value.quoted && value.scalar.text == "false") {
    http->port = 0;
    return;
  }
  constexpr std::string_view kExpected = "address:port such as 127.0.0.1:8377, or false";
  MarkedText text;
  if (!TakeText(*listen, kExpected, &text, faults)) return;
  if (!SplitListen(text.text, &http->address, &http->port)) {
    faults->Add(text.mark, ErrorCode::kBadSettingValue,
                listen->label + " is " + QuoteForMessage(text.text) + "; expected " +
                    std::string(kExpected));
    return;
  }
  if (!IsLoopback(http->address) && !reader.Find("token_file")) {
    faults->Add(text.mark, ErrorCode::kMissingSetting,
                "'token_file' in 'http'; " + QuoteForMessage(http->address) +
                    " can be reached from outside: expected a token_file, or a loopback address");
  }
}

// The map under `name`, or an empty one.
const YamlNode& MapOf(const SettingReader& file, std::string_view name) {
  static const YamlNode kEmpty;
  const auto setting = file.Find(name);
  return setting ? *setting->node : kEmpty;
}

}  // namespace

bool ReadNode(std::string_view yaml, const std::string& file, NodeSpec* spec,
              ConfigErrors* errors, CredentialUse credentials) {
  *spec = NodeSpec();
  spec->file = file;
  Faults faults(file, errors);
  YamlNode root;
  if (!ParseYaml(yaml, &root, &faults)) return false;
  const FilePaths paths{std::filesystem::path(file).parent_path().string(), credentials};
  const SettingReader reader(root, settings::kNodeFile, &faults);
  ReadNodeMap(MapOf(reader, "node"), paths, &faults, spec);
  ReadPipelineList(reader, paths, &faults, spec);
  ReadMqtt(MapOf(reader, "mqtt"), paths, &faults, spec);
  ReadJournal(MapOf(reader, "journal"), &faults, spec);
  ReadState(MapOf(reader, "state"), &faults, spec);
  ReadCommit(MapOf(reader, "commit"), &faults, spec);
  const SettingReader disk(MapOf(reader, "disk"), settings::kDisk, &faults);
  disk.Size("reserve", 0, std::numeric_limits<int64_t>::max(), &spec->disk_reserve);
  ReadHttp(MapOf(reader, "http"), paths, &faults, &spec->http);
  const SettingReader log(MapOf(reader, "log"), settings::kLog, &faults);
  log.Choice<std::string>("level", {"trace", "debug", "info", "warn", "error"},
                          {"trace", "debug", "info", "warn", "error"}, &spec->log_level);
  faults.SortByPlace();
  return faults.none();
}

bool ReadNodeFile(const std::string& path, NodeSpec* spec, ConfigErrors* errors,
                  CredentialUse credentials) {
  std::string text;
  const Status status = ReadTextFile(path, kMaxYamlBytes, &text);
  if (!status.ok()) {
    errors->push_back({path, 0, 0, status.code(), status.message()});
    return false;
  }
  return ReadNode(text, path, spec, errors, credentials);
}

}  // namespace rivulet
