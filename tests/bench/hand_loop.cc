// The yardstick for replay: the same job as a program written for it alone. JSON lines to tumbling
// 5 s avg, min, max and count per vehicle; simdjson on-demand and a hash map, in-order input, no
// late records, no durability. Results are written as replay writes them. Where FIELD stands in the
// record matters: on-demand parsing stops when it has what it wants.
//
//   hand_loop INPUT OUTPUT FIELD
#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

constexpr int64_t kWindowMs = 5000;

struct Aggregate {
  double sum = 0, min = 1e300, max = -1e300;
  uint64_t count = 0;
};

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};
using Window = std::unordered_map<std::string, Aggregate, StringHash, std::equal_to<>>;

void AppendNumber(std::string* out, double v) {
  char text[32];
  out->append(text, std::to_chars(text, text + sizeof(text), v).ptr);
}

void WriteWindow(int64_t start, const std::string& field, Window* window, std::string* out) {
  std::vector<std::pair<std::string_view, const Aggregate*>> sorted;
  for (const auto& [key, a] : *window) sorted.emplace_back(key, &a);
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [key, a] : sorted) {
    *out += "{\"vehicle\":\"";
    *out += key;
    *out += "\",\"window_start\":" + std::to_string(start);
    *out += ",\"window_end\":" + std::to_string(start + kWindowMs) + ",\"avg_" + field + "\":";
    AppendNumber(out, a->sum / static_cast<double>(a->count));
    *out += ",\"min_" + field + "\":";
    AppendNumber(out, a->min);
    *out += ",\"max_" + field + "\":";
    AppendNumber(out, a->max);
    *out += ",\"samples\":" + std::to_string(a->count) + "}\n";
  }
  window->clear();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string field = argv[3];
  const int fd = ::open(argv[1], O_RDONLY);
  std::FILE* file = std::fopen(argv[2], "w");
  if (fd < 0 || file == nullptr) return 1;
  simdjson::ondemand::parser parser;
  std::vector<char> buffer((1 << 20) + simdjson::SIMDJSON_PADDING);
  size_t held = 0;
  Window window;
  int64_t window_start = -1;
  std::string out;
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data() + held, (1 << 20) - held);
    if (n <= 0) break;
    held += static_cast<size_t>(n);
    const char* at = buffer.data();
    const char* end = at + held;
    while (const void* newline = std::memchr(at, '\n', static_cast<size_t>(end - at))) {
      const auto length = static_cast<size_t>(static_cast<const char*>(newline) - at);
      const size_t room = static_cast<size_t>(buffer.data() + buffer.size() - at);
      auto document = parser.iterate(at, length, room);
      std::string_view vehicle;
      int64_t ts = 0;
      double value = 0;
      if (document["vehicle"].get(vehicle) || document["ts"].get(ts) ||
          document[field].get(value)) {
        return 1;
      }
      const int64_t start = ts - ts % kWindowMs;
      if (start != window_start) {
        if (window_start >= 0) WriteWindow(window_start, field, &window, &out);
        std::fwrite(out.data(), 1, out.size(), file);
        out.clear();
        window_start = start;
      }
      auto it = window.find(vehicle);
      if (it == window.end()) it = window.emplace(std::string(vehicle), Aggregate{}).first;
      Aggregate& a = it->second;
      a.sum += value;
      a.min = std::min(a.min, value);
      a.max = std::max(a.max, value);
      ++a.count;
      at += length + 1;
    }
    held = static_cast<size_t>(end - at);
    std::memmove(buffer.data(), at, held);
  }
  WriteWindow(window_start, field, &window, &out);
  std::fwrite(out.data(), 1, out.size(), file);
  return std::fclose(file) == 0 ? 0 : 1;
}
