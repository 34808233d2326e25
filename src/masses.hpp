// Masses as whole numbers: their sums are exact, in any order and on any number of threads.
#pragma once
#include "definition.hpp"

namespace LEVEL {

// Turns masses into whole numbers whose sum is from 2^60 to 2^61; 0 only for 0.
class Scale {
 public:
  Scale() : half_(1.0), rest_(1.0) {}
  // Of masses with about that sum, of which only the exponent counts.
  explicit Scale(double sum) {
    bool subnormal = sum < 0x1p-1022;
    double normal = subnormal ? sum * 0x1p64 : sum;
    int64_t bits = value_at<int64_t>((const char*)&normal);
    int exponent = 61 - (int(bits >> 52 & 2047) - 1022 - (subnormal ? 64 : 0));
    // In two factors, since the exponent may be out of the range of one.
    half_ = power(exponent / 2);
    rest_ = power(exponent - exponent / 2);
  }
  double scaled(double mass) const { return mass * half_ * rest_; }
  double back(double whole) const { return whole / half_ / rest_; }
  uint64_t whole(double mass) const {
    if (!(mass > 0.0)) return 0;
    int64_t floor = int64_t(minimum(scaled(mass), 0x1p62));
    return uint64_t(maximum<int64_t>(floor, 1));
  }

 private:
  static double power(int exponent) {
    int64_t bits = int64_t(1023 + exponent) << 52;
    return value_at<double>((const char*)&bits);
  }
  double half_, rest_;
};

// What a draw looks for: the first row whose cumulative mass is above it.
inline uint64_t target_of(double uniform, uint64_t total) {
  uint64_t u = uniform > 0.0 ? uint64_t(minimum(uniform, 1.0 - 0x1p-53) * 0x1p53) : 0;
  return uint64_t(((unsigned __int128)u * total) >> 53);
}

// The first place whose cumulative mass is above the target; the last one if none is.
inline int64_t place_above(const uint64_t* cumulative, int64_t n, uint64_t target) {
  int64_t low = 0, high = n - 1;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (cumulative[middle] > target) high = middle;
    else low = middle + 1;
  }
  return low;
}

}  // namespace LEVEL
