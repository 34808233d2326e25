// Many distances of each row: to all centres, or to other rows, added up by cluster.
//
// All by differences, or where rows are CSR by products that are done again where they cancel.
// Rows are looked at a tile at a time; what comes of a row depends on that row alone.
#pragma once
#include "csr_panel.hpp"
#include "moments.hpp"

namespace LEVEL {

// Rows that a thread takes at a time. More read the centres, or other rows, less often; fewer
// stay in the cache up to more features.
constexpr int64_t kRowsAtOnce = 64;

// Centres feature by feature, for CSR rows: an entry meets all of them side by side.
class CentersByFeature {
 public:
  CentersByFeature(const Rows& X, const double* centers, int64_t k)
      : memory_(X.sparse ? size_t(k) * size_t(X.d + 1) * sizeof(double) : 0), k_(k) {
    if (!memory_ || !X.sparse) return;
    norms_ = (double*)memory_.begin();
    table_ = norms_ + k;
    for (int64_t c = 0; c < k; c++) {
      norms_[c] = sq_norm(centers + c * X.d, X.d);
      for (int64_t j = 0; j < X.d; j++) table_[j * k + c] = centers[c * X.d + j];
    }
  }
  explicit operator bool() const { return bool(memory_); }

  // As `sparse_sq_distance` has it, of all centres.
  void sq_distances(const Entries& row, double* __restrict__ out) const {
    fill(out, k_, 0.0);
    for (int64_t e = 0; e < row.n; e++) {
      const double value = row.values[e];
      const double* features = table_ + row.columns[e] * k_;
      for (int64_t c = 0; c < k_; c++) out[c] += value * (value - 2.0 * features[c]);
    }
    for (int64_t c = 0; c < k_; c++) out[c] = sum_or_zero(out[c], norms_[c]);
  }

 private:
  Memory memory_;
  int64_t k_;
  double *norms_ = nullptr, *table_ = nullptr;
};

struct PairScratch {
  double *tile, *buffer, *scores;
  Entries entries;

