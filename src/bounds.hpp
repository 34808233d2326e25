// Bounds by the triangle inequality: which rows keep their nearest centre for certain.
//
// When a row is looked at, it keeps how much nearer its own centre is than any other (Hamerly
// 2010, both bounds in one number). From then on the centres can take from that no more than they
// move: for a row of cluster c, what c has moved plus the most that another one has. That drift is
// summed up for each cluster, not for each row: the limit of a row is the drift of its cluster
// when it was looked at plus its gap, and it is safe while its limit is above the drift. So an
// iteration costs one comparison for each row, and the memory is four bytes for each.
//
// Limits and drifts are float32, in a unit near the size of the data, rounded so that no movement
// is lost: the drift up where it is compared and down where it is added to, limits down.
#pragma once
#include "screen.hpp"

namespace LEVEL {

constexpr double kRounding = 1e-6;  // more than a few roundings to float32

struct Bounds {
  int64_t k, d;
  float* limit;    // by row
  double* before;  // where the centres were, less the shift
  double *drift, *moved;
  float *above, *below;  // the drift, rounded up and down
  double unit;
  bool first;

  void cut(Cutter& cutter, int64_t n_rows, int64_t n_clusters, int64_t n_features) {
    k = n_clusters;
    d = n_features;
    limit = cutter.take<float>(n_rows);
    before = cutter.take<double>(k * d);
    drift = cutter.take<double>(k);
    moved = cutter.take<double>(k);
    above = cutter.take<float>(k);
    below = cutter.take<float>(k);
    first = true;
  }

  // Add up how far the centres have moved to be where they are now.
  void follow(const Centers& centers, Pool& pool) {
    if (first) {
      unit = power_below(1.0 / __builtin_sqrt(maximum(centers.largest, 1e-300)));
      for (int64_t c = 0; c < k; c++) drift[c] = 0.0;
    } else {
      measure_movement(centers, pool);
    }
    first = false;
    for (int64_t c = 0; c < k; c++) {
      above[c] = float(drift[c] * unit * (1.0 + kRounding));
      below[c] = float(drift[c] * unit * (1.0 - kRounding));
    }
    for_centers(&pool, k, d, [&](int64_t c) {
      __builtin_memcpy(before + c * d, places(centers) + c * d, size_t(d) * sizeof(double));
    });
  }

  // The limit of a row that has been looked at, by lower bounds on the squared distances of its
  // own centre (from above) and of the next.
  float limit_of(int32_t label, double own, double next) const {
    double gap = __builtin_sqrt(maximum(next, 0.0)) - __builtin_sqrt(maximum(own, 0.0));
    double value = double(below[label]) + gap * unit;
    return float(value - kRounding * maximum(value, -value));
  }

  // List the rows from start to stop that are not safe; returns how many.
  int64_t find_active(const int32_t* labels, int64_t start, int64_t stop, int64_t* index) const {
    constexpr int64_t kFlags = 256;
    alignas(8) uint8_t flags[kFlags];
    int64_t n = 0;
    for (int64_t i = start; i < stop; i += kFlags) {
      int64_t m = minimum(kFlags, stop - i);
      for (int64_t r = 0; r < m; r++) flags[r] = !(limit[i + r] > above[labels[i + r]]);
      for (int64_t r = m; r < (m + 7) / 8 * 8; r++) flags[r] = 0;
      for (int64_t r = 0; r < m; r += 8) {
        uint64_t eight;
        __builtin_memcpy(&eight, flags + r, 8);
        for (; eight; eight &= eight - 1) index[n++] = i + r + (__builtin_ctzll(eight) >> 3);
      }
    }
    return n;
  }

 private:
  static const double* places(const Centers& centers) {
    return centers.n_leaves ? centers.centers : centers.offsets;
  }

  static double power_below(double x) {
    uint64_t bits;
    __builtin_memcpy(&bits, &x, 8);
    bits &= 0x7ff0000000000000;
    __builtin_memcpy(&x, &bits, 8);
    return x;
  }

  void measure_movement(const Centers& centers, Pool& pool) {
    double most = 0.0, next = 0.0;
    int64_t fastest = -1;
    for_centers(&pool, k, d, [&](int64_t c) {
      double square = sq_distance(places(centers) + c * d, before + c * d, d);
      moved[c] = __builtin_sqrt(square) * (1.0 + 1e-12 * double(d + 8));
    });
    for (int64_t c = 0; c < k; c++) {
      if (!(moved[c] <= most)) {
        next = most;
        most = moved[c];
        fastest = c;
      } else if (!(moved[c] <= next)) {
        next = moved[c];
      }
    }
    for (int64_t c = 0; c < k; c++) drift[c] += moved[c] + (c == fastest ? next : most);
  }
};

}  // namespace LEVEL
