// Passes over all rows that add up: moments, norms and keys, sums of clusters, inertia; and the
// step of the centres to their means.
//
// All sums are in float64 and of one order: in a block by row (or by row modulo 8, see `moments`),
// blocks by number. It depends on the shape of X alone.
#pragma once
#include "cluster_parts.hpp"

namespace LEVEL {

// What a pass over all rows has to do, in numbers read.
inline double n_values(const Rows& X) {
  return X.sparse ? double(index_at(X.indptr, X.wide, X.n)) : double(X.n) * double(X.d);
}

inline void fill(double* values, int64_t n, double value) {
  for (int64_t i = 0; i < n; i++) values[i] = value;
}

inline Status status_of(bool done) { return done ? core::ok : core::interrupted; }

// Memory to read rows with: tiles of dense ones, entries of CSR ones.
struct Reader {
  double *tile, *buffer, *row;
  Entries entries;

  void cut(Cutter& cutter, const Rows* X) {
    tile = cutter.take<double>(X->sparse ? 0 : size_of_buffer<double>(X->d));
    buffer = cutter.take<double>(X->sparse ? 0 : size_of_buffer<double>(X->d));
    row = cutter.take<double>(X->sparse ? 0 : X->d);
    entries.columns = cutter.take<int64_t>(X->longest);
    entries.values = cutter.take<double>(X->longest);
  }
};

// --- moments ---------------------------------------------------------------------------------

// Of a block: weight, means and sums of squared deviations of its rows.
struct Moments : Reader {
  double *mean, *squares, *stored_weight;
  int64_t* n_stored;
  double* lanes;  // of each feature 8 sums, the first of rows 0, 8, 16, ... of the block
  double weight;

  void cut(Cutter& cutter, const Rows* X) {
    Reader::cut(cutter, X);
    mean = cutter.take<double>(X->d);
    squares = cutter.take<double>(X->d);
    lanes = cutter.take<double>(X->sparse ? 0 : 8 * X->d);
    stored_weight = cutter.take<double>(X->sparse ? X->d : 0);
    n_stored = cutter.take<int64_t>(X->sparse ? X->d : 0);
  }

  // Add up term(x, j), times the weight, of all rows; those without weight add nothing, whatever
  // they are. `sums` gets one number for each feature.
  template <class F>
  void add_up(const Rows& X, const double* weights, int64_t start, int64_t stop, double* sums,
              F term) {
    constexpr int N = kTile<double>, L = kLanes<double>;
    fill(lanes, 8 * X.d, 0.0);
    for (int64_t first = start; first < stop; first += N) {
      int n = int(minimum<int64_t>(N, stop - first));
      read_tile<double>(X, nullptr, first, n, nullptr, buffer, tile);
      double w[N];
      for (int r = 0; r < N; r++) w[r] = r < n ? (weights ? weights[first + r] : 1.0) : 0.0;
      Vec<double> w0 = load(w), w1 = load(w + L);
      Mask<double> counts0 = w0 > 0.0, counts1 = w1 > 0.0;
      double* at = lanes + (first - start) % 8;
      double* next = lanes + (first - start + L) % 8;
      for (int64_t j = 0; j < X.d; j++) {
        Vec<double> a = w0 * term(load(tile + j * N), j), b = w1 * term(load(tile + j * N + L), j);
        a = (Vec<double>)((Mask<double>)a & counts0);
        b = (Vec<double>)((Mask<double>)b & counts1);
        store(at + 8 * j, load(at + 8 * j) + a);
        store(next + 8 * j, load(next + 8 * j) + b);
      }
    }
    for (int64_t j = 0; j < X.d; j++) sums[j] = add_in_pairs(lanes + 8 * j);
  }

  void of_dense(const Rows& X, const double* weights, int64_t start, int64_t stop) {
    double sums[8] = {};
    for (int64_t i = start; i < stop; i++) sums[(i - start) % 8] += weights ? weights[i] : 1.0;
    weight = add_in_pairs(sums);
    if (!(weight > 0.0)) return;
    add_up(X, weights, start, stop, mean, [](Vec<double> x, int64_t) { return x; });
    for (int64_t j = 0; j < X.d; j++) mean[j] /= weight;
    add_up(X, weights, start, stop, squares, [this](Vec<double> x, int64_t j) {
      Vec<double> off = x - mean[j];
      return off * off;
    });
  }

