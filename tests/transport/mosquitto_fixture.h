// A real mosquitto for tests: on a free loopback port, with its own configuration and data in a
// temporary directory, gone at the end whatever happens. Header only; for Linux.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/base/temporary_directory.h"

namespace rivulet::testing {

// Polls `condition` until it holds; false after `limit`.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A loopback port nobody listens on at the moment.
inline uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    close(fd);
    throw std::runtime_error("no free loopback port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

inline bool CanConnect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool ok = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return ok;
}

// A child process that is killed with its parent. Its standard output and error go to `log` (""
// leaves them alone).
class ChildProcess {
 public:
  ChildProcess(const std::vector<std::string>& arguments, const std::string& log) {
    std::vector<char*> argv;
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (!log.empty()) {
        const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
      }
      execv(argv[0], argv.data());
      _exit(127);
    }
    if (pid_ < 0) throw std::runtime_error("cannot start " + arguments[0]);
  }
  ~ChildProcess() { Kill(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool Running() {
    if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ > 0;
  }
  void Signal(int signal) {
    if (pid_ > 0) kill(pid_, signal);
  }
  // As kill -9; returns when it is gone.
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  // As systemctl stop; returns when it is gone. Asks again until it is: mosquitto 2.0 sets its running flag
  // after it listens, and a signal just before that is forgotten.
  void Terminate() {
    Signal(SIGTERM);
    while (!Eventually([this] { return !Running(); }, std::chrono::milliseconds(100))) Signal(SIGTERM);
  }

 private:
  pid_t pid_ = -1;
};

class MosquittoFixture {
 public:
  // `config`: further configuration lines; those about a listener apply to the one there is.
  // Persistence is on and written at a clean stop; "autosave_interval 1" with
  // "autosave_on_changes true" writes at every change, so that Kill loses nothing. Anonymous
  // clients are let in unless a line says "allow_anonymous". Throws std::runtime_error with the
  // reason when there is no mosquitto or it does not come up.
  explicit MosquittoFixture(std::vector<std::string> config = {}) : config_(std::move(config)) {
    port_ = FreePort();
    Start();
  }
  ~MosquittoFixture() { Kill(); }

  // On the same port, with the data left by the last stop.
  void Start() {
    WriteConfig();
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{Binary(), "-c", directory_ / "mosquitto.conf"},
        directory_ / "mosquitto.log");
    const bool up = Eventually([this] { return !process_->Running() || CanConnect(port_); });
    if (!up || !process_->Running()) {
      throw std::runtime_error("mosquitto did not come up: " + Log());
    }
  }
  // Clean: the broker writes its sessions first.
  void Stop() {
    if (process_) process_->Terminate();
    process_.reset();
  }
  // As a power cut of the broker.
  void Kill() {
    if (process_) process_->Kill();
    process_.reset();
  }
  void Restart() {
    Stop();
    Start();
  }
  // Stops and continues the process: a broker that is there and silent.
  void Freeze() { process_->Signal(SIGSTOP); }
  void Thaw() { process_->Signal(SIGCONT); }
  // Forgets all sessions and retained messages; only while stopped.
  void ForgetData() { std::filesystem::remove(directory_ / "mosquitto.db"); }

  uint16_t port() const { return port_; }
  std::string uri() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  std::string tls_uri(const std::string& host = "localhost") const {
    return "ssl://" + host + ":" + std::to_string(port_);
  }
  const TemporaryDirectory& directory() const { return directory_; }
  std::string Log() const {
    std::ifstream in(directory_ / "mosquitto.log");
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  static std::string Binary() {
    for (const char* path :
         {"/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"}) {
      if (access(path, X_OK) == 0) return path;
    }
    throw std::runtime_error("mosquitto is not installed; apt-get install mosquitto");
  }

 private:
  void WriteConfig() {
    std::ofstream out(directory_ / "mosquitto.conf", std::ios::trunc);
    bool anonymous = true;
    for (const std::string& line : config_) {
      if (line.starts_with("allow_anonymous")) anonymous = false;
    }
    if (geteuid() == 0) out << "user root\n";
    out << "persistence true\npersistence_location " << directory_.path() << "/\n"
        << "log_type all\nlistener " << port_ << " 127.0.0.1\n";
    if (anonymous) out << "allow_anonymous true\n";
    for (const std::string& line : config_) out << line << "\n";
  }

  TemporaryDirectory directory_;
  std::vector<std::string> config_;
  uint16_t port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace rivulet::testing
