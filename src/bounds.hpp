// Bounds by the triangle inequality: which rows keep their nearest centre for certain.
//
// When a row is looked at, it keeps how much nearer its own centre is than any other (Hamerly
// 2010, both bounds in one number). From then on the centres can take from that no more than they
// move: for a row of cluster c, what c has moved plus the most that another one has. That drift is
// summed up for each cluster, not for each row: the limit of a row is the drift of its cluster
// when it was looked at plus its gap, and it is safe while its limit is above the drift. So an
// iteration costs one comparison for each row, and the memory is four bytes for each.
//
// One centre that is far on the move would spoil the bound of every row. So a few of the fastest
// may be left out of the drift: rows that are safe from all others are compared with those few
// and their own centre alone, where a sample says that this is less work.
//
// Limits and drifts are float32, in a unit near the size of the data, rounded so that no movement
// is lost: the drift up where it is compared and down where it is added to, limits down.
#pragma once
#include "screen.hpp"

namespace LEVEL {

constexpr double kRounding = 1e-6;  // more than a few roundings to float32
// How many centres may be left out as fast ones; each at most a quarter of all. A sample of so
// many rows tells which number is best: half as many rows choose worse, twice as many cost more
// than the better choice saves.
constexpr int kMostFast = 64;
constexpr int64_t kSample = 1024;
// What it takes to read and settle a row, in the time of one vector of products: with all centres,
// and what it takes more to measure it to its own centre; a vector is taken for a whole tile of
// rows, as centres meet rows many at a time. Measured on 200,000 x 2, 100,000 x 14 and 50,000 x 50:
// with a vector of half as many rows passes took up to 1.5 times as long, with kOwn six times as
// large as long as now.
constexpr double kSettle = 30.0, kOwn = 20.0;

struct Bounds {
  int64_t k, d;
  float* limit;    // by row
  double* before;  // where the centres were, less the shift
  double *drift, *moved;
  float *above, *below;  // the drift, rounded up and down
  float* slow;   // what it would be had the fast centres not moved in this step, rounded up...
  double* extra;  // ...and how much less that is
  int64_t* fastest;  // centres by how far they have moved, the farthest first; not all of them
  int64_t n_fast;    // so many of these are left out
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
    slow = cutter.take<float>(k);
    extra = cutter.take<double>(k);
    fastest = cutter.take<int64_t>(kMostFast + 2);
    n_fast = 0;
    first = true;
  }

  // Add up how far the centres have moved to be where they are now, and choose the fast ones.
  // Not `choosing`: only those that are asked for.
  void follow(Pool& pool, const Centers& centers, const int32_t* labels, int64_t n_rows,
              int64_t lanes, int least_fast, bool choosing) {
    n_fast = 0;
    if (first) {
      unit = power_below(1.0 / __builtin_sqrt(maximum(centers.largest, 1e-300)));
      for (int64_t c = 0; c < k; c++) drift[c] = extra[c] = 0.0;
    } else {
      measure_movement(pool, centers);
      // Rows of few entries have no use for few centres.
      if (!centers.n_parts && (choosing || least_fast))
        n_fast = best_number(labels, n_rows, double(lanes), least_fast);
      for (int64_t c = 0; c < k; c++) {
        double every = moved_most_but(c, 0), rest = moved_most_but(c, n_fast);
        slow[c] = float((drift[c] + moved[c] + rest) * unit * (1.0 + kRounding));
        extra[c] = (every - rest) * unit * (1.0 - kRounding);
        drift[c] += moved[c] + every;
      }
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

  // The limit of a row that has been looked at: its own centre is that much nearer than others.
  float limit_of(int32_t label, double gap) const {
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
    return centers.n_parts ? centers.centers : centers.offsets;
  }

  static double power_below(double x) {
    uint64_t bits;
    __builtin_memcpy(&bits, &x, 8);
    bits &= 0x7ff0000000000000;
    __builtin_memcpy(&x, &bits, 8);
    return x;
  }

  void measure_movement(Pool& pool, const Centers& centers) {
    int64_t n = 0, most = minimum(k, int64_t(kMostFast + 2));
    for_centers(&pool, k, d, [&](int64_t c) {
      double square = sq_distance(places(centers) + c * d, before + c * d, d);
      moved[c] = __builtin_sqrt(square) * (1.0 + 1e-12 * double(d + 8));
    });
    for (int64_t c = 0; c < k; c++) {
      if (n == most && moved[c] <= moved[fastest[n - 1]]) continue;
      int64_t place = n < most ? n++ : n - 1;
      for (; place && !(moved[c] <= moved[fastest[place - 1]]); place--)
        fastest[place] = fastest[place - 1];
      fastest[place] = c;
    }
  }

  // How far the fastest centre but c has moved, of those from place `from` on.
  double moved_most_but(int64_t c, int64_t from) const {
    return moved[fastest[from] != c ? fastest[from] : fastest[from + 1]];
  }

  // How many fast centres save most work, by a sample of the rows.
  int64_t best_number(const int32_t* labels, int64_t n_rows, double lanes, int least) const {
    constexpr int kChoices = 6;
    const int64_t numbers[kChoices] = {0, 4, 8, 16, 32, kMostFast};
    int64_t unsafe[kChoices] = {}, step = (n_rows + kSample - 1) / kSample;
    int n_choices = 1;
    while (n_choices < kChoices && 4 * numbers[n_choices] <= k) n_choices++;
    if (n_choices == 1) return 0;
    for (int64_t i = 0; i < n_rows; i += step) {
      int64_t c = labels[i];
      double left = double(limit[i]) / unit - (drift[c] + moved[c]);
      for (int q = 0; q < n_choices; q++)
        unsafe[q] += !(left > moved_most_but(c, numbers[q]));
    }
    double of_pair = double(d + 4) / lanes, of_row = kSettle + double(d);
    double least_cost = kInf;
    int64_t best = 0;
    for (int q = 0; q < n_choices; q++) {
      double n = double(numbers[q]);
      double cost = double(unsafe[q]) * (of_row + double(k) * of_pair);
      if (q) cost += double(unsafe[0] - unsafe[q]) * (of_row + kOwn + double(d) + n * of_pair);
      if (cost < least_cost || (least && numbers[q] <= least)) {
        least_cost = cost;
        best = numbers[q];
      }
    }
    return best;
  }
};

}  // namespace LEVEL
