// A few CSR rows side by side, for their distances to many others.
//
// A feature leads to a line of factors, one for each row of the panel; features that none of them
// has share the first line, of zeros. So the lines that are needed stay in the cache, however many
// features there are.
#pragma once
#include "definition.hpp"

namespace LEVEL {

struct CsrPanel {
  int n;
  int64_t n_lanes;
  int32_t* places;  // (d,), zero between two panels
  double *factors, *sq_norms;

  void cut(Cutter& cutter, const Rows& X, int64_t most_rows) {
    int64_t lanes = lanes_of(most_rows);
    double most = double(most_rows) * double(X.longest);
    int64_t n_places = most < double(X.d) ? int64_t(most) : X.d;
    places = cutter.take<int32_t>(X.d);
    factors = cutter.take<double>((n_places + 1) * lanes);
    sq_norms = cutter.take<double>(lanes);
  }

  static int64_t lanes_of(int64_t n) {
    return (n + kLanes<double> - 1) / kLanes<double> * kLanes<double>;
  }

  // For so many rows, whose squared norms the caller fills in.
  void start(int n_rows) {
    n = n_rows;
    n_lanes = lanes_of(n);
    for (int64_t t = 0; t < n_lanes; t++) sq_norms[t] = 0.0;
  }

  void fill(const Rows& X, const int64_t* index, Entries& entries) {
    for (int64_t t = 0; t < n_lanes; t++) factors[t] = 0.0;
    int32_t n_places = 1;
    for (int t = 0; t < n; t++) {
      read_entries(X, index[t], entries);
      for (int64_t e = 0; e < entries.n; e++) {
        int32_t& place = places[entries.columns[e]];
        if (!place) {
          place = n_places++;
          for (int64_t other = 0; other < n_lanes; other++) factors[place * n_lanes + other] = 0.0;
        }
        factors[place * n_lanes + t] = -2.0 * entries.values[e];
      }
    }
  }

  void clear(const Rows& X, const int64_t* index, Entries& entries) {
    for (int t = 0; t < n; t++) {
      read_entries(X, index[t], entries);
      for (int64_t e = 0; e < entries.n; e++) places[entries.columns[e]] = 0;
    }
  }

  // Squared distances of a row to those of the panel from vector `v` on, as `sparse_sq_distance`.
  template <int V>
  void measure_some(const Entries& row, int64_t v, double* out) const {
    constexpr int L = kLanes<double>;
    Vec<double> sums[V] = {};
    for (int64_t e = 0; e < row.n; e++) {
      const double* line = factors + places[row.columns[e]] * n_lanes + v * L;
#pragma GCC unroll 4
      for (int i = 0; i < V; i++) sums[i] += row.values[e] * (row.values[e] + load(line + i * L));
    }
    for (int i = 0; i < V; i++) {
      Vec<double> norms = load(sq_norms + (v + i) * L), total = sums[i] + norms;
      Mask<double> counts = total > 8 * 2.220446049250313e-16 * norms;
      store(out + (v + i) * L, (Vec<double>)((Mask<double>)total & counts));
    }
  }

  void measure_row(const Entries& row, double* out) const {
    int64_t n_vectors = n_lanes / kLanes<double>, v = 0;
    for (; v + 3 <= n_vectors; v += 3) measure_some<3>(row, v, out);
    if (n_vectors - v == 2) measure_some<2>(row, v, out);
    if (n_vectors - v == 1) measure_some<1>(row, v, out);
  }
};

}  // namespace LEVEL
