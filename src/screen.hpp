// Screens: scores of rows and centres in low precision, with a rigorous bound on their error.
//
// For a row x and a centre c, both less the shift, the score is |c|^2 - 2 x.c: the squared
// distance less |x|^2, which all centres share. The two least scores of a row tell its nearest
// centre if they lie farther apart than they may be off; what they leave open is decided by the
// definition, see definition.hpp.
//
// The bound. With u = eps / 2 and n terms in a sum, a product of numbers that were rounded before
// is off by at most (n + 2) u (|x|^2 + |c|^2), |c|^2 by u |c|^2, the sum of both by
// u (2 |c|^2 + |x|^2), and what a score is compared with by as much: eta (|x|^2 + |c|^2) in all,
// eta = 1.05 (n + 8) u, the 0.05 for what is of second order. In float64 the definition itself is
// no more exact than the score, over more terms: eta is four times that. Where products
// underflow, it is n times the least normal number more. The part of the centre is taken off its
// score beforehand, so that a far centre costs the others no precision. A NaN proves nothing: all
// tests are written so that it fails.
#pragma once
#include "definition.hpp"

namespace LEVEL {

// Products are added in runs of so many, then the runs: the error grows with the length of a run
// plus the number of runs. Half as many cost a tenth of the speed; twice as many leave more rows
// open where there are hundreds of features.
constexpr int64_t kRun = 32;
// Up to so many features |c|^2 is where the sum starts, instead of a sum by itself.
constexpr int64_t kShort = 8;
// Centres that are in registers at once: two vectors of sums each, next to two of the rows.
#if defined(__AVX512F__)
constexpr int kGroup = 12;
#else
constexpr int kGroup = 6;
#endif

inline int64_t sum_terms(int64_t d) {
  return d <= kShort ? 2 * d : minimum(d, kRun) + (d + kRun - 1) / kRun;
}

template <class T>
constexpr double kEps = sizeof(T) == 4 ? 1.1920928955078125e-07 : 2.220446049250313e-16;
template <class T>
constexpr double kTiny = sizeof(T) == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308;
template <class T>
constexpr T kFar = sizeof(T) == 4 ? T(2e37) : T(1e307);  // a score that no row has
constexpr double kInf = __builtin_inf();
// Squared norms above leave sums of products no room in float64.
constexpr double kLargestNorm = 1e300;

// Call f(c) for every centre, on several threads if they have many values.
template <class F>
inline void for_centers(Pool* pool, int64_t k, int64_t d, F f) {
  if (pool && k * d >= int64_t(1) << 16) {
    pool->for_blocks(k, [&](int64_t c, int) { f(c); });
  } else {
    for (int64_t c = 0; c < k; c++) f(c);
  }
}

// Centres as the definition and the screens of any precision need them.
struct Centers {
  int64_t k, d;
  const double* centers;
  double *offsets, *sq_norms;  // less the shift
  double* part_sums;  // of each centre, for CSR rows; these need no offsets
  int64_t n_parts;
  bool* repeated;  // equal to a centre of lower index: such a centre gets no rows
  bool has_repeated;
  double largest;  // of sq_norms

  void cut(Cutter& cutter, int64_t n_centers, int64_t n_features, bool for_sparse = false) {
    k = n_centers;
    d = n_features;
    n_parts = for_sparse ? number_of_parts(d) : 0;
    part_sums = cutter.take<double>(k * n_parts);
    offsets = cutter.take<double>(for_sparse ? 0 : k * d);
    sq_norms = cutter.take<double>(k);
    repeated = cutter.take<bool>(k);
  }

  void fill(const double* from, const double* shift, Pool* pool = nullptr) {
    centers = from;
    for_centers(pool, k, d, [&](int64_t c) { sq_norms[c] = fill_center(c, shift); });
    largest = 0.0;
    has_repeated = false;
    for (int64_t c = 0; c < k; c++) {
      const double* center = centers + c * d;
      largest = maximum(largest, sq_norms[c]);
      repeated[c] = false;
      for (int64_t other = 0; other < c; other++)
        if (sq_norms[other] == sq_norms[c] && equal(centers + other * d, center)) {
          repeated[c] = has_repeated = true;
          break;
        }
    }
  }

