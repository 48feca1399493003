#include "operators/time/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "base/suggest.h"
#include "base/types.h"

namespace rivulet {
namespace {

using std::chrono::microseconds;

int64_t Micros(std::chrono::seconds s) { return microseconds(s).count(); }

// Years 1 to 32000: the library counts years in 16 bits. No zone changes beyond.
microseconds Within(int64_t us) {
  constexpr int64_t kLeast = -62'135'596'800, kMost = 947'670'796'800;
  return microseconds(std::clamp(us, kLeast * 1'000'000, kMost * 1'000'000));
}

class DateZone final : public TimeZone {
 public:
  explicit DateZone(const date::time_zone* zone) : zone_(zone) {}

  int64_t OffsetAt(int64_t utc_us) const override {
    return Micros(zone_->get_info(date::sys_time<microseconds>(Within(utc_us))).offset);
  }
  int64_t ToUtc(int64_t local_us) const override {
    const date::local_info info =
        zone_->get_info(date::local_time<microseconds>(Within(local_us)));
    if (info.result == date::local_info::nonexistent) {
      return Micros(info.first.end.time_since_epoch());
    }
    return SaturatingSub(local_us, Micros(info.first.offset));
  }

 private:
  const date::time_zone* zone_;  // of the library's database, which stays
};

std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
  } catch (const std::exception&) {  // no database: nothing to suggest
  }
  return names;
}

}  // namespace

Result<std::shared_ptr<const TimeZone>> TimeZone::Open(std::string_view name) {
  try {
    const date::time_zone* zone = date::locate_zone(std::string(name));
    auto opened = std::make_shared<DateZone>(zone);
    opened->OffsetAt(0);  // reads the zone's file
    return std::shared_ptr<const TimeZone>(std::move(opened));
  } catch (const std::exception&) {
    const std::string text(name);
    return Status(ErrorCode::kBadSettingValue,
                  "time zone '" + text + "' is not known to this system (package tzdata); expected a "
                  "name such as Europe/Berlin or UTC" + DidYouMean(text, AllNames()));
  }
}

}  // namespace rivulet
