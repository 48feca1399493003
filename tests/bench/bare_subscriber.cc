// The yardstick for live ingest: a Paho subscriber that does nothing but count. Prints "ready" once
// the broker has taken the subscription, and "done" when so many messages have come; then it waits
// to be ended, so that its CPU time can be read.
//
//   bare_subscriber PORT TOPIC_FILTER COUNT
#include <mqtt/async_client.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const long wanted = std::atol(argv[3]);
  try {
    mqtt::async_client client(std::string("tcp://127.0.0.1:") + argv[1], "bench-bare");
    std::atomic<long> count{0};
    std::promise<void> all;
    client.set_message_callback([&](mqtt::const_message_ptr) {
      if (count.fetch_add(1, std::memory_order_relaxed) + 1 == wanted) all.set_value();
    });
    mqtt::connect_options options;
    options.set_clean_session(true);
    client.connect(options)->wait();
    client.subscribe(argv[2], 1)->wait();
    std::puts("ready");
    std::fflush(stdout);
    all.get_future().wait();
    std::puts("done");
    std::fflush(stdout);
    for (;;) pause();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bare_subscriber: %s\n", e.what());
    return 1;
  }
}