  // What is not stored is a zero, which is as far from the mean as the mean from zero.
  void of_sparse(const Rows& X, const double* weights, int64_t start, int64_t stop) {
    int64_t n_rows = 0;
    weight = 0.0;
    fill(mean, X.d, 0.0);
    fill(squares, X.d, 0.0);
    fill(stored_weight, X.d, 0.0);
    for (int64_t j = 0; j < X.d; j++) n_stored[j] = 0;
    auto for_entries = [&](auto f) {
      for (int64_t i = start; i < stop; i++) {
        double w = weights ? weights[i] : 1.0;
        if (!(w > 0.0)) continue;
        read_entries(X, i, entries);
        for (int64_t e = 0; e < entries.n; e++) f(entries.columns[e], entries.values[e], w);
      }
    };
    for (int64_t i = start; i < stop; i++) {
      weight += weights ? weights[i] : 1.0;
      n_rows += !weights || weights[i] > 0.0;
    }
    if (!n_rows) return;
    for_entries([&](int64_t j, double x, double w) {
      mean[j] += w * x;
      stored_weight[j] += w;
      n_stored[j]++;
    });
    for (int64_t j = 0; j < X.d; j++) mean[j] /= weight;
    for_entries([&](int64_t j, double x, double w) {
      double off = x - mean[j];
      squares[j] += w * (off * off);
    });
    for (int64_t j = 0; j < X.d; j++) {
      // A difference of weights would leave rounding where there is no zero.
      if (n_stored[j] == n_rows) continue;
      squares[j] += maximum(weight - stored_weight[j], 0.0) * (mean[j] * mean[j]);
    }
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

// Weight of the rows; mean and weighted sum of squared deviations of each feature.
inline Status moments(const Call& call, const Rows& X, const double* weights, double* total,
                      double* mean, double* squares) {
  Blocks blocks(call, X, X.n);
  Pool pool(call, 4 * n_values(X), blocks.count);
  Scratch<Moments> scratch(pool.n_threads(), &X);
  if (!scratch) return core::no_memory;
  *total = 0.0;
  fill(mean, X.d, 0.0);
  fill(squares, X.d, 0.0);
  Turns turns;
  return status_of(pool.for_blocks(blocks.count, [&](int64_t b, int thread) {
    Moments& part = scratch.of(thread);
    if (X.sparse)
      part.of_sparse(X, weights, blocks.start(b), blocks.stop(b));
    else
      part.of_dense(X, weights, blocks.start(b), blocks.stop(b));
    turns.in_turn(b, pool, [&] { part.add_to(*total, mean, squares, X.d); });
  }));
}

// --- norms, keys and own distances -----------------------------------------------------------

// Call sum_of(start, stop, scratch) for all blocks, in threads; add up what it returns.
template <class F>
inline Status add_blocks(const Call& call, const Rows& X, double* total, F sum_of) {
  Blocks blocks(call, X, X.n);
  Pool pool(call, 2 * n_values(X), blocks.count);
  Scratch<Reader> scratch(pool.n_threads(), &X);
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

// Squared distances from the shift, and keys: what direction makes of the rows less the shift.
// Equal rows have equal keys, in every layout: features are added one after the other. Either may
// be null. Returns the weighted sum of the squared distances, which is finite if the rows are.
inline Status norms_and_keys(const Call& call, const Rows& X, const double* weights,
                             const double* shift, const double* direction, void* sq_norms,
                             bool norms_are_double, double* keys, double* sum_of_squares) {
  auto note = [=](int64_t i, double norm, double key) {
    if (sq_norms && norms_are_double) ((double*)sq_norms)[i] = norm;
    if (sq_norms && !norms_are_double) ((float*)sq_norms)[i] = float(norm);
    if (keys) keys[i] = key;
    double w = weights ? weights[i] : 1.0;
    return w > 0.0 ? w * norm : 0.0;
  };
  return add_blocks(call, X, sum_of_squares, [&](int64_t start, int64_t stop, Reader& reader) {
    double total = 0.0;
    if (X.sparse) {
      for (int64_t i = start; i < stop; i++) {
        read_entries(X, i, reader.entries);
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
    constexpr int N = kTile<double>, L = kLanes<double>;
    for (int64_t first = start; first < stop; first += N) {
      int n = int(minimum<int64_t>(N, stop - first));
      read_tile<double>(X, nullptr, first, n, shift, reader.buffer, reader.tile);
      const double* tile = reader.tile;
      double norm[N], key[N];
      for (int v = 0; v < 2; v++) {
        const double* columns = tile + v * L;
        store(norm + v * L, sum_of_terms<Vec<double>>(0, X.d, [columns](int64_t j) {
                Vec<double> x = load(columns + j * N);
                return x * x;
              }));
      }
      Vec<double> key0{}, key1{};
      for (int64_t j = 0; direction && j < X.d; j++) {
        key0 += load(tile + j * N) * direction[j];
        key1 += load(tile + j * N + L) * direction[j];
      }
      store(key, key0);
      store(key + L, key1);
      for (int r = 0; r < n; r++) total += note(first + r, norm[r], key[r]);
    }
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
    with_type(X.type, [&](auto example) {
      using S = decltype(example);
      for (int64_t i = start; i < stop; i++) {
        convert<S>(X.values + i * X.row_stride, X.feature_stride, X.swapped, X.d, nullptr,
                   reader.row);
        add(i, sq_distance(reader.row, centers + labels[i] * X.d, X.d));
      }
    });
    return total;
  });
}

// --- sums of clusters ------------------------------------------------------------------------

struct OnlyParts : ClusterParts {
  void cut(Cutter& cutter, const Rows* X, int64_t k, int64_t n_rows) {
    ClusterParts::cut(cutter, *X, k, n_rows, false);
  }
};

// Add the rows, less one origin or that of their cluster (null: as they are), to the sums of
// their clusters; and their weighted squared distances from it to `squares`, which may be null.
inline Status cluster_sums(const Call& call, const Rows& X, const double* weights,
                           const double* origins, bool one_origin, const int32_t* labels,
                           int64_t k, core::ClusterSums into, double* squares) {
  Blocks blocks(call, X, X.n);
  Pool pool(call, 2 * n_values(X), X.sparse ? 1 : blocks.count);
  Scratch<OnlyParts> scratch(pool.n_threads(), &X, k, blocks.size);
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
