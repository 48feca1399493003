#include "node/http/connection_loop.h"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

#include "node/http/http_library.h"

namespace rivulet {
namespace {

// A client that has its answer may take so long to close its side. Closed at once, what it still sends would
// be answered by a reset, which can overtake the answer.
constexpr Duration kGoodbye = Duration::Seconds(1);
// Without descriptors for new connections the port is looked at this often.
constexpr Duration kExhausted = Duration::Millis(100);

Monotonic SteadyNow() {
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(t).count()};
}

// The address of either end of a connection, as text; of IPv4 in its own form also where the port takes
// both.
std::string AddressOf(int fd, int (*get)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  char text[NI_MAXHOST] = "";
  if (get(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
    return "";
  }
  constexpr std::string_view kMapped = "::ffff:";
  const std::string_view found = text;
  return std::string(found.starts_with(kMapped) ? found.substr(kMapped.size()) : found);
}

int LocalName(int fd, sockaddr* address, socklen_t* size) { return ::getsockname(fd, address, size); }
int PeerName(int fd, sockaddr* address, socklen_t* size) { return ::getpeername(fd, address, size); }

struct Connection {
  // Those that are more in the way come first.
  enum class Stage : uint8_t { kEnding, kReading, kWriting, kAnswering };

  Connection(int fd, uint64_t arrival, Monotonic now, const ConnectionLimits& limits)
      : socket(fd),
        number(arrival),
        peer(AddressOf(fd, PeerName)),
        until(now + limits.request_time),
        total_until(now + limits.total_time) {}

  Descriptor socket;
  const uint64_t number;   // in order of arrival
  const std::string peer;
  Stage stage = Stage::kReading;
  Monotonic until;         // of this stage
  const Monotonic total_until;
  std::string request;
  std::string answer;
  size_t sent = 0;
};
using Stage = Connection::Stage;

}  // namespace

class ConnectionLoop::Loop {
 public:
  Loop(std::unique_ptr<Descriptor> listening, const ConnectionLimits& limits, RequestHandler handler)
      : listening_(std::move(listening)),
        limits_(limits),
        handler_(std::move(handler)),
        wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        pool_(static_cast<size_t>(limits.threads)),
        thread_([this] { Run(); }) {}

  ~Loop() {
    ending_ = true;
    Wake();
    thread_.join();
    pool_.shutdown();
  }

 private:
  struct Answer {
    uint64_t number;
    std::string bytes;
  };

  void Run() {
    std::vector<pollfd> waits;
    while (!ending_) {
      const Monotonic now = SteadyNow();
      waits.clear();
      waits.push_back({wake_.get(), POLLIN, 0});
      waits.push_back({now < accept_from_ ? -1 : listening_->get(), POLLIN, 0});
      Monotonic next = now < accept_from_ ? accept_from_ : now + Duration::Seconds(60);
      for (const auto& c : connections_) {
        waits.push_back({c->socket.get(), EventsOf(*c), 0});
        if (c->stage != Stage::kAnswering) next = std::min(next, c->until);
      }
      const int64_t left_ms = std::max<int64_t>(0, (next - now).us / 1000 + 1);
      ::poll(waits.data(), waits.size(), static_cast<int>(left_ms));
      for (size_t i = 0; i < connections_.size(); ++i) {
        if (waits[i + 2].revents != 0) Advance(connections_[i].get());
      }
      TakeAnswers();
      Sweep(SteadyNow());
      if (waits[1].revents != 0) AcceptAll();
    }
    connections_.clear();
    listening_.reset();
  }

  // A client that goes while its answer is worked out is noticed when that is sent.
  static short EventsOf(const Connection& c) {
    switch (c.stage) {
      case Stage::kAnswering: return 0;
      case Stage::kWriting: return POLLOUT;
      case Stage::kReading:
      case Stage::kEnding: break;
    }
    return POLLIN;
  }

  // Does what can be done without waiting; a connection that is over gets no time any more.
  void Advance(Connection* c) {
    switch (c->stage) {
      case Stage::kReading: Read(c); break;
      case Stage::kWriting: Write(c); break;
      case Stage::kEnding: Discard(c); break;
      case Stage::kAnswering: break;
    }
  }

  static void Close(Connection* c) {
    c->stage = Stage::kEnding;
    c->until = {};
  }

