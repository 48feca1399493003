#include "transport/mqtt_reason.h"

namespace rivulet {

std::string ConnackReason(int code) {
  switch (code) {
    case 1: return "broker does not speak this MQTT version; set `version` to the other one";
    case 2: return "client id not accepted; choose another `client_id`";
    case 3: return "broker is not available for clients at the moment";
    case 4: return "bad user name or password";
    case 5: return "not authorised; check user, password and the broker's access list";
    default: return ReasonWords(code);
  }
}

std::string ReasonWords(int code) {
  switch (code) {
    case 128: return "unspecified error";
    case 129: return "malformed packet";
    case 130: return "protocol error";
    case 131: return "refused for a reason of the broker's own";
    case 132: return "broker does not speak this MQTT version; set `version` to the other one";
    case 133: return "client id not accepted; choose another `client_id`";
    case 134: return "bad user name or password";
    case 135: return "not authorised; check user, password and the broker's access list";
    case 136: return "broker is not available for clients at the moment";
    case 137: return "broker is busy";
    case 138: return "client is banned";
    case 139: return "broker is shutting down";
    case 140: return "bad authentication method";
    case 141: return "keep-alive timeout: nothing was heard in time";
    case 142: return "session taken over: another client connected with the same client id";
    case 143: return "topic filter not accepted";
    case 144: return "topic name not accepted";
    case 147: return "more messages in flight than the broker allows";
    case 149: return "packet too large for the broker";
    case 150: return "message rate too high";
    case 151: return "quota exceeded";
    case 152: return "closed by an administrator";
    case 153: return "payload format not accepted";
    case 154: return "broker does not keep retained messages";
    case 155: return "broker does not offer this QoS";
    case 156: case 157: return "broker asks to use another server";
    case 158: return "shared subscriptions are not offered";
    case 159: return "too many connections in a short time";
    case 160: return "maximum connect time reached";
    case 162: return "wildcard subscriptions are not offered";
    default: return "reason code " + std::to_string(code);
  }
}

LinkState StateOfReason(int code) {
  switch (code) {
    case 4: case 5: case 134: case 135: case 138: case 140: return LinkState::kNotAuthorised;
    case 142: return LinkState::kTakenOver;
    default: return LinkState::kRefused;
  }
}

std::string_view LinkStateName(LinkState state) {
  switch (state) {
    case LinkState::kConnecting: return "connecting";
    case LinkState::kConnected: return "connected";
    case LinkState::kPaused: return "paused";
    case LinkState::kUnreachable: return "unreachable";
    case LinkState::kTls: return "no TLS connection";
    case LinkState::kRefused: return "refused";
    case LinkState::kNotAuthorised: return "not authorised";
    case LinkState::kSubscriptionRefused: return "subscription refused";
    case LinkState::kTakenOver: return "taken over by another client";
    case LinkState::kLost: return "connection lost";
    case LinkState::kNotTaken: return "message not taken";
  }
  return "";
}

}  // namespace rivulet