  // Whether float32 has room for the scores, and digits.
  bool fit_float() const { return largest < 1e30 && largest > 1e-28; }

 private:
  double fill_center(int64_t c, const double* shift) {
    const double* center = centers + c * d;
    if (n_parts) {
      double* sums = part_sums + c * n_parts;
      return add_parts(center, d, sums);
    }
    double total = 0.0;
    for (int64_t j = 0; j < d; j++) {
      double offset = center[j] - (shift ? shift[j] : 0.0);
      offsets[c * d + j] = offset;
      total += offset * offset;
    }
    return total;
  }

  bool equal(const double* a, const double* b) const {
    for (int64_t j = 0; j < d; j++)
      if (!(a[j] == b[j])) return false;
    return true;
  }
};

// Centres in one precision, and how far their scores may be off.
template <class T>
struct Table {
  using Value = T;
  int64_t k, padded, d;
  T* factors;  // (padded, d): -2 times the centres less the shift
  T* norms;    // a score is a product plus this: a lower bound, but for the row's part
  T* slack;    // how much too low a score may be for the centre's part
  T slack_of_norm;  // how far off two scores may be together, times the row's squared norm
  T eps;            // bounds the relative rounding of what is computed from scores and norms

  void cut(Cutter& cutter, int64_t n_centers, int64_t n_features) {
    k = n_centers;
    d = n_features;
    padded = (k + 1) / 2 * 2;
    factors = cutter.take<T>(padded * d);
    norms = cutter.take<T>(padded);
    slack = cutter.take<T>(padded);
  }

  // Of all centres, or of those that are listed. `lower` says whether scores are to be lower
  // bounds, or as near as they come.
  void fill(const Centers& of, const int64_t* which = nullptr, int64_t n = 0, bool lower = true) {
    k = which ? n : of.k;
    padded = (k + 1) / 2 * 2;
    double eta = error_of_scores(sum_terms(d));
    for (int64_t i = 0; i < padded; i++) {
      int64_t c = i < k ? (which ? which[i] : i) : -1;
      for (int64_t j = 0; j < d; j++)
        factors[i * d + j] = c < 0 ? T(0) : T(-2.0 * of.offsets[c * d + j]);
      bool far = c < 0 || of.repeated[c];
      norms[i] = far ? kFar<T> : T((1.0 - (lower ? 2.0 * eta : 0.0)) * of.sq_norms[c]);
      slack[i] = c < 0 ? T(0) : T(4.0 * eta * of.sq_norms[c] + 8.0 * double(d + 8) * kTiny<T>);
    }
    // The norm of a row is a sum in the same precision.
    slack_of_norm = T(2.0 * eta * (1.0 + double(d + 8) * kEps<T>));
    eps = T(8.0 * kEps<T>);
  }

  void fill(Pool&, const Centers& of, const Rows&) { fill(of); }

