#include "node/doctor/mosquitto_config.h"

#include <algorithm>

namespace rivulet {
namespace {

constexpr char kDefaultFile[] = "/etc/mosquitto/mosquitto.conf";
constexpr uint16_t kDefaultPort = 1883;
constexpr size_t kMostFiles = 100;

class ConfigReader {
 public:
  ConfigReader(const Host& host, MosquittoConfig* config) : host_(host), config_(config) {}

  void ReadFile(const std::string& path) {
    if (++files_ > kMostFiles) return;
    const Result<std::string> text = host_.Read(path);
    if (!text.ok()) {
      config_->unreadable = path;
      return;
    }
    for (const std::string_view line : LinesOf(*text)) Take(Trimmed(line));
  }

 private:
  void Take(std::string_view line) {
    if (line.empty() || line[0] == '#') return;
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string name(line.substr(0, end)), value(Trimmed(line.substr(end)));
    if (name == "include_dir") return ReadFolder(value);
    if (name == "listener" || name == "port") {
      const auto port = LeadingNumberOf(value).value_or(0);
      const auto number = static_cast<uint16_t>(port > 0 && port <= 65535 ? port : 0);
      if (name == "listener") {
        config_->ports.push_back(number);
      } else {
        config_->ports[0] = number;
      }
      return;
    }
    config_->lines.push_back({config_->ports.size() - 1, name, value});
  }

  void ReadFolder(const std::string& folder) {
    const Result<std::vector<std::string>> names = host_.List(folder);
    if (!names.ok()) {
      config_->unreadable = folder;
      return;
    }
    for (const std::string& name : *names) {
      if (name.ends_with(".conf")) ReadFile(folder + "/" + name);
    }
  }

  const Host& host_;
  MosquittoConfig* config_;
  size_t files_ = 0;
};

// The files that running mosquittos were started with ("" for none), then Debian's.
std::vector<std::string> Candidates(const Host& host) {
  std::vector<std::string> files;
  const Result<std::vector<std::string>> processes = host.List("/proc");
  for (const std::string& pid : processes.ok() ? *processes : std::vector<std::string>()) {
    if (!NumberOf(pid)) continue;
    const std::vector<std::string> command = CommandOf(host, pid);
    if (command.empty() || !("/" + command[0]).ends_with("/mosquitto")) continue;
    std::string file;
    for (size_t i = 1; i + 1 < command.size(); ++i) {
      if (command[i] == "-c" || command[i] == "--config-file") file = command[i + 1];
    }
    if (file.empty() || file.starts_with('/')) files.push_back(file);
  }
  files.push_back(kDefaultFile);
  return files;
}

}  // namespace

const std::string* MosquittoConfig::Find(std::string_view name) const {
  const std::string* found = nullptr;
  for (const Line& line : lines) {
    if (line.name == name) found = &line.value;
  }
  return found;
}

const std::string* MosquittoConfig::FindOf(uint16_t port, std::string_view name) const {
  const std::string* apart = Find("per_listener_settings");
  if (apart == nullptr || *apart != "true") return Find(name);
  const std::string* found = nullptr;
  for (const Line& line : lines) {
    if (line.name == name && ports[line.listener] == port) found = &line.value;
  }
  return found;
}

bool MosquittoConfig::ListensOn(uint16_t port) const {
  const bool none = std::all_of(ports.begin(), ports.end(), [](uint16_t p) { return p == 0; });
  if (none) return port == kDefaultPort;
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

MosquittoConfig ReadMosquittoConfig(const Host& host, const std::string& file) {
  MosquittoConfig config;
  config.file = file;
  config.ports = {0};
  if (!file.empty()) ConfigReader(host, &config).ReadFile(file);
  return config;
}

std::optional<MosquittoConfig> FindMosquitto(const Host& host, const BrokerVisit& visit) {
  const std::string& address = visit.reach.address;
  if (!address.starts_with("127.") && !address.starts_with("[::1]")) return std::nullopt;
  for (const std::string& file : Candidates(host)) {
    MosquittoConfig config = ReadMosquittoConfig(host, file);
    if (config.unreadable == file && !file.empty()) continue;
    if (config.ListensOn(visit.address.port)) return config;
  }
  return std::nullopt;
}

}  // namespace rivulet
