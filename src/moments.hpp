// Reading the rows of a block one after the other; and means and variances.
#pragma once
#include "definition.hpp"

namespace LEVEL {

// What a pass over all rows has to do, in numbers read.
inline double n_values(const Rows& X) {
  return X.sparse ? double(index_at(X.indptr, X.wide, X.n)) : double(X.n) * double(X.d);
}

inline void fill(double* values, int64_t n, double value) {
  for (int64_t i = 0; i < n; i++) values[i] = value;
}

inline Status status_of(bool done) { return done ? core::ok : core::interrupted; }

// Rows that are read at once: a line of the cache of each column, where columns lie in memory.
constexpr int64_t kTogether = 16;

// Memory to read rows with: a group of dense ones, the entries of CSR ones.
struct Reader {
  double* buffer;
  Entries entries;

  void cut(Cutter& cutter, const Rows& X) {
    buffer = cutter.take<double>(X.sparse ? 0 : kTogether * X.d);
    entries.columns = cutter.take<int64_t>(X.sparse ? X.longest : 0);
    entries.values = cutter.take<double>(X.sparse ? X.longest : 0);
  }

  // Call f(first, n, rows) for all groups of dense rows, less the shift.
  template <class F>
  void for_groups(const Rows& X, int64_t start, int64_t stop, const double* shift, F f) {
    for (int64_t first = start; first < stop; first += kTogether) {
      int64_t n = minimum(kTogether, stop - first);
      f(first, n, read_rows(X, first, n, shift, buffer));
    }
  }
};

// Of a block of dense rows: weight, means and sums of squared deviations of its rows.
struct Moments : Reader {
  double *mean, *squares, *lanes, *means, weight;

  void cut(Cutter& cutter, const Rows& X) {
    Reader::cut(cutter, X);
    mean = cutter.take<double>(X.d);
    squares = cutter.take<double>(X.d);
    lanes = cutter.take<double>(8 * X.d);
    means = cutter.take<double>(8 * X.d);
  }

  // Add up term(value, j) by feature, times the weight; rows without weight add nothing, whatever
  // they are. The rows 0, 8, 16, ... of the block are added up first, and so on; the eight sums
  // in pairs. j is that of the value among those of eight rows.
  template <class F>
  void add_up(const Rows& X, const double* weights, int64_t start, int64_t stop, double* sums,
              F term) {
    const int64_t d = X.d;
    if (X.row_stride < X.feature_stride) return add_up_columns(X, weights, start, stop, sums, term);
    fill(lanes, 8 * d, 0.0);
    for_groups(X, start, stop, nullptr, [&](int64_t first, int64_t n, const double* rows) {
      double* __restrict__ to = lanes;
      for (int64_t r = 0; r < n; r += 8) {
        const double* values = rows + r * d;
        int64_t n_together = minimum<int64_t>(8, n - r);
        if (!weights) {
          for (int64_t j = 0; j < n_together * d; j++) to[j] += term(values[j], j);
          continue;
        }
        for (int64_t i = 0; i < n_together; i++) {
          double w = weights[first + r + i];
          if (!(w > 0.0)) continue;
          for (int64_t j = i * d; j < (i + 1) * d; j++) to[j] += w * term(values[j], j);
        }
      }
    });
    for (int64_t j = 0; j < d; j++) {
      double of_feature[8];
      for (int i = 0; i < 8; i++) of_feature[i] = lanes[i * d + j];
      sums[j] = add_in_pairs(of_feature);
    }
  }

  // The same, where columns lie in memory: one after the other, a piece at a time.
  template <class F>
  void add_up_columns(const Rows& X, const double* weights, int64_t start, int64_t stop,
                      double* sums, F term) {
    constexpr int64_t kPiece = 512;
    double column[kPiece];
    for (int64_t j = 0; j < X.d; j++) {
      double of_feature[8] = {};
      for (int64_t first = start; first < stop; first += kPiece) {
        int64_t n = minimum(kPiece, stop - first), r = 0;
        const char* place = X.values + first * X.row_stride + j * X.feature_stride;
        convert_values(X, place, X.row_stride, n, nullptr, column);
        for (; !weights && r + 8 <= n; r += 8)
          for (int i = 0; i < 8; i++) of_feature[i] += term(column[r + i], j);
        for (; r < n; r++) {
          double w = weights ? weights[first + r] : 1.0;
          of_feature[r % 8] += w > 0.0 ? w * term(column[r], j) : 0.0;
        }
      }
      sums[j] = add_in_pairs(of_feature);
    }
  }