  static double error_of_scores(int64_t n_terms) {
    double eta = 0.525 * kEps<T> * double(n_terms + 8);
    return sizeof(T) == 4 ? eta : 4.0 * eta;
  }
};

// Call use(c, v, score) for N centres from `first` on and both vectors v of a tile.
template <class T, int N, class Use>
inline void score_group(const T* tile, const Table<T>& table, int64_t first, Use&& use) {
  constexpr int L = kLanes<T>;
  const int64_t d = table.d;
  const T* factors = table.factors + first * d;
  Vec<T> sums[N][2];
  auto add_run = [&](int64_t start, int64_t stop) {
    for (int64_t j = start; j < stop; j++) {
      Vec<T> a = load(tile + j * 2 * L), b = load(tile + j * 2 * L + L);
      for (int c = 0; c < N; c++) {
        Vec<T> factor = splat(factors[c * d + j]);
        sums[c][0] = mul_add(a, factor, sums[c][0]);
        sums[c][1] = mul_add(b, factor, sums[c][1]);
      }
    }
  };
  if (d <= kShort) {
    for (int c = 0; c < N; c++) sums[c][0] = sums[c][1] = splat(table.norms[first + c]);
    add_run(0, d);
    for (int c = 0; c < N; c++)
      for (int v = 0; v < 2; v++) use(first + c, v, sums[c][v]);
    return;
  }
  Vec<T> totals[N][2];
  for (int c = 0; c < N; c++) totals[c][0] = totals[c][1] = splat(table.norms[first + c]);
  for (int64_t start = 0; start < d; start += kRun) {
    for (int c = 0; c < N; c++) sums[c][0] = sums[c][1] = Vec<T>{};
    add_run(start, minimum(start + kRun, d));
    for (int c = 0; c < N; c++)
      for (int v = 0; v < 2; v++) totals[c][v] += sums[c][v];
  }
  for (int c = 0; c < N; c++)
    for (int v = 0; v < 2; v++) use(first + c, v, totals[c][v]);
}

// The same for all centres of the table, those that fill it up included.
template <class T, class Use>
inline void for_scores(const T* tile, const Table<T>& table, Use&& use) {
  int64_t c = 0;
  for (; c + kGroup <= table.padded; c += kGroup) score_group<T, kGroup>(tile, table, c, use);
  if (kGroup > 6 && c + 6 <= table.padded) {
    score_group<T, 6>(tile, table, c, use);
    c += 6;
  }
  if (c + 4 <= table.padded) {
    score_group<T, 4>(tile, table, c, use);
    c += 4;
  }
  if (c + 2 <= table.padded) score_group<T, 2>(tile, table, c, use);
}

// The two least scores of the rows of a tile, and the centre of the least: the first of equals.
template <class T>
inline void two_least(const T* tile, const Table<T>& table, T* best, T* second, int32_t* label) {
  constexpr int L = kLanes<T>;
  Vec<T> least[2], next[2];
  Mask<T> nearest[2];
  for (int v = 0; v < 2; v++) {
    least[v] = next[v] = splat(T(kInf));
    nearest[v] = Mask<T>{};
  }
  for_scores(tile, table, [&](int64_t c, int v, Vec<T> score) {
    Mask<T> nearer = score < least[v];
    Vec<T> larger = least[v] > score ? least[v] : score;  // each compiles to one instruction
    least[v] = score < least[v] ? score : least[v];
    next[v] = larger < next[v] ? larger : next[v];
    nearest[v] = nearer ? Mask<T>{} + decltype(nearest[v][0] + 0)(c) : nearest[v];
  });
  for (int v = 0; v < 2; v++) {
    store(best + v * L, least[v]);
    store(second + v * L, next[v]);
    for (int r = 0; r < L; r++) label[v * L + r] = int32_t(nearest[v][r]);
  }
}

// For each centre the rows of a tile whose score is not above their bound, as bits.
template <class T>
inline void rows_within(const T* tile, const Table<T>& table, const T* bound, uint32_t* rows) {
  constexpr int L = kLanes<T>;
  Vec<T> limit[2] = {load(bound), load(bound + L)};
  for (int64_t c = 0; c < table.padded; c++) rows[c] = 0;
  for_scores(tile, table, [&](int64_t c, int v, Vec<T> score) {
    rows[c] |= bits_of(Mask<T>(~(score > limit[v]))) << (v * L);
  });
}

// Squared norms of the rows of a tile.
template <class T>
inline void norms_of_tile(const T* tile, int64_t d, T* norms) {
  constexpr int L = kLanes<T>;
  Vec<T> a{}, b{};
  for (int64_t j = 0; j < d; j++) {
    Vec<T> x = load(tile + j * 2 * L), y = load(tile + j * 2 * L + L);
    a = mul_add(x, x, a);
    b = mul_add(y, y, b);
  }
  store(norms, a);
  store(norms + L, b);
}

}  // namespace LEVEL