  void cut(Cutter& cutter, const Rows& X, int64_t k) {
    tile = cutter.take<double>(X.sparse ? 0 : size_of_buffer<double>(X.d));
    buffer = cutter.take<double>(X.sparse ? 0 : size_of_buffer<double>(X.d));
    scores = cutter.take<double>(X.sparse ? k : 0);
    entries.columns = cutter.take<int64_t>(X.sparse ? X.longest : 0);
    entries.values = cutter.take<double>(X.sparse ? X.longest : 0);
  }
};

// Call f(i, n, c, squares) with the squared distances of rows i, ..., n of them, to centre c, for
// all n_rows rows and in the order of the centres for each. They are those of `index`, or without
// one the rows from `first` on.
template <class F>
inline Status for_distances(const Call& call, const Rows& X, const int64_t* index, int64_t first,
                            int64_t n_rows, const double* shift, const double* centers, int64_t k,
                            F f) {
  constexpr int N = kTile<double>;
  int64_t n_blocks = (n_rows + kRowsAtOnce - 1) / kRowsAtOnce;
  double width = X.sparse ? n_values(X) / double(maximum<int64_t>(X.n, 1)) : double(X.d);
  Pool pool(call, double(n_rows) * double(k) * width, n_blocks);
  Scratch<PairScratch> scratch(pool.n_threads(), X, k);
  CentersByFeature by_feature(X, centers, k);
  if (!scratch || !by_feature) return core::no_memory;
  return status_of(pool.for_blocks(n_blocks, [&](int64_t b, int thread) {
    PairScratch& s = scratch.of(thread);
    int64_t stop = minimum(n_rows, (b + 1) * kRowsAtOnce);
    if (X.sparse) {
      for (int64_t i = b * kRowsAtOnce; i < stop; i++) {
        read_entries(X, index ? index[i] : first + i, s.entries);
        by_feature.sq_distances(s.entries, s.scores);
        for (int64_t c = 0; c < k; c++) f(i, 1, c, s.scores + c);
      }
      return;
    }
    for (int64_t i = b * kRowsAtOnce; i < stop; i += N) {
      int n = int(minimum<int64_t>(N, stop - i));
      const int64_t* which = index ? index + i : nullptr;
      read_tile<double>(X, which, first + i, n, shift, s.buffer, s.tile);
      for (int64_t c = 0; c < k; c++) {
        double squares[N];
        sq_distances(s.tile, centers + c * X.d, X.d, squares);
        f(i, n, c, squares);
      }
    }
  }));
}

// Distances of rows from start to stop to all centres, (stop - start, k): by the definition.
inline Status distances(const Call& call, const Rows& X, int64_t start, int64_t stop,
                        const double* centers, int64_t k, bool squared, void* out,
                        bool out_is_double) {
  auto note = [=](int64_t i, int64_t n, int64_t c, const double* squares) {
    for (int64_t r = 0; r < n; r++) {
      double distance = squared ? squares[r] : __builtin_sqrt(squares[r]);
      int64_t place = (i + r) * k + c;
      if (out_is_double) ((double*)out)[place] = distance;
      else ((float*)out)[place] = float(distance);
    }
  };
  return for_distances(call, X, nullptr, start, stop - start, nullptr, centers, k, note);
}

// Squared distances plus `extra` of the centre: to the own centre of each row, and the least to
// another. The offsets are the centres less the shift.
inline Status own_and_nearest(const Call& call, const Rows& X, const int64_t* index, int64_t n,
                              const double* shift, const double* offsets, const double* extra,
                              int64_t k, const int32_t* labels, double* own, double* nearest) {
  fill(own, n, __builtin_inf());
  fill(nearest, n, __builtin_inf());
  auto note = [=](int64_t i, int64_t n_rows, int64_t c, const double* squares) {
    for (int64_t r = i; r < i + n_rows; r++) {
      double score = squares[r - i] + extra[c];
      if (labels[r] == c) own[r] = score;
      else if (!(score > nearest[r])) nearest[r] = score;
    }
  };
  return for_distances(call, X, index, 0, n, shift, offsets, k, note);
}

// --- distances to other rows -------------------------------------------------------------------

// Squared distance of two CSR rows by differences, the entries of both in order.
inline double sq_difference(const Entries& a, const Entries& b) {
  double total = 0.0;
  for (int64_t i = 0, j = 0; i < a.n || j < b.n;) {
    int64_t left = i < a.n ? a.columns[i] : INT64_MAX, right = j < b.n ? b.columns[j] : INT64_MAX;
    double difference = 0.0;
    if (left <= right) difference += a.values[i++];
    if (right <= left) difference -= b.values[j++];
    total += difference * difference;
  }
  return total;
}

// The rows that a thread compares with all others, and their sums so far.
struct Compared {
  static constexpr int N = kTile<double>;
  static constexpr int64_t kPanel = 32;  // other rows that are read at once
  double *tiles, *buffer, *panel, *totals;
  CsrPanel sparse;
  Entries entries, own;

  // Few where sums of so many clusters would take the memory.
  static int64_t rows_at_once(const Rows& X, int64_t n_clusters) {
    return X.sparse || n_clusters > 4096 ? N : kRowsAtOnce;
  }

  void cut(Cutter& cutter, const Rows& X, int64_t n_clusters) {
    tiles = cutter.take<double>(X.sparse ? 0 : rows_at_once(X, n_clusters) * X.d);
    buffer = cutter.take<double>(X.sparse ? X.d : size_of_buffer<double>(X.d));
    panel = cutter.take<double>(X.sparse ? 0 : kPanel * X.d);
    totals = cutter.take<double>(rows_at_once(X, n_clusters) * n_clusters);
    if (X.sparse) sparse.cut(cutter, X, N);
    for (Entries* each = &entries; each; each = each == &entries ? &own : nullptr) {
      each->columns = cutter.take<int64_t>(X.sparse ? X.longest : 0);
      each->values = cutter.take<double>(X.sparse ? X.longest : 0);
    }
  }

