// Passes over all rows that add up: norms and keys, sums of clusters, inertia; and the step of
// the centres to their means.
//
// All sums are in float64 and of one order: in a block by row, blocks by number. It depends on
// the shape of X alone.
#pragma once
#include "cluster_parts.hpp"
#include "moments.hpp"

namespace LEVEL {

// --- norms, keys and own distances -----------------------------------------------------------

// Call sum_of(start, stop, scratch) for all blocks, in threads; add up what it returns.
template <class F>
inline Status add_blocks(const Call& call, const Rows& X, double* total, F sum_of) {
  Blocks blocks(call, X, X.n);
  Pool pool(call, 2 * n_values(X), blocks.count);
  Scratch<Reader> scratch(pool.n_threads(), X);
  Memory memory(size_t(blocks.count) * sizeof(double));
  if (!scratch || !memory) return core::no_memory;
  double* sums = (double*)memory.begin();
  bool done = pool.for_blocks(blocks.count, [&](int64_t b, int thread) {
    sums[b] = sum_of(blocks.start(b), blocks.stop(b), scratch.of(thread));
  });
  *total = 0.0;
  for (int64_t b = 0; done && b < blocks.count; b++) *total += sums[b];
  return status_of(done);
}

// Products of N rows with the direction, each added up in the order of the features.
template <int N>
inline void add_products(const double* rows, const double* direction, int64_t d, double* out) {
  double sums[N] = {};
  for (int64_t j = 0; j < d; j++)
    for (int r = 0; r < N; r++) sums[r] += rows[r * d + j] * direction[j];
  for (int r = 0; r < N; r++) out[r] = sums[r];
}

// Squared distances from the shift, and keys: what direction makes of the rows less the shift.
// Equal rows have equal keys, in every layout: features are added one after the other. Either may
// be null. Returns the weighted sum of the squared distances, which is finite only if all rows are,
// those without weight too.
inline Status norms_and_keys(const Call& call, const Rows& X, const double* weights,
                             const double* shift, const double* direction, void* sq_norms,
                             bool norms_are_double, double* keys, double* sum_of_squares) {
  auto note = [=](int64_t i, double norm, double key) {
    if (sq_norms && norms_are_double) ((double*)sq_norms)[i] = norm;
    if (sq_norms && !norms_are_double) ((float*)sq_norms)[i] = float(norm);
    if (keys) keys[i] = key;
    return (weights ? weights[i] : 1.0) * norm;
  };
  return add_blocks(call, X, sum_of_squares, [&](int64_t start, int64_t stop, Reader& reader) {
    double total = 0.0;
    if (X.sparse) {
      for (int64_t i = start; i < stop; i++) {
        read_in_order(X, i, reader.entries);
        const Entries& row = reader.entries;
        double norm = 0.0, key = 0.0;
        for (int64_t e = 0; e < row.n; e++) {
          norm += row.values[e] * row.values[e];
          if (direction) key += row.values[e] * direction[row.columns[e]];
        }
        total += note(i, norm, key);
      }
      return total;
    }
    const int64_t d = X.d;
    reader.for_groups(X, start, stop, shift, [&](int64_t first, int64_t n, const double* rows) {
      double key[kTogether] = {};
      // Several rows at a time: an addition waits for the one before.
      for (int64_t r = 0; direction && r + 8 <= n; r += 8)
        add_products<8>(rows + r * d, direction, d, key + r);
      for (int64_t r = n / 8 * 8; direction && r < n; r++)
        add_products<1>(rows + r * d, direction, d, key + r);
      for (int64_t r = 0; r < n; r++) total += note(first + r, sq_norm(rows + r * d, d), key[r]);
    });
    return total;
  });
}

// Squared distance of each row to the centre of its label (out may be null), and their weighted
// sum.
inline Status own_distances(const Call& call, const Rows& X, const double* weights,
                            const double* centers, int64_t k, const int32_t* labels, double* out,
                            double* inertia) {
  Memory memory(X.sparse ? size_t(k) * sizeof(double) : 0);
  if (!memory) return core::no_memory;
  double* norms = (double*)memory.begin();
  for (int64_t c = 0; X.sparse && c < k; c++) norms[c] = sq_norm(centers + c * X.d, X.d);
  return add_blocks(call, X, inertia, [&](int64_t start, int64_t stop, Reader& reader) {
    double total = 0.0;
    auto add = [&](int64_t i, double distance) {
      double w = weights ? weights[i] : 1.0;
      if (out) out[i] = distance;
      if (w > 0.0) total += w * distance;
    };
    if (X.sparse) {
      for (int64_t i = start; i < stop; i++) {
        read_entries(X, i, reader.entries);
        int64_t c = labels[i];
        add(i, sparse_sq_distance(reader.entries, centers + c * X.d, norms[c]));
      }
      return total;
    }
    reader.for_groups(X, start, stop, nullptr, [&](int64_t first, int64_t n, const double* rows) {
      for (int64_t r = 0; r < n; r++) {
        const double* center = centers + labels[first + r] * X.d;
        add(first + r, sq_distance(rows + r * X.d, center, X.d));
      }
    });
    return total;
  });
}

// --- sums of clusters ------------------------------------------------------------------------

struct OnlyParts : ClusterParts {
  void cut(Cutter& cutter, const Rows& X, int64_t k, int64_t n_rows) {
    ClusterParts::cut(cutter, X, k, n_rows, false);
  }
};

// Add the rows, less one origin or that of their cluster (null: as they are), to the sums of
// their clusters; and their weighted squared distances from it to `squares`, which may be null.
inline Status cluster_sums(const Call& call, const Rows& X, const double* weights,
                           const double* origins, bool one_origin, const int32_t* labels,
                           int64_t k, core::ClusterSums into, double* squares) {
  Blocks blocks(call, X, X.n);
  Pool pool(call, 2 * n_values(X), X.sparse ? 1 : blocks.count);
  Scratch<OnlyParts> scratch(pool.n_threads(), X, k, blocks.size);
  if (!scratch) return core::no_memory;
  ClusterTotals totals = {&X, weights, origins, one_origin, into, squares};
  Turns turns;
  return status_of(pool.for_blocks(blocks.count, [&](int64_t b, int thread) {
    int64_t start = blocks.start(b);
    scratch.of(thread).add(pool, turns, b, totals, blocks.stop(b) - start, [=](int64_t i) {
      return Change{start + i, labels[start + i], -1};
    });
  }));
}

// --- the step of the centres -----------------------------------------------------------------

// Call f(c) for all centres; in threads if k * d is large.
template <class F>
inline bool for_centers(Pool& pool, int64_t k, int64_t d, F f) {
  int64_t size = maximum<int64_t>(1, (int64_t(1) << 14) / maximum<int64_t>(d, 1));
  return pool.for_blocks((k + size - 1) / size, [&](int64_t b, int) {
    int64_t stop = minimum(k, (b + 1) * size);
    for (int64_t c = b * size; c < stop; c++) f(c);
  });
}

// The square of a norm that falls by this in one step has lost half of its digits.
constexpr double kCancelledSquare = 1e14;

// Whether the sums have lost their digits to rows that left; the inertia that the sums tell, not
// finite where a square overflows; and if `means` are wanted, these and the squared movement.
inline Status update_means(const Call& call, core::MeansJob& job) {
  struct Result {
    double product, norm, center_shift;
    bool lost_digits;
  };
  const int64_t k = job.k, d = job.d;
  Pool pool(call, 4.0 * double(k) * double(d));
  Memory memory(size_t(k) * sizeof(Result));
  if (!memory) return core::no_memory;
  Result* results = (Result*)memory.begin();
  const double* shift = job.shift;
  bool done = for_centers(pool, k, d, [&](int64_t c) {
    const double *sums = job.sums + c * d, *center = job.centers + c * d;
    const double weight = job.weights[c];
    Result& result = results[c];
    result = {0.0, 0.0, 0.0, false};
    if (job.norms_before) {
      double norm = sq_norm(sums, d);
      result.lost_digits = job.norms_before[c] > kCancelledSquare * norm;
      job.norms_before[c] = norm;
    }
    if (job.weights_before) {
      double before = job.weights_before[c];
      if (before * before > kCancelledSquare * (weight * weight)) result.lost_digits = true;
      job.weights_before[c] = weight;
    }
    result.product = sum_of_terms<double>(0, d, [=](int64_t j) {
      return (center[j] - (shift ? shift[j] : 0.0)) * sums[j];
    });
    result.norm = shift ? sq_distance(center, shift, d) : sq_norm(center, d);
    if (!job.means) return;
    double* mean = job.means + c * d;
    for (int64_t j = 0; j < d; j++) mean[j] = sums[j] / weight + (shift ? shift[j] : 0.0);
    result.center_shift = sq_distance(mean, center, d);
  });
  double product = 0.0, own = 0.0;
  job.lost_digits = false;
  job.center_shift = 0.0;
  for (int64_t c = 0; done && c < k; c++) {
    product += results[c].product;
    own += job.weights[c] * results[c].norm;
    job.center_shift += results[c].center_shift;
    job.lost_digits |= results[c].lost_digits;
  }
  job.inertia = job.sum_of_squares - 2.0 * product + own;
  return status_of(done);
}

// Move centres to the means of all rows that have chosen them: `counts` is the weight of these,
// `sums` (less the shift) and `weights` are those of the last batch, which counts include.
inline Status move_centers(const Call& call, int64_t k, int64_t d, const double* shift,
                           const double* counts, const double* sums, const double* weights,
                           const double* centers, double* moved, double* center_shift) {
  constexpr double kTiny = 2.2250738585072014e-308;
  Pool pool(call, 4.0 * double(k) * double(d));
  Memory memory(size_t(k) * sizeof(double));
  if (!memory) return core::no_memory;
  double* squares = (double*)memory.begin();
  bool done = for_centers(pool, k, d, [&](int64_t c) {
    const double *sum = sums + c * d, *center = centers + c * d;
    double* step = moved + c * d;
    double count = maximum(counts[c], kTiny);
    for (int64_t j = 0; j < d; j++)
      step[j] = (sum[j] - (center[j] - (shift ? shift[j] : 0.0)) * weights[c]) / count;
    squares[c] = sq_norm(step, d);
    for (int64_t j = 0; j < d; j++) step[j] += center[j];
  });
  *center_shift = 0.0;
  for (int64_t c = 0; done && c < k; c++) *center_shift += squares[c];
  return status_of(done);
}

}  // namespace LEVEL
