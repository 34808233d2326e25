// The nearest centre of CSR rows, which have no shift: screens over their entries.
//
// The centres lie feature by feature, so that an entry meets a contiguous run of them in vectors.
// Scores and their bounds are those of screen.hpp; the length of their sums is that of the
// longest row. What the scores leave open goes, first, to sums over entries in float64, which
// leave ties only; these are decided by the definition, see definition.hpp.
#pragma once
#include "nearest.hpp"

namespace LEVEL {

// Vectors of sums in registers at once: with more, AVX2 would keep some in memory.
constexpr int kMostVectors = 8;
// A part of the table that is larger than this many bytes is not in the cache when it is needed:
// then it is called for so many entries before. Half and twice as many are as good.
constexpr int64_t kInCache = 1 << 18;
constexpr int64_t kAhead = 16;

template <class T>
struct SparseTable {
  using Value = T;
  int64_t k, padded, d;
  // -2 times the centres. A group of them has for each feature its centres side by side; group
  // follows upon group.
  T* factors;
  T *norms, *slack;  // these and what follows: as in `Table`
  T slack_of_norm, eps;

  void cut(Cutter& cutter, int64_t n_centers, int64_t n_features) {
    constexpr int L = kLanes<T>;
    k = n_centers;
    d = n_features;
    padded = (k + L - 1) / L * L;
    factors = cutter.take<T>(padded * d);
    norms = cutter.take<T>(padded);
    slack = cutter.take<T>(padded);
  }

  // Groups are as equal as they can be. In vectors.
  int64_t n_groups() const {
    int64_t n_vectors = padded / kLanes<T>;
    return (n_vectors + kMostVectors - 1) / kMostVectors;
  }
  int64_t first_of_group(int64_t group) const {
    return padded / kLanes<T> * group / n_groups() * kLanes<T>;
  }

  void fill(Pool& pool, const Centers& of, const Rows& X) {
    int64_t n_terms = minimum(X.longest, kRun) + (X.longest + kRun - 1) / kRun;
    // 8 more for sums that are kept apart and then added up. In float64, 64 for the definition:
    // 32 roundings and one for each time its sum is cut in half.
    double eta = Table<T>::error_of_scores(n_terms + (sizeof(T) == 4 ? 8 : 72));
    for (int64_t c = 0; c < padded; c++) {
      bool far = c >= k || of.repeated[c];
      norms[c] = far ? kFar<T> : T((1.0 - 2.0 * eta) * of.sq_norms[c]);
      slack[c] = c < k ? T(4.0 * eta * of.sq_norms[c] + 8.0 * double(d + 8) * kTiny<T>) : T(0);
    }
    eps = T(8.0 * kEps<T>);
    slack_of_norm = T(2.0 * eta) * (T(1) + eps);
    constexpr int64_t kFeatures = 512;  // of a block
    pool.for_blocks((d + kFeatures - 1) / kFeatures, [&](int64_t b, int) {
      fill_features(of.centers, b * kFeatures, minimum((b + 1) * kFeatures, d));
    });
  }

