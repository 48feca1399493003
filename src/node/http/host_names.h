// By which names and addresses a node may be asked. A stranger's page can give its own name the address
// of somebody's node (DNS rebinding); the browser then takes the node's answers for that page's. What
// gives it away is the name in the Host header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rivulet {

// "localhost", 127.0.0.0/8 or ::1.
bool IsLoopback(const std::string& address);

// The name or address in a Host header: in small letters, without port and brackets. Nothing when it is none.
std::optional<std::string> NameInHost(std::string_view header);

}  // namespace rivulet
