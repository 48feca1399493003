// Measures how long a window's result takes: from just before the publish of the first record past
// the window's end to the result's arrival at a subscriber. Publishes in real time at a steady
// rate, QoS 1, event time being the wall clock; results carry "window_end" in ms. Prints one
// latency in microseconds a line.
//
//   latency_probe PORT RATE SECONDS WINDOW_MS KEYS
//
// Records go to latency/in/KEY; results are expected on latency/out/#, one for each key and window.
#include <mqtt/async_client.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Arrival {
  int64_t window_end;
  Clock::time_point at;
};

int64_t WallMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t WindowEnd(const std::string& json) {
  constexpr char kName[] = "\"window_end\":";
  const size_t at = json.find(kName);
  return at == std::string::npos ? 0 : std::atoll(json.c_str() + at + std::strlen(kName));
}

struct Settings {
  double rate, seconds;
  int64_t window_ms;
  int keys;
};

// When each window was closed, by number since the first.
struct Closings {
  int64_t first_window = 0;
  std::vector<Clock::time_point> at;  // [i] ends window first_window + i
};

// Publishes at the rate. Records carry the wall clock, which must not step back during the run.
Closings Publish(const Settings& s, mqtt::async_client* client) {
  Closings closings;
  std::vector<std::string> topics;
  for (int k = 0; k < s.keys; ++k) topics.push_back("latency/in/k" + std::to_string(k));
  const Clock::time_point start = Clock::now();
  const auto total = static_cast<int64_t>(s.rate * s.seconds);
  int64_t window = -1, last_ms = 0;
  char payload[96];
  mqtt::delivery_token_ptr last;
  for (int64_t n = 0; n < total;) {
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    const int64_t due = std::min(total, static_cast<int64_t>(elapsed.count() * s.rate));
    if (n >= due) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      continue;
    }
    const Clock::time_point now = Clock::now();
    const int64_t ms = last_ms = std::max(last_ms, WallMs());
    if (window < 0) closings.first_window = window = ms / s.window_ms;
    for (; window < ms / s.window_ms; ++window) closings.at.push_back(now);
    const int length = std::snprintf(payload, sizeof(payload), "{\"ts\":%lld,\"speed\":%.1f}",
                                     static_cast<long long>(ms), static_cast<double>(n % 900) / 10);
    last = client->publish(topics[static_cast<size_t>(n % s.keys)], payload,
                           static_cast<size_t>(length), 1, false);
    ++n;
  }
  if (last) last->wait();
  return closings;
}

// Every key has records in every window, except perhaps in the first. False when results are missing.
bool Report(const Settings& s, const Closings& closings, const std::vector<Arrival>& arrivals) {
  size_t expected = 0, found = 0;
  if (!closings.at.empty()) expected = (closings.at.size() - 1) * static_cast<size_t>(s.keys);
  for (const Arrival& a : arrivals) {
    const int64_t i = a.window_end / s.window_ms - 1 - closings.first_window;
    if (i < 1 || i >= static_cast<int64_t>(closings.at.size())) continue;
    ++found;
    const auto took = a.at - closings.at[static_cast<size_t>(i)];
    std::printf("%lld\n", static_cast<long long>(
                              std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  }
  if (found == expected) return true;
  std::fprintf(stderr, "latency_probe: %zu results, expected %zu\n", found, expected);
  return false;
}

int Run(const std::string& broker, const Settings& s) {
  mqtt::async_client subscriber(broker, "bench-latency-in");
  // Room for what a busy machine is behind with: a second or two.
  mqtt::async_client publisher(broker, "bench-latency-out", 10'000);
  std::mutex mutex;
  std::vector<Arrival> arrivals;
  subscriber.set_message_callback([&](mqtt::const_message_ptr message) {
    const Clock::time_point now = Clock::now();
    const int64_t end = WindowEnd(message->to_string());
    const std::lock_guard lock(mutex);
    arrivals.push_back({end, now});
  });
  mqtt::connect_options options;
  options.set_clean_session(true);
  options.set_max_inflight(1000);
  subscriber.connect(options)->wait();
  publisher.connect(options)->wait();
  subscriber.subscribe("latency/out/#", 1)->wait();
  const Closings closings = Publish(s, &publisher);
  // The last window to close has its results within a commit or two.
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(10);
  const size_t all = closings.at.size() * static_cast<size_t>(s.keys);
  for (;;) {
    {
      const std::lock_guard lock(mutex);
      if (arrivals.size() >= all || Clock::now() > deadline) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  subscriber.disconnect()->wait();
  publisher.disconnect()->wait();
  return Report(s, closings, arrivals) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const Settings settings{std::atof(argv[2]), std::atof(argv[3]), std::atoll(argv[4]),
                          std::atoi(argv[5])};
  if (settings.rate <= 0 || settings.window_ms <= 0 || settings.keys <= 0) return 2;
  try {
    return Run(std::string("tcp://127.0.0.1:") + argv[1], settings);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "latency_probe: %s\n", e.what());
    return 1;
  }
}
