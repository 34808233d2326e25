// The distance that decides. The label of a row is *defined* as the centre of the least squared
// Euclidean distance, ties to the lowest index; screens only spare most rows from it.
//
// A squared distance is the sum of squared differences in float64. The order of the sum belongs
// to the definition: fewer than 8 terms one after the other; up to 128 in 8 accumulators, term j
// in accumulator j % 8, which are added in pairs; more in two halves, each likewise (NumPy's
// pairwise sum). So it comes out the same to the last bit on every processor, for one row or for
// many, dense or sparse.
#pragma once
#include "rows.hpp"

namespace LEVEL {

constexpr int64_t kLeaf = 128;  // terms that are added without a split

inline int64_t first_half(int64_t n) { return n / 2 - (n / 2) % 8; }

template <class V>
inline V add_in_pairs(const V* r) {
  return ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
}

// The sum of term(start), ..., n of them, in the order that the definition has.
template <class V, class F>
__attribute__((always_inline)) inline V sum_of_few(int64_t start, int64_t n, F term) {
  V total{};
  int64_t j = start, stop = start + n;
  if (n >= 8) {
    V r[8];
    for (int i = 0; i < 8; i++) r[i] = term(j + i);
    for (j += 8; j + 8 <= stop; j += 8)
      for (int i = 0; i < 8; i++) r[i] += term(j + i);
    total = add_in_pairs(r);
  }
  for (; j < stop; j++) total += term(j);
  return total;
}

template <class V, class F>
__attribute__((noinline)) V sum_of_many(int64_t start, int64_t n, F term) {
  if (n <= kLeaf) return sum_of_few<V>(start, n, term);
  int64_t half = first_half(n);
  V left = sum_of_many<V>(start, half, term);
  return left + sum_of_many<V>(start + half, n - half, term);
}

template <class V, class F>
inline V sum_of_terms(int64_t start, int64_t n, F term) {
  return n <= kLeaf ? sum_of_few<V>(start, n, term) : sum_of_many<V>(start, n, term);
}

// Squared distance of two points.
inline double sq_distance(const double* a, const double* b, int64_t n) {
  return sum_of_terms<double>(0, n, [a, b](int64_t j) {
    double difference = a[j] - b[j];
    return difference * difference;
  });
}

// The same from the origin.
inline double sq_norm(const double* a, int64_t n) {
  return sum_of_terms<double>(0, n, [a](int64_t j) { return a[j] * a[j]; });
}

// Squared distance of row i of a dense matrix to a point. `row` is memory for d values.
inline double sq_distance_of_row(const Rows& X, int64_t i, const double* point, double* row) {
  const char* place = X.values + i * X.row_stride;
  auto in_place = [&](auto example, int64_t stride) {
    using S = decltype(example);
    return sum_of_terms<double>(0, X.d, [=](int64_t j) {
      double difference = double(*(const S*)(const void*)(place + j * stride)) - point[j];
      return difference * difference;
    });
  };
  // A stride that the compiler knows lets it load several values at once.
  const int64_t stride = X.feature_stride;
  if (is_direct<float>(X)) return stride == 4 ? in_place(float{}, 4) : in_place(float{}, stride);
  if (is_direct<double>(X)) return stride == 8 ? in_place(double{}, 8) : in_place(double{}, stride);
  read_row(X, i, nullptr, row);
  return sq_distance(row, point, X.d);
}

// Squared distances of the rows of a tile in float64 to one point; out has room for kTile<double>.
inline void sq_distances(const double* tile, const double* point, int64_t d, double* out) {
  constexpr int L = kLanes<double>, N = kTile<double>;
  for (int v = 0; v < 2; v++)
    store(out + v * L, sum_of_terms<Vec<double>>(0, d, [=](int64_t j) {
            Vec<double> difference = load(tile + j * N + v * L) - point[j];
            return difference * difference;
          }));
}

// What cancellation leaves of a zero is a zero.
inline double sum_or_zero(double sum_of_entries, double sq_norm) {
  double total = sum_of_entries + sq_norm;
  return total > 8 * 2.220446049250313e-16 * sq_norm ? total : 0.0;
}

// The definition for CSR rows, at less than the cost of all features. Where a row has no entries
// in a part of the sum, its terms are the squares of the point alone: the sums of all parts are
// kept for each point. Part 1 is the whole, part i is the sum of parts 2 i and 2 i + 1.
inline int64_t number_of_parts(int64_t n) {
  int64_t number = 2;
  for (; n > kLeaf; n -= first_half(n)) number *= 2;
  return number;
}

// The squared norm of a point; fills the sums of its parts.
inline double add_parts(const double* point, int64_t n, double* sums, int64_t part = 1) {
  if (n <= kLeaf) return sums[part] = sq_norm(point, n);
  int64_t half = first_half(n);
  double left = add_parts(point, half, sums, 2 * part);
  return sums[part] = left + add_parts(point + half, n - half, sums, 2 * part + 1);
}

// The squared distance of a CSR row to a point: the very sum of `sq_distance`.
class SparseDistance {
 public:
  // The entries are in order; `dense` has all features of the row.
  SparseDistance(const Entries& row, const double* dense) : row_(row), dense_(dense) {}

  double to(const double* point, int64_t d, const double* part_sums) {
    point_ = point;
    part_sums_ = part_sums;
    entry_ = 0;
    return sum(0, d, 1);
  }

 private:
  double sum(int64_t start, int64_t n, int64_t part) {
    if (entry_ == row_.n || row_.columns[entry_] >= start + n) return part_sums_[part];
    if (n > kLeaf) {
      int64_t half = first_half(n);
      double left = sum(start, half, 2 * part);
      return left + sum(start + half, n - half, 2 * part + 1);
    }
    while (entry_ < row_.n && row_.columns[entry_] < start + n) entry_++;
    return sq_distance(dense_ + start, point_ + start, n);
  }

  const Entries& row_;
  const double *dense_, *point_ = nullptr, *part_sums_ = nullptr;
  int64_t entry_ = 0;
};

// The squared distance of a CSR row as sparse sums have it: by its entries and the squared norm
// of the point. It differs from the definition in the last digits, so it decides nothing.
inline double sparse_sq_distance(const Entries& row, const double* point, double sq_norm) {
  double total = 0.0;
  for (int64_t e = 0; e < row.n; e++)
    total += row.values[e] * (row.values[e] - 2.0 * point[row.columns[e]]);
  return sum_or_zero(total, sq_norm);
}

// The squared norm of a CSR row, added up as is fast: for bounds only.
inline double sq_norm_of(const Entries& row) {
  double sums[8] = {}, total = 0.0;
  int64_t e = 0;
  for (; e + 8 <= row.n; e += 8)
    for (int i = 0; i < 8; i++) sums[i] += row.values[e + i] * row.values[e + i];
  for (; e < row.n; e++) total += row.values[e] * row.values[e];
  return total + add_in_pairs(sums);
}

}  // namespace LEVEL
