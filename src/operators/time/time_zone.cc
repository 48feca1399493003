#include "operators/time/time_zone.h"

#include <date/tz.h>

#include <exception>
#include <string>
#include <vector>

#include "base/suggest.h"

namespace rivulet {
namespace {

using std::chrono::microseconds;

int64_t Micros(std::chrono::seconds s) { return microseconds(s).count(); }

class DateZone final : public TimeZone {
 public:
  explicit DateZone(const date::time_zone* zone) : zone_(zone) {}

  int64_t OffsetAt(int64_t utc_us) const override {
    return Micros(zone_->get_info(date::sys_time<microseconds>(microseconds(utc_us))).offset);
  }
  int64_t ToUtc(int64_t local_us) const override {
    const date::local_info info =
        zone_->get_info(date::local_time<microseconds>(microseconds(local_us)));
    if (info.result == date::local_info::nonexistent) {
      return Micros(info.first.end.time_since_epoch());
    }
    return local_us - Micros(info.first.offset);
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