 private:
  void fill_features(const double* centers, int64_t start, int64_t stop) {
    constexpr int L = kLanes<T>;
    constexpr int64_t kFew = 64;  // their lines stay in the cache until they are full
    for (int64_t j = start; j < stop; j += kFew)
      for (int64_t group = 0; group < n_groups(); group++) {
        int64_t first = first_of_group(group), last = first_of_group(group + 1);
        for (int64_t c = first; c < last; c += L)
          for (int64_t at = j; at < minimum(j + kFew, stop); at++) {
            T* out = factors + first * d + at * (last - first) + c - first;
            for (int i = 0; i < L; i++)
              out[i] = c + i < k ? T(-2.0 * centers[(c + i) * d + at]) : T(0);
          }
      }
  }
};

// The scores of a row and a group of V vectors of centres. Behind the entries of the row lie as
// many that are to come: their factors are called for.
template <int V, class T>
inline void score_entries(const Entries& row, int64_t n_coming, const T* factors, const T* norms,
                          T* out) {
  constexpr int L = kLanes<T>;
  constexpr int C = V > 4 ? 1 : V > 2 ? 2 : 4;  // sums to be added to in turn: each takes time
  const int64_t n_fetched = row.n + n_coming - kAhead;
  Vec<T> totals[V];
  for (int v = 0; v < V; v++) totals[v] = load(norms + v * L);
  for (int64_t start = 0; start < row.n; start += kRun) {
    Vec<T> sums[C][V];
    for (int q = 0; q < C; q++)
      for (int v = 0; v < V; v++) sums[q][v] = Vec<T>{};
    auto add = [&](int64_t e, Vec<T>* to) {
      if (e < n_fetched) {
        const char* coming = (const char*)(factors + row.columns[e + kAhead] * (V * L));
        for (int line = 0; line < (V * kBytes + 63) / 64; line++)
          __builtin_prefetch(coming + 64 * line);
      }
      Vec<T> x = splat(T(row.values[e]));
      const T* of_feature = factors + row.columns[e] * (V * L);
      for (int v = 0; v < V; v++) to[v] = mul_add(x, load(of_feature + v * L), to[v]);
    };
    int64_t e = start, stop = minimum(start + kRun, row.n);
    for (; e + C <= stop; e += C)
      for (int q = 0; q < C; q++) add(e + q, sums[q]);
    for (; e < stop; e++) add(e, sums[0]);
    for (int q = 1; q < C; q++)
      for (int v = 0; v < V; v++) sums[0][v] += sums[q][v];
    for (int v = 0; v < V; v++) totals[v] += sums[0][v];
  }
  for (int v = 0; v < V; v++) store(out + v * L, totals[v]);
}

// Call use(std::integral_constant<int, n>) for n from 1 to kMostVectors.
template <int V = 1, class F>
inline void with_vectors(int64_t n, F&& use) {
  if constexpr (V < kMostVectors) {
    if (n != V) return with_vectors<V + 1>(n, use);
  }
  use(std::integral_constant<int, V>{});
}

// The least of the lanes.
template <class T>
inline T least_lane(Vec<T> values) {
  constexpr int N = 16 / int(sizeof(T));
  typedef T Group __attribute__((vector_size(16)));
  Group groups[kBytes / 16], least;
  __builtin_memcpy(groups, &values, sizeof groups);
  least = groups[0];
  for (int g = 1; g < kBytes / 16; g++) least = groups[g] < least ? groups[g] : least;
  T result = least[0];
  for (int i = 1; i < N; i++) result = minimum(least[i], result);
  return result;
}

// The two least of n vectors of scores, of centres from `first` on, and of those before.
template <class T>
inline void fold_scores(const T* scores, int n, int64_t first, T& best, T& second,
                        int32_t& label) {
  constexpr int L = kLanes<T>;
  using Lane = decltype(Mask<T>{}[0] + 0);
  Vec<T> least = splat(T(kInf)), next = least;
  Mask<T> nearest{};
  for (int v = 0; v < n; v++) {
    Vec<T> score = load(scores + v * L);
    Mask<T> nearer = score < least;
    Vec<T> larger = nearer ? least : score;
    least = nearer ? score : least;
    next = larger < next ? larger : next;
    nearest = nearer ? Mask<T>{} + Lane(v) : nearest;
  }
  T of_these = least_lane<T>(least);
  int lane = lowest_bit(bits_of(Mask<T>(least == splat(of_these))));
  int32_t center = int32_t(first + int64_t(nearest[lane]) * L + lane);
  least[lane] = T(kInf);
  next = least < next ? least : next;
  T larger = of_these < best ? best : of_these;
  label = of_these < best ? center : label;
  best = minimum(of_these, best);
  second = minimum(minimum(larger, least_lane<T>(next)), second);
}

// Read rows from `start` on, as many as there is room for; returns where the next ones start.
template <class T>
inline int64_t read_some(const Rows& X, SomeRows rows, int64_t start, BlockScratch<T>& s) {
  Entries next = s.entries;
  int64_t r = start;
  for (; r < rows.n && room_of_entries(X) - (next.columns - s.entries.columns) >= X.longest; r++) {
    read_entries(X, rows.at(r), next);
    s.norm[r] = T(sq_norm_of(next));
    s.best[r] = s.second[r] = T(kInf);
    s.label[r] = 0;
    s.n_entries[r] = next.n;
    next.columns += next.n;
    next.values += next.n;
  }
  return r;
}

template <class T>
inline void score_rows(const Rows& X, SomeRows rows, const SparseTable<T>& table,
                       BlockScratch<T>& s) {
  constexpr int L = kLanes<T>;
  alignas(64) T scores[kMostVectors * L];
  for (int64_t start = 0, stop; start < rows.n; start = stop) {
    stop = read_some(X, rows, start, s);
    int64_t n_read = 0;
    for (int64_t r = start; r < stop; r++) n_read += s.n_entries[r];
    for (int64_t group = 0; group < table.n_groups(); group++) {
      int64_t first = table.first_of_group(group), n = table.first_of_group(group + 1) - first;
      bool is_far = table.d * n * int64_t(sizeof(T)) > kInCache;
      with_vectors(n / L, [&](auto vectors) {
        constexpr int V = decltype(vectors)::value;
        Entries row = s.entries;
        int64_t n_coming = is_far ? n_read : INT64_MIN / 2;
        for (int64_t r = start; r < stop; r++) {
          row.n = s.n_entries[r];
          n_coming -= row.n;
          score_entries<V>(row, n_coming, table.factors + first * table.d, table.norms + first,
                           scores);
          fold_scores(scores, V, first, s.best[r], s.second[r], s.label[r]);
          row.columns += row.n;
          row.values += row.n;
        }
      });
    }
  }
}

// The nearest centre of one row, with its entries in order, whose best score may be up to `bound`; -inf: not screened.
template <class T>
inline int32_t decide_row(const Entries& row, const Centers& centers, const SparseTable<T>& table,
                          bool screened, T bound, BlockScratch<T>& s) {
  constexpr int L = kLanes<T>;
  const int64_t d = centers.d;
  int64_t n_left = 0;
  if (screened) {
    for (int64_t group = 0; group < table.n_groups(); group++) {
      int64_t first = table.first_of_group(group), n = table.first_of_group(group + 1) - first;
      with_vectors(n / L, [&](auto vectors) {
        score_entries<decltype(vectors)::value>(row, 0, table.factors + first * d,
                                                table.norms + first, s.scores + first);
      });
    }
    // Sums over entries and the definition differ by less than `off`: (2 n + 140) u |x|^2 +
    // (n + 200) u |c|^2, and what products lose that underflow.
    double norm = sq_norm_of(row), least = kInf;
    double share = 1.05 * 0.5 * kEps<double> * double(2 * row.n + 200);
    for (int64_t c = 0; c < centers.k; c++) {
      if (s.scores[c] > bound || centers.repeated[c]) continue;
      double sum = norm + centers.sq_norms[c];
      double off = sum < kLargestNorm ? share * sum + 8.0 * double(d + 8) * kTiny<double> : kInf;
      double distance = sparse_sq_distance(row, centers.centers + c * d, centers.sq_norms[c]);
      s.lower[n_left] = distance - off;
      s.left[n_left++] = int32_t(c);
      if (distance + off < least) least = distance + off;
    }
    int64_t n = 0;
    for (int64_t i = 0; i < n_left; i++)
      if (!(s.lower[i] > least)) s.left[n++] = s.left[i];
    n_left = n;
    if (n_left == 1) return s.left[0];
  } else {
    for (int64_t c = 0; c < centers.k; c++)
      if (!centers.repeated[c]) s.left[n_left++] = int32_t(c);
  }
  if (!s.row_is_clear)
    for (int64_t j = 0; j < d; j++) s.row[j] = 0.0;
  s.row_is_clear = true;
  for (int64_t e = 0; e < row.n; e++) s.row[row.columns[e]] = row.values[e];
  SparseDistance distance(row, s.row);
  double least = kInf;
  int32_t nearest = 0;
  for (int64_t i = 0; i < n_left; i++) {
    int64_t c = s.left[i];
    const double* part_sums = centers.part_sums + c * centers.n_parts;
    double value = distance.to(centers.centers + c * d, d, part_sums);
    if (value < least) {
      least = value;
      nearest = int32_t(c);
    }
  }
  for (int64_t e = 0; e < row.n; e++) s.row[row.columns[e]] = 0.0;
  return nearest;
}

// As for dense rows, see nearest.hpp.
template <class T>
inline int64_t find_nearest(const Rows& X, SomeRows rows, const double*, const Centers& centers,
                            const SparseTable<T>& table, bool screened, BlockScratch<T>& s) {
  score_rows(X, rows, table, s);
  int64_t n_open = list_open(rows.n, table, screened, s);
  for (int64_t i = 0; i < n_open; i++) {
    int64_t r = s.open[i];
    read_in_order(X, rows.at(r), s.entries);
    s.label[r] = decide_row(s.entries, centers, table, screened, s.best[r] + T(2) * s.off[r], s);
  }
  return n_open;
}

}  // namespace LEVEL
