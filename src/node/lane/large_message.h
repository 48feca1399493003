// Messages that are larger than `mqtt.max_payload`. They are acknowledged like others, and the journal holds
// their beginning, so that they become dead letters: a broker that was refused them would send them again
// for ever.
//
// In the journal such a message's payload is
//   beginning   kLargeMessageHead bytes of it
//   mark        "\0cut:" and its length, 16 hexadecimal digits
// A message that was sent like this is treated as one: it is no JSON, CSV or value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rivulet {

inline constexpr size_t kLargeMessageHead = 64 << 10;

// What the journal holds of `payload`, which is longer than kLargeMessageHead.
std::string CutLargeMessage(std::string_view payload);

struct LargeMessage {
  std::string_view head;
  uint64_t bytes;  // it had
};
// None: the payload is not one that was cut.
std::optional<LargeMessage> ReadLargeMessage(std::string_view payload);

}  // namespace rivulet