  void of_block(const Rows& X, const double* weights, int64_t start, int64_t stop) {
    double sums[8] = {};
    for (int64_t i = start; i < stop; i++) sums[(i - start) % 8] += weights ? weights[i] : 1.0;
    weight = add_in_pairs(sums);
    if (!(weight > 0.0)) return;
    add_up(X, weights, start, stop, mean, [](double x, int64_t) { return x; });
    for (int64_t j = 0; j < X.d; j++) mean[j] /= weight;
    for (int64_t j = 0; j < 8 * X.d; j++) means[j] = mean[j % X.d];
    const double* center = means;
    add_up(X, weights, start, stop, squares, [center](double x, int64_t j) {
      double off = x - center[j];
      return off * off;
    });
  }

  // Chan, Golub and LeVeque (1983).
  void add_to(double& total, double* all_mean, double* all_squares, int64_t d) const {
    if (!(weight > 0.0)) return;
    double ratio = weight / (total + weight);
    for (int64_t j = 0; j < d; j++) {
      double delta = mean[j] - all_mean[j];
      all_squares[j] += squares[j] + delta * delta * (total * ratio);
      all_mean[j] += delta * ratio;
    }
    total += weight;
  }
};

// The same of CSR rows, in one go: parts of so many features take longer to clear than to fill.
// What is not stored is a zero, which is as far from the mean as the mean from zero.
inline Status sparse_moments(const Rows& X, const double* weights, double* total, double* mean,
                             double* squares) {
  Scratch<Reader> scratch(1, X);
  Memory memory(size_t(X.d) * (sizeof(int64_t) + sizeof(double)));
  if (!scratch || !memory) return core::no_memory;
  Entries& row = scratch.of(0).entries;
  int64_t *n_stored = (int64_t*)(void*)memory.begin(), n_rows = 0;
  double* stored_weight = (double*)(n_stored + X.d);
  for (int64_t j = 0; j < X.d; j++) {
    n_stored[j] = 0;
    stored_weight[j] = 0.0;
  }
  auto for_entries = [&](auto of_row, auto of_entry) {
    for (int64_t i = 0; i < X.n; i++) {
      double w = weights ? weights[i] : 1.0;
      if (!(w > 0.0)) continue;
      of_row(w);
      read_entries(X, i, row);
      for (int64_t e = 0; e < row.n; e++) of_entry(row.columns[e], row.values[e], w);
    }
  };
  auto count = [&](double w) {
    *total += w;
    n_rows++;
  };
  for_entries(count, [&](int64_t j, double x, double w) {
    mean[j] += w * x;
    stored_weight[j] += w;
    n_stored[j]++;
  });
  for (int64_t j = 0; n_rows && j < X.d; j++) mean[j] /= *total;
  for_entries([](double) {}, [&](int64_t j, double x, double w) {
    double off = x - mean[j];
    squares[j] += w * (off * off);
  });
  for (int64_t j = 0; j < X.d; j++) {
    // A difference of weights would leave rounding where there is no zero.
    if (n_stored[j] == n_rows) continue;
    squares[j] += maximum(*total - stored_weight[j], 0.0) * (mean[j] * mean[j]);
  }
  return core::ok;
}

// Weight of the rows; mean and weighted sum of squared deviations of each feature.
inline Status moments(const Call& call, const Rows& X, const double* weights, double* total,
                      double* mean, double* squares) {
  *total = 0.0;
  fill(mean, X.d, 0.0);
  fill(squares, X.d, 0.0);
  if (X.sparse) return sparse_moments(X, weights, total, mean, squares);
  Blocks blocks(call, X, X.n);
  Pool pool(call, 4 * n_values(X), blocks.count);
  Scratch<Moments> scratch(pool.n_threads(), X);
  if (!scratch) return core::no_memory;
  Turns turns;
  return status_of(pool.for_blocks(blocks.count, [&](int64_t b, int thread) {
    Moments& part = scratch.of(thread);
    part.of_block(X, weights, blocks.start(b), blocks.stop(b));
    turns.in_turn(b, pool, [&] { part.add_to(*total, mean, squares, X.d); });
  }));
}

}  // namespace LEVEL