  void read(const Rows& X, const int64_t* index, int64_t n) {
    for (int64_t i = 0; i < n && !X.sparse; i += N) {
      int in_tile = int(minimum<int64_t>(N, n - i));
      read_tile<double>(X, index + i, 0, in_tile, nullptr, buffer, tiles + i * X.d);
    }
    if (!X.sparse) return;
    sparse.start(int(n));
    std::memset(sparse.places, 0, size_t(X.d) * sizeof(int32_t));
    sparse.fill(X, index, entries);
    for (int64_t r = 0; r < n; r++) {
      read_row(X, index[r], &entries, buffer);
      sparse.sq_norms[r] = sq_norm(buffer, X.d);
    }
  }

  // Squared distances to the CSR row that was read to `entries`: those of the panel, or by
  // differences where these have lost digits. Zero for equal rows.
  void sparse_sq_distances(const Rows& X, const int64_t* index, int64_t n, double* squares) {
    const double norm = sq_norm_of(entries);
    sparse.measure_row(entries, squares);
    constexpr double kCancelled = 1e-6;  // of the norms: what is below has lost too many digits
    for (int64_t r = 0; r < n; r++) {
      if (squares[r] > kCancelled * (norm + sparse.sq_norms[r])) continue;
      read_in_order(X, index[r], own);
      sort_entries(X.d, entries);
      squares[r] = sq_difference(own, entries);
    }
  }
};

// Sums of the distances of rows to the others by the clusters of these, (n, n_clusters): each of
// the others is of one cluster of each labeling.
inline Status distance_sums(const Call& call, const Rows& X, const int64_t* index, int64_t n,
                            const int64_t* others, int64_t n_others, const int32_t* clusters,
                            int64_t n_labelings, const double* weights, double* sums,
                            int64_t n_clusters) {
  constexpr int N = Compared::N;
  const int64_t at_once = Compared::rows_at_once(X, n_clusters);
  const int64_t n_blocks = (n + at_once - 1) / at_once;
  double width = X.sparse ? n_values(X) / double(maximum<int64_t>(X.n, 1)) : double(X.d);
  Pool pool(call, double(n) * double(n_others) * width, n_blocks);
  Scratch<Compared> scratch(pool.n_threads(), X, n_clusters);
  if (!scratch) return core::no_memory;
  return status_of(pool.for_blocks(n_blocks, [&](int64_t b, int thread) {
    Compared& s = scratch.of(thread);
    const int64_t start = b * at_once, n_rows = minimum(at_once, n - start);
    s.read(X, index + start, n_rows);
    fill(s.totals, at_once * n_clusters, 0.0);
    auto add = [&](int64_t tile, int64_t other, const double* squares) {
      double distances[N], w = weights ? weights[other] : 1.0;
      for (int r = 0; r < N; r++) distances[r] = w * __builtin_sqrt(squares[r]);
      for (int64_t l = 0; l < n_labelings; l++) {
        double* total = s.totals + (tile * n_clusters + clusters[other * n_labelings + l]) * N;
        for (int r = 0; r < N; r++) total[r] += distances[r];
      }
    };
    double squares[N];
    for (int64_t o = 0; o < n_others && X.sparse; o++) {
      if (o % 64 == 0 && !pool.goes_on(thread)) return;
      read_entries(X, others[o], s.entries);
      s.sparse_sq_distances(X, index + start, n_rows, squares);
      add(0, o, squares);
    }
    for (int64_t first = 0; first < n_others && !X.sparse; first += Compared::kPanel) {
      if (!pool.goes_on(thread)) return;
      int64_t n_panel = minimum(Compared::kPanel, n_others - first);
      for (int64_t p = 0; p < n_panel; p++)
        read_row(X, others[first + p], nullptr, s.panel + p * X.d);
      for (int64_t t = 0; t * N < n_rows; t++)
        for (int64_t p = 0; p < n_panel; p++) {
          sq_distances(s.tiles + t * N * X.d, s.panel + p * X.d, X.d, squares);
          add(t, first + p, squares);
        }
    }
    for (int64_t r = 0; r < n_rows; r++)
      for (int64_t c = 0; c < n_clusters; c++)
        sums[(start + r) * n_clusters + c] = s.totals[(r / N * n_clusters + c) * N + r % N];
  }));
}

}  // namespace LEVEL
