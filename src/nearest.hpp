// The nearest centre of the rows of a block: where it is decided.
#pragma once
#include "cluster_parts.hpp"
#include "screen.hpp"

namespace LEVEL {

// Entries of CSR rows that are read before they meet the centres. A group of centres stays in the
// cache while they pass by; of too many, the entries themselves do not.
inline int64_t room_of_entries(const Rows& X) { return maximum(X.longest, int64_t(1) << 13); }

// Memory of a thread for the rows of a block: arrays of one number a row, and tiles.
template <class T>
struct BlockScratch {
  T *tile, *buffer, *best, *second, *norm, *off;
  int32_t* label;
  int64_t *index, *open;
  double* row;
  uint32_t* within;
  // For CSR rows: see sparse.hpp.
  Entries entries;
  int64_t* n_entries;
  T* scores;
  double* lower;
  int32_t* left;
  bool row_is_clear;
  Change* changed;
  ClusterParts parts;

  void cut(Cutter& cutter, const Rows& X, int64_t k, int64_t n_rows, bool moving) {
    tile = cutter.take<T>(X.sparse ? 0 : kTile<T> * X.d);
    buffer = cutter.take<T>(X.sparse ? 0 : size_of_buffer<T>(X.d));
    int64_t room = n_rows + kTile<T>;
    best = cutter.take<T>(room);
    second = cutter.take<T>(room);
    norm = cutter.take<T>(room);
    off = cutter.take<T>(room);
    label = cutter.take<int32_t>(room);
    index = cutter.take<int64_t>(room);
    open = cutter.take<int64_t>(room);
    row = cutter.take<double>(X.d);
    within = cutter.take<uint32_t>(k + 1);
    entries.columns = cutter.take<int64_t>(X.sparse ? room_of_entries(X) : 0);
    entries.values = cutter.take<double>(X.sparse ? room_of_entries(X) : 0);
    n_entries = cutter.take<int64_t>(X.sparse ? room : 0);
    scores = cutter.take<T>(X.sparse ? k + kLanes<T> : 0);
    lower = cutter.take<double>(X.sparse ? k : 0);
    left = cutter.take<int32_t>(X.sparse ? k : 0);
    row_is_clear = false;
    changed = cutter.take<Change>(n_rows);
    parts.cut(cutter, X, k, n_rows, moving);
  }
};

// Which rows of X are looked at: index[0], ..., or without an index those from `first` on.
struct SomeRows {
  const int64_t* index;
  int64_t first, n;
  int64_t at(int64_t r) const { return index ? index[r] : first + r; }
};

// Decide by the definition: the first n_open places of s.open. Only centres whose score may be
// the least are measured.
template <class T>
inline void decide_open(const Rows& X, SomeRows rows, const double* shift, const Centers& centers,
                        const Table<T>& table, int64_t n_open, BlockScratch<T>& s) {
  constexpr int N = kTile<T>;
  int64_t which[N];
  T bound[N];
  for (int64_t start = 0; start < n_open; start += N) {
    int m = int(minimum(int64_t(N), n_open - start));
    for (int r = 0; r < N; r++) {
      int64_t place = s.open[start + minimum(r, m - 1)];
      which[r] = rows.at(place);
      bound[r] = r < m ? s.best[place] + T(2) * s.off[place] : T(-kInf);
    }
    read_tile(X, which, 0, m, shift, s.buffer, s.tile);
    rows_within(s.tile, table, bound, s.within);
    for (int r = 0; r < m; r++) {
      read_row(X, which[r], nullptr, s.row);
      double least = kInf;
      int32_t nearest = 0;
      for (int64_t c = 0; c < centers.k; c++) {
        if (!(s.within[c] >> r & 1) || centers.repeated[c]) continue;
        double distance = sq_distance(s.row, centers.centers + c * centers.d, centers.d);
        if (distance < least) {
          least = distance;
          nearest = int32_t(c);
        }
      }
      s.label[s.open[start + r]] = nearest;
    }
  }
}

// List in s.open the rows whose two least scores may be nearer to each other than they may be off;
// returns how many.
template <class AnyTable>
inline int64_t list_open(int64_t n_rows, const AnyTable& table, bool screened,
                         BlockScratch<typename AnyTable::Value>& s) {
  using T = typename AnyTable::Value;
  int64_t n_open = 0;
  for (int64_t r = 0; r < n_rows; r++) {
    s.off[r] = s.norm[r] * table.slack_of_norm + table.slack[s.label[r]];
    if (!screened || double(s.norm[r]) > kLargestNorm) s.off[r] = T(kInf);
    s.open[n_open] = r;
    n_open += !(s.second[r] - s.best[r] > s.off[r]);
  }
  return n_open;
}

// Fill s.label with the nearest centre of each row; s.best, s.second, s.norm and s.off with what
// the screen tells of it. Returns how many rows the screen left open: those of s.open.
template <class T>
inline int64_t find_nearest(const Rows& X, SomeRows rows, const double* shift,
                            const Centers& centers, const Table<T>& table, bool screened,
                            BlockScratch<T>& s) {
  constexpr int N = kTile<T>;
  for (int64_t r = 0; r < rows.n; r += N) {
    int m = int(minimum(int64_t(N), rows.n - r));
    read_tile(X, rows.index ? rows.index + r : nullptr, rows.first + r, m, shift, s.buffer,
              s.tile);
    if (rows.index)
      for (int64_t next = r + N; next < minimum(r + 2 * N, rows.n); next++)
        fetch_row(X, rows.index[next]);
    norms_of_tile(s.tile, X.d, s.norm + r);
    two_least(s.tile, table, s.best + r, s.second + r, s.label + r);
  }
  int64_t n_open = list_open(rows.n, table, screened, s);
  if (n_open) decide_open(X, rows, shift, centers, table, n_open, s);
  return n_open;
}

}  // namespace LEVEL
