#include "transport/inbound_store.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/transport/mosquitto_fixture.h"
#include "transport/paho_client.h"

namespace rivulet {

using testing::TemporaryDirectory;

TEST_CASE("InboundStore keeps entries across processes") {
  TemporaryDirectory directory;
  const std::string bytes("a\0b\n", 4);
  {
    InboundStore store(directory.path());
    REQUIRE(store.Load().ok());
    CHECK(store.Put("r-7", "old").ok());
    CHECK(store.Put("r-7", bytes).ok());
    CHECK(store.Put("r-12", "").ok());
    CHECK(store.Put("r-8", "gone").ok());
    store.Remove("r-8");
  }
  std::ofstream(directory / "r-9.qos2.tmp") << "half written";
  std::ofstream(directory / "notes.txt") << "not ours";
  InboundStore store(directory.path());
  REQUIRE(store.Load().ok());
  CHECK(store.Keys() == std::vector<std::string>{"r-12", "r-7"});
  std::string found;
  REQUIRE(store.Get("r-7", &found));
  CHECK(found == bytes);
  CHECK(store.Contains("r-12"));
  CHECK_FALSE(store.Get("r-8", &found));
}

TEST_CASE("InboundStore removes nothing while frozen") {
  InboundStore store("");
  REQUIRE(store.Load().ok());
  CHECK(store.Put("r-1", "x").ok());
  store.SetFrozen(true);
  store.Remove("r-1");
  CHECK(store.Contains("r-1"));
  store.SetFrozen(false);
  store.Remove("r-1");
  CHECK_FALSE(store.Contains("r-1"));
}

TEST_CASE("InboundStore reports what it cannot do") {
  TemporaryDirectory directory;
  InboundStore store(directory / "missing");
  CHECK(store.Load().code() == ErrorCode::kFileNotReadable);
  CHECK(store.Put("r-1", "x").code() == ErrorCode::kIo);
  CHECK(store.Contains("r-1"));
  CHECK(store.Put("../r-1", "x").code() == ErrorCode::kIo);
  CHECK_FALSE(store.Contains("../r-1"));
}

TEST_CASE("ParseBrokerAddress takes what Paho takes") {
  const auto plain = ParseBrokerAddress("tcp://pi.local:1884");
  REQUIRE(plain.ok());
  CHECK(plain.value().host == "pi.local");
  CHECK(plain.value().port == 1884);
  CHECK_FALSE(plain.value().tls);
  CHECK(ParseBrokerAddress("mqtt://pi").value().port == 1883);
  const auto tls = ParseBrokerAddress("ssl://[::1]:8884");
  REQUIRE(tls.ok());
  CHECK(tls.value().tls);
  CHECK(tls.value().host == "[::1]");
  CHECK(tls.value().port == 8884);
  CHECK(ParseBrokerAddress("mqtts://[::1]").value().port == 8883);
  for (const char* bad : {"", "pi:1883", "http://pi", "tcp://", "tcp://:1883", "tcp://pi:0",
                          "tcp://pi:65536", "tcp://pi:18x", "tcp://pi:", "tcp://[::1",
                          "tcp://u@pi"}) {
    CAPTURE(bad);
    CHECK(ParseBrokerAddress(bad).status().code() == ErrorCode::kBadSettingValue);
  }
}

}  // namespace rivulet
