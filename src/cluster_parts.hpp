// Sums of clusters, brought up to date by rows that change cluster.
//
// A block of dense rows adds up what it changes by itself, over the clusters that it touches
// alone, and adds that to the totals when it is its turn: the order of the sums depends on blocks
// only, not on threads. The entries of CSR rows go to the totals directly, in turn: a part of so
// many features would take longer to clear than to fill.
#pragma once
#include "definition.hpp"

namespace LEVEL {

// A row that goes from one cluster to another. -1: from none.
struct Change {
  int64_t row;
  int32_t to, from;
};

// What the blocks of a pass share.
struct ClusterTotals {
  const Rows* rows;
  const double* weights;  // by row of X; may be null
  const double* origins;  // taken off the rows; null: none
  bool one_origin;        // for all clusters, or else one for each: then no row comes from another
  core::ClusterSums into;
  double* squares;  // by cluster: weighted squared distances from the origin; may be null
};

// What each thread has: a member of its scratch, which is to call `cut`.
class ClusterParts {
 public:
  // For k clusters and blocks of so many rows. `moving`: whether rows come from other clusters.
  void cut(Cutter& cutter, const Rows& X, int64_t k, int64_t n_rows, bool moving) {
    int64_t most = minimum(k, moving ? 2 * n_rows : n_rows);
    bool dense = !X.sparse;
    entries_.columns = cutter.take<int64_t>(dense ? 0 : X.longest);
    entries_.values = cutter.take<double>(dense ? 0 : X.longest);
    row_ = cutter.take<double>(dense ? X.d : 0);
    sums_ = cutter.take<double>(dense ? most * X.d : 0);
    weights_ = cutter.take<double>(dense ? most : 0);
    squares_ = cutter.take<double>(dense ? most : 0);
    members_ = cutter.take<int64_t>(dense ? most : 0);
    clusters_ = cutter.take<int32_t>(dense ? most : 0);
    places_ = cutter.take<int32_t>(dense ? k : 0);
    n_ = 0;
    if (!places_ || !dense) return;
    for (int64_t c = 0; c < k; c++) places_[c] = -1;
  }

  // Add the n rows that `change_of(i)` tells, i from 0 on, to the totals. To be called by every
  // block, once, with or without rows.
  template <class F>
  void add(const Pool& pool, Turns& turns, int64_t block, const ClusterTotals& totals, int64_t n,
           F change_of) {
    const Rows& X = *totals.rows;
    if (X.sparse) {
      turns.in_turn(block, pool, [&] { add_entries(totals, n, change_of); });
      return;
    }
    add_rows(totals, n, change_of);
    turns.in_turn(block, pool, [&] { add_parts(totals); });
  }

 private:
  int64_t place_of(int32_t cluster, int64_t d) {
    int32_t place = places_[cluster];
    if (place >= 0) return place;
    place = places_[cluster] = int32_t(n_);
    clusters_[n_++] = cluster;
    weights_[place] = squares_[place] = 0.0;
    members_[place] = 0;
    for (int64_t j = 0; j < d; j++) sums_[place * d + j] = 0.0;
    return place;
  }

  template <class F>
  void add_rows(const ClusterTotals& totals, int64_t n, F change_of) {
    const Rows& X = *totals.rows;
    const int64_t d = X.d;
    for (int64_t i = 0; i < n; i++) {
      Change change = change_of(i);
      double w = totals.weights ? totals.weights[change.row] : 1.0;
      if (w == 0.0) continue;  // whatever the row is: it may be beyond float64
      const double* origin = totals.origins;
      if (origin && !totals.one_origin) origin += change.to * d;
      const char* place = X.values + change.row * X.row_stride;
      const double* row = row_;
      if (is_direct<double>(X) && X.feature_stride == X.size)
        row = (const double*)(const void*)place;
      else
        convert_values(X, place, X.feature_stride, d, nullptr, row_);
      if (origin) {
        for (int64_t j = 0; j < d; j++) row_[j] = row[j] - origin[j];
        row = row_;
      }
      int64_t to = place_of(change.to, d);
      weights_[to] += w;
      members_[to] += w > 0.0;
      if (totals.squares) squares_[to] += w * sq_norm(row, d);
      double* __restrict__ sums = sums_ + to * d;
      if (change.from < 0) {
        for (int64_t j = 0; j < d; j++) sums[j] += w * row[j];
        continue;
      }
      int64_t from = place_of(change.from, d);
      weights_[from] -= w;
      members_[from] -= w > 0.0;
      double* __restrict__ before = sums_ + from * d;
      for (int64_t j = 0; j < d; j++) {
        double term = w * row[j];
        sums[j] += term;
        before[j] -= term;
      }
    }
  }

  void add_parts(const ClusterTotals& totals) {
    const int64_t d = totals.rows->d;
    for (int64_t p = 0; p < n_; p++) {
      int64_t c = clusters_[p];
      places_[c] = -1;
      totals.into.weights[c] += weights_[p];
      totals.into.members[c] += members_[p];
      if (totals.squares) totals.squares[c] += squares_[p];
      double* sums = totals.into.sums + c * d;
      for (int64_t j = 0; j < d; j++) sums[j] += sums_[p * d + j];
    }
    n_ = 0;
  }

  template <class F>
  void add_entries(const ClusterTotals& totals, int64_t n, F change_of) {
    const int64_t d = totals.rows->d;
    for (int64_t i = 0; i < n; i++) {
      Change change = change_of(i);
      double w = totals.weights ? totals.weights[change.row] : 1.0, square = 0.0;
      if (w == 0.0) continue;
      read_entries(*totals.rows, change.row, entries_);
      totals.into.weights[change.to] += w;
      totals.into.members[change.to] += w > 0.0;
      double* sums = totals.into.sums + change.to * d;
      for (int64_t e = 0; e < entries_.n; e++) {
        sums[entries_.columns[e]] += w * entries_.values[e];
        square += entries_.values[e] * entries_.values[e];
      }
      if (totals.squares) totals.squares[change.to] += w * square;
      if (change.from < 0) continue;
      totals.into.weights[change.from] -= w;
      totals.into.members[change.from] -= w > 0.0;
      sums = totals.into.sums + change.from * d;
      for (int64_t e = 0; e < entries_.n; e++) sums[entries_.columns[e]] -= w * entries_.values[e];
    }
  }

  Entries entries_;
  double *row_, *sums_, *weights_, *squares_;
  int64_t *members_, n_;
  int32_t *clusters_, *places_;
};

}  // namespace LEVEL
