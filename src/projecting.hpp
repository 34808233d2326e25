// Whether a projection pays: asked of a sample of the rows.
#pragma once
#include "projected.hpp"

namespace LEVEL {

// So many rows tell whether the axes pay: half as many err now and then, twice as many cost a
// hundredth of a pass over 10,000 rows. What it takes to project all rows has to pay within so
// many passes, and passes have to cost at most this share: so what the sample is wrong by does
// not turn into a loss. Where a pass looks at fewer distances, to find axes takes longer.
constexpr int64_t kProjectedSample = 128;
constexpr double kPassesToPay = 8.0, kWorthIt = 0.7, kMuchWork = double(1 << 18);
constexpr int64_t kFewestFeatures = 64, kFewestClusters = 32;

// Whether there may be a use for it, and memory: at most half of what X takes.
inline bool can_project(const Rows& X, int64_t k, int64_t spare_bytes, bool forced) {
  if (X.sparse || X.d <= kAxes + 1 || k < 2) return false;
  if (forced) return true;
  int64_t bytes = 4 * X.n * (kAxes + 2);
  return X.d >= kFewestFeatures && k >= kFewestClusters && double(X.n) * double(k) > kMuchWork &&
         bytes <= spare_bytes && 2 * bytes <= X.n * X.d * X.size;
}

// Whether passes are to use the projection. Asked in the first pass over rows that have labels:
// of a sample, those that are not safe tell how many centres stay near. If it pays, all rows are
// projected. False if `pool` does not come to the end of that.
template <class IsSafe, class ScratchOf>
inline bool use_projection(Pool& pool, Projection& by, const Rows& X, const double* shift,
                           const Centers& centers, const Table<float>& full, const int32_t* labels,
                           bool forced, IsSafe is_safe, ScratchOf scratch_of) {
  constexpr int64_t N = NearTile::N, kTiles = 16;
  if (!by.possible || (by.asked && !by.in_use)) return false;
  if (!by.asked) {
    BlockScratch<float>& s = scratch_of(0);
    int64_t sample[kProjectedSample], n = 0, n_near = 0;
    int64_t step = (X.n + kProjectedSample - 1) / kProjectedSample;
    for (int64_t i = 0; i < X.n; i += step)
      if (!is_safe(i)) sample[n++] = i;
    double k = double(by.k), d = double(X.d), share = double(n * step) / double(X.n);
    by.asked = true;
    if (!forced && !(share * double(X.n) * k > kMuchWork)) return false;
    if (!by.fill_axes(X, shift, s.buffer)) return false;
    by.follow(pool, centers, full);
    NearTile tile;
    for (int64_t first = 0; first < n; first += N) {
      tile.take({sample, 0, n}, first);
      for (int r = 0; r < tile.m; r++) tile.place[r] = r;
      by.project(X, tile.which, 0, tile.m, shift, s, by.rows, by.norms);
      tile.screen(by, X, shift, full, labels, s);
      for (int64_t c = 0; c < by.k; c++)
        for (uint32_t left = tile.rows_near(s.within[c]); left; left &= left - 1) n_near++;
    }
    // In vectors of products, of which a tile has two a cycle; one by one takes twice as long.
    double near = double(n_near) / double(maximum(n, int64_t(1))), of_pair = d / kLanes<float>;
    double of_all = k * of_pair + d, w = double(by.width);
    double work = k * (w + 8.0) / kLanes<float> + (near + 1.0) * (2.0 * of_pair + 20.0) + 40.0;
    work += (w * of_pair + 2.0 * d) / (kPassesToPay * share);
    if (!forced && !(work < kWorthIt * of_all)) return false;
    by.asked = by.in_use = pool.for_blocks((X.n + kTiles * N - 1) / (kTiles * N), [&](int64_t b,
                                                                                     int thread) {
      for (int64_t i = b * kTiles * N; i < minimum((b + 1) * kTiles * N, X.n); i += N)
        by.project(X, nullptr, i, int(minimum(N, X.n - i)), shift, scratch_of(thread),
                   by.rows + i * by.width, by.norms + i);
    });
  } else {
    by.follow(pool, centers, full);
  }
  return by.in_use;
}

}  // namespace LEVEL