  void Read(Connection* c) {
    std::array<char, 4096> buffer;
    while (c->request.size() < limits_.request_bytes) {
      const size_t room = std::min(buffer.size(), limits_.request_bytes - c->request.size());
      const ssize_t n = ::recv(c->socket.get(), buffer.data(), room, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) return Close(c);
      const size_t from = c->request.size() < 3 ? 0 : c->request.size() - 3;
      c->request.append(buffer.data(), static_cast<size_t>(n));
      constexpr std::string_view kEnd = "\r\n\r\n";
      const size_t end = c->request.find(kEnd, from);
      if (end == std::string::npos) continue;
      c->request.resize(end + kEnd.size());
      break;
    }
    WorkOut(c);
  }

  void WorkOut(Connection* c) {
    c->stage = Stage::kAnswering;
    pool_.enqueue([this, number = c->number, request = std::move(c->request),
                   local = AddressOf(c->socket.get(), LocalName)] {
      if (ending_) return;
      Answer answer{number, handler_(request, local)};
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
      Wake();
    });
  }

  void TakeAnswers() {
    uint64_t rung = 0;
    [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &rung, sizeof(rung));
    std::vector<Answer> answers;
    {
      const std::lock_guard lock(mutex_);
      answers.swap(answers_);
    }
    for (Answer& a : answers) {
      for (const auto& c : connections_) {
        if (c->number != a.number) continue;
        c->answer = std::move(a.bytes);
        c->stage = Stage::kWriting;
        c->until = c->total_until;
        Write(c.get());
      }
    }
  }

  void Write(Connection* c) {
    while (c->sent < c->answer.size()) {
      const ssize_t n = ::send(c->socket.get(), c->answer.data() + c->sent,
                               c->answer.size() - c->sent, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) return Close(c);
      c->sent += static_cast<size_t>(n);
    }
    ::shutdown(c->socket.get(), SHUT_WR);
    c->stage = Stage::kEnding;
    c->until = SteadyNow() + kGoodbye;
    std::string().swap(c->answer);
    Discard(c);
  }

  // At most so much at once; a client that goes on sending is cut off when its time is up.
  static void Discard(Connection* c) {
    std::array<char, 4096> rest;
    for (int k = 0; k < 16; ++k) {
      const ssize_t n = ::recv(c->socket.get(), rest.data(), rest.size(), 0);
      if (n > 0) continue;
      if (n == 0 || (errno != EAGAIN && errno != EINTR)) Close(c);
      return;
    }
  }

  void Sweep(Monotonic now) {
    std::erase_if(connections_, [now](const std::unique_ptr<Connection>& c) {
      return c->stage != Stage::kAnswering && c->until <= now;
    });
  }

  void AcceptAll() {
    while (true) {
      const int fd = ::accept4(listening_->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
        accept_from_ = SteadyNow() + kExhausted;
      }
      if (fd < 0) return;
      auto fresh = std::make_unique<Connection>(fd, ++last_number_, SteadyNow(), limits_);
      if (!MakeRoom(fresh->peer)) continue;
      connections_.push_back(std::move(fresh));
      // Mostly the request is there already.
      Read(connections_.back().get());
    }
  }

  // False when nobody is to go: all connections wait for an answer of ours.
  bool MakeRoom(const std::string& peer) {
    const auto of_peer = [&peer](const std::unique_ptr<Connection>& c) { return c->peer == peer; };
    const auto theirs = std::count_if(connections_.begin(), connections_.end(), of_peer);
    const bool over_share = static_cast<size_t>(theirs) >= limits_.of_one_address;
    if (!over_share && connections_.size() < limits_.connections) return true;
    const auto victim = std::min_element(
        connections_.begin(), connections_.end(), [&](const auto& a, const auto& b) {
          const auto rank = [&](const std::unique_ptr<Connection>& c) {
            return std::tuple(over_share && !of_peer(c), c->stage, c->number);
          };
          return rank(a) < rank(b);
        });
    if ((*victim)->stage == Stage::kAnswering || (over_share && !of_peer(*victim))) return false;
    connections_.erase(victim);
    return true;
  }

  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof(one));
  }

  std::unique_ptr<Descriptor> listening_;
  const ConnectionLimits limits_;
  const RequestHandler handler_;
  const Descriptor wake_;
  std::atomic<bool> ending_{false};

  // The loop's thread only.
  std::vector<std::unique_ptr<Connection>> connections_;  // in order of arrival
  uint64_t last_number_ = 0;
  Monotonic accept_from_;

  std::mutex mutex_;
  std::vector<Answer> answers_;

  httplib::ThreadPool pool_;
  std::thread thread_;  // last: it uses all of these
};

ConnectionLoop::ConnectionLoop(std::unique_ptr<Descriptor> listening, const ConnectionLimits& limits,
                               RequestHandler handler)
    : loop_(std::make_unique<Loop>(std::move(listening), limits, std::move(handler))) {}

ConnectionLoop::~ConnectionLoop() = default;

}  // namespace rivulet
