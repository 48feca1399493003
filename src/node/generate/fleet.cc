#include "node/generate/fleet.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace rivulet {

namespace {

constexpr int32_t kCentreLat = 48'137'154, kCentreLon = 11'576'124;  // Munich
constexpr int32_t kRoam = 400'000;                                    // about 40 km

// Speeds (tenths of km/h) at which the next gear is taken.
constexpr int32_t kGears[] = {0, 180, 360, 560, 820, 1400};

template <size_t N>
char* PutText(char* p, const char (&text)[N]) {
  std::memcpy(p, text, N - 1);
  return p + N - 1;
}

char* PutUnsigned(char* p, uint64_t v) {
  char digits[20];
  char* end = digits + sizeof(digits);
  char* d = end;
  do {
    *--d = static_cast<char>('0' + v % 10);
    v /= 10;
  } while (v != 0);
  const auto n = static_cast<size_t>(end - d);
  std::memcpy(p, d, n);
  return p + n;
}

// Exactly `width` digits, with leading zeros.
char* PutPadded(char* p, uint32_t v, int width) {
  for (int k = width - 1; k >= 0; --k) {
    p[k] = static_cast<char>('0' + v % 10);
    v /= 10;
  }
  return p + width;
}

// 632 with one decimal is "63.2"; `v` is not negative.
template <int kDecimals>
char* PutDecimal(char* p, int32_t v) {
  uint32_t scale = 1;
  for (int k = 0; k < kDecimals; ++k) scale *= 10;
  const auto u = static_cast<uint32_t>(v);
  p = PutUnsigned(p, u / scale);
  *p++ = '.';
  return PutPadded(p, u % scale, kDecimals);
}

char* PutName(char* p, char letter, uint32_t number, int width) {
  *p++ = letter;
  uint32_t limit = 1;
  for (int k = 0; k < width; ++k) limit *= 10;
  return number < limit ? PutPadded(p, number, width) : PutUnsigned(p, number);
}

// Byte `index` of `dice`, spread over -range..range.
int32_t Noise(uint64_t dice, int index, int32_t range) {
  const auto byte = static_cast<int32_t>((dice >> (8 * index)) & 0xff);
  return byte * (2 * range + 1) / 256 - range;
}

int32_t Rpm(int32_t speed, uint64_t dice) {
  size_t gear = 1;
  while (gear + 1 < std::size(kGears) && speed >= kGears[gear]) ++gear;
  const int32_t low = kGears[gear - 1], high = kGears[gear];
  const int32_t from = gear == 1 ? 850 : 1400;
  return from + (speed - low) * 1300 / (high - low) + Noise(dice, 6, 25);
}

}  // namespace

Fleet::Fleet(const FleetOptions& options) : options_(options), random_(options.seed) {
  options_.vehicles = std::max(options_.vehicles, 1u);
  vehicles_.reserve(options_.vehicles);
  for (uint32_t k = 0; k < options_.vehicles; ++k) vehicles_.push_back(MakeVehicle());
}

Fleet::Vehicle Fleet::MakeVehicle() {
  const auto between = [this](int32_t low, int32_t high) {
    return low + static_cast<int32_t>(random_.Below(static_cast<uint64_t>(high - low + 1)));
  };
  Vehicle v;
  v.speed = between(0, 900);
  v.target_speed = between(0, 1250);
  v.coolant = between(700, 900);
  v.battery = between(134, 142);
  v.fuel = between(200'000, 999'999);
  v.lat = kCentreLat + between(-kRoam / 2, kRoam / 2);
  v.lon = kCentreLon + between(-kRoam / 2, kRoam / 2);
  v.heading_lat = between(-16, 16);
  v.heading_lon = between(-16, 16);
  v.fahrenheit = between(6000, 8000);
  return v;
}

void Fleet::Drive(Vehicle* v, uint64_t dice) {
  if ((dice >> 56) == 0) v->target_speed = static_cast<int32_t>((dice & 0xffff) * 1251 >> 16);
  v->speed = std::clamp(v->speed + (v->target_speed - v->speed) / 32 + Noise(dice, 0, 4), 0, 1300);
  const int32_t pull = v->coolant < 860 ? 1 : v->coolant > 930 ? -1 : 0;
  v->coolant = std::clamp(v->coolant + pull + Noise(dice, 1, 2), 400, 1150);
  v->battery = std::clamp(v->battery + Noise(dice, 2, 1), 128, 145);
  v->fuel -= 5 + v->speed / 16;
  if (v->fuel < 50'000) v->fuel = 999'999;
  v->heading_lat = std::clamp(v->heading_lat + Noise(dice, 3, 2), -16, 16);
  v->heading_lon = std::clamp(v->heading_lon + Noise(dice, 4, 2), -16, 16);
  v->lat += v->heading_lat * v->speed / 512;
  v->lon += v->heading_lon * v->speed / 512;
  if (v->lat < kCentreLat - kRoam) v->heading_lat = 16;
  if (v->lat > kCentreLat + kRoam) v->heading_lat = -16;
  if (v->lon < kCentreLon - kRoam) v->heading_lon = 16;
  if (v->lon > kCentreLon + kRoam) v->heading_lon = -16;
}

char* Fleet::PutFleetReading(const Vehicle& v, uint64_t dice, int64_t time_ms, char* out) const {
  const int32_t rpm = Rpm(v.speed, dice);
  char* p = PutText(out, "{\"vehicle\":\"");
  p = PutName(p, 'v', turn_, 4);
  p = PutText(p, "\",\"ts\":");
  p = PutUnsigned(p, static_cast<uint64_t>(time_ms));
  p = PutText(p, ",\"speed\":");
  p = PutDecimal<1>(p, v.speed);
  p = PutText(p, ",\"rpm\":");
  p = PutUnsigned(p, static_cast<uint64_t>(rpm));
  p = PutText(p, ",\"coolant\":");
  p = PutDecimal<1>(p, v.coolant);
  p = PutText(p, ",\"oil_pressure\":");
  p = PutUnsigned(p, static_cast<uint64_t>(150 + rpm / 14 + Noise(dice, 5, 4)));
  p = PutText(p, ",\"battery\":");
  p = PutDecimal<1>(p, v.battery);
  if (options_.position) {
    p = PutText(p, ",\"lat\":");
    p = PutDecimal<6>(p, v.lat);
    p = PutText(p, ",\"lon\":");
    p = PutDecimal<6>(p, v.lon);
  }
  p = PutText(p, ",\"fuel\":");
  p = PutDecimal<2>(p, v.fuel / 10'000);
  *p++ = '}';
  return p;
}

size_t Fleet::Next(int64_t time_ms, char* out) {
  Vehicle& v = vehicles_[turn_];
  const uint64_t dice = random_.Next();
  char* p = out;
  if (options_.kind == ReadingKind::kFleet) {
    Drive(&v, dice);
    p = PutFleetReading(v, dice, time_ms, p);
  } else {
    v.fahrenheit = std::clamp(v.fahrenheit + Noise(dice, 0, 20), 3200, 11000);
    p = PutText(p, "{\"sensor\":\"");
    p = PutName(p, 's', turn_, 3);
    p = PutText(p, "\",\"ts\":");
    p = PutUnsigned(p, static_cast<uint64_t>(time_ms));
    p = PutText(p, ",\"fahrenheit\":");
    p = PutDecimal<2>(p, v.fahrenheit);
    *p++ = '}';
  }
  if (++turn_ == options_.vehicles) turn_ = 0;
  return static_cast<size_t>(p - out);
}

}  // namespace rivulet
