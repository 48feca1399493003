#include "node/lane/large_message.h"

#include <doctest/doctest.h>

namespace rivulet {
namespace {

TEST_CASE("large message: the journal holds its beginning and its length") {
  const std::string payload(5'000'000, '{');
  const std::string cut = CutLargeMessage(payload);
  CHECK(cut.size() < kLargeMessageHead + 32);
  const auto read = ReadLargeMessage(cut);
  REQUIRE(read);
  CHECK(read->bytes == payload.size());
  CHECK(read->head == std::string_view(payload).substr(0, kLargeMessageHead));
}

TEST_CASE("large message: others are not taken for one") {
  const std::string cut = CutLargeMessage(std::string(100'000, 'x'));
  CHECK_FALSE(ReadLargeMessage(""));
  CHECK_FALSE(ReadLargeMessage(std::string_view(cut).substr(1)));
  CHECK_FALSE(ReadLargeMessage(cut + "0"));
  for (size_t at = kLargeMessageHead; at < cut.size(); ++at) {
    std::string other = cut;
    other[at] = 'z';
    CHECK_FALSE(ReadLargeMessage(other));
  }
}

}  // namespace
}  // namespace rivulet
