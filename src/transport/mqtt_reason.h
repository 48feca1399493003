// What an MQTT return code means, in words for people.
#pragma once

#include <string>

#include "transport/mqtt_link.h"

namespace rivulet {

// A CONNACK code: 1-5 (MQTT 3.1.1) or 128 and above (MQTT 5).
std::string ConnackReason(int code);

// An MQTT 5 reason code of 128 and above; "reason code n" when it is not known.
std::string ReasonWords(int code);

// Which trouble a code of CONNACK, SUBACK or DISCONNECT stands for.
LinkState StateOfReason(int code);

}  // namespace rivulet
