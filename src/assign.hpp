// Passes that give rows their nearest centres: of an assigner, which keeps labels and bounds from
// pass to pass, and in passing.
#pragma once
#include "bounds.hpp"
#include "projecting.hpp"
#include "sparse.hpp"

namespace LEVEL {

// An assigner and its memory. Where a pass has ended early, its labels and sums mean nothing.
struct Assigner {
  core::AssignerArgs about;  // first: the border reads it
  Memory* memory;
  Centers centers;
  Bounds bounds;
  Projection projection;
  char *tables, *of_fast, *scratch;
  int64_t block_rows, n_blocks;
  int n_threads;
  core::Pass* parts;  // by block
  int64_t n_compared;  // in the pass before: about as many as in the next one
  bool in_double;      // float32 has left too many rows open
  bool has_labels;     // of a pass that came to its end
};

template <class AnyTable>
inline size_t size_of_table(int64_t k, int64_t d) {
  Cutter cutter(nullptr);
  AnyTable{}.cut(cutter, k, d);
  return cutter.used();
}

// Call f(table) with an empty table of the kind that the rows and the precision call for.
template <class F>
inline Status with_table(const Rows& X, bool in_double, F f) {
  if (X.sparse) return in_double ? f(SparseTable<double>{}) : f(SparseTable<float>{});
  return in_double ? f(Table<double>{}) : f(Table<float>{});
}

// Products that it takes to compare the rows with the centres.
inline double work_of(const Rows& X, int64_t n, int64_t k) {
  double of_row = double(X.d);
  if (X.sparse)
    of_row = 8.0 + double(index_at(X.indptr, X.wide, X.n) - index_at(X.indptr, X.wide, 0)) /
                       double(maximum(X.n, int64_t(1)));
  return double(n) * double(k) * of_row + (X.sparse ? double(k) * double(X.d) : 0.0);
}

inline void cut_assigner(Cutter& cutter, Assigner& a) {
  const Rows& X = *a.about.rows;
  a.centers.cut(cutter, a.about.k, X.d, X.sparse);
  if (a.about.bounded) a.bounds.cut(cutter, X.n, a.about.k, X.d);
  if (a.projection.possible) a.projection.cut(cutter, X.n, a.about.k, X.d);
  a.parts = cutter.take<core::Pass>(a.n_blocks);
  // Room for either precision. float64 needs more for centres, float32 for blocks of few rows:
  // its tiles have more of them.
  size_t table = X.sparse ? size_of_table<SparseTable<double>>(a.about.k, X.d)
                          : size_of_table<Table<double>>(a.about.k, X.d);
  a.tables = cutter.take<char>(int64_t(table));
  size_t fast = X.sparse ? 0 : size_of_table<Table<double>>(kMostFast, X.d);
  a.of_fast = cutter.take<char>(int64_t(fast));
  size_t each =
      maximum(Scratch<BlockScratch<float>>::size_of_each(X, a.about.k, a.block_rows, true),
              Scratch<BlockScratch<double>>::size_of_each(X, a.about.k, a.block_rows, true));
  a.scratch = cutter.take<char>(int64_t(each) * a.n_threads);
}

inline void assigner_free(void* state) {
  Assigner* assigner = (Assigner*)state;
  assigner->memory->~Memory();
  std::free(state);
}

inline void* assigner_new(const Call& call, const core::AssignerArgs& about) {
  Assigner* assigner = (Assigner*)std::calloc(1, sizeof(Assigner) + sizeof(Memory));
  if (!assigner) return nullptr;
  assigner->about = about;
  assigner->about.bounded = about.bounded && about.k > 1;
  assigner->n_compared = about.rows->n;
  assigner->block_rows = rows_of_block(call, *about.rows, about.rows->n);
  assigner->n_blocks = (about.rows->n + assigner->block_rows - 1) / assigner->block_rows;
  int64_t most = maximum(assigner->n_blocks, int64_t(1));
  assigner->n_threads = int(minimum(int64_t(call.n_threads), most));
  assigner->projection.possible =
      can_project(*about.rows, about.k, about.spare_bytes, call.options->screen == 16);
  Cutter size(nullptr);
  cut_assigner(size, *assigner);
  assigner->memory = new_memory((void*)(assigner + 1), size.used());
  if (!*assigner->memory) {
    assigner_free(assigner);
    return nullptr;
  }
  Cutter cutter(assigner->memory->begin());
  cut_assigner(cutter, *assigner);
  return assigner;
}

// Of the first n rows of s.index, which are not safe, drop those that only fast centres can have
// come nearer to and that are safe from these. Returns how many are left, in the same order.
template <class T>
inline int64_t drop_safe_from_fast(const Rows& X, const double* shift, const Centers& centers,
                                   const Table<T>& fast, Bounds& bounds, const int32_t* labels,
                                   int64_t n, BlockScratch<T>& s) {
  constexpr int N = kTile<T>;
  int64_t n_listed = 0;
  for (int64_t r = 0; r < n; r++) {
    s.open[n_listed] = r;
    n_listed += bounds.limit[s.index[r]] > bounds.slow[labels[s.index[r]]];
  }
  for (int64_t start = 0; start < n_listed; start += N) {
    int m = int(minimum(int64_t(N), n_listed - start));
    int64_t which[N];
    for (int r = 0; r < m; r++) which[r] = s.index[s.open[start + r]];
    read_tile(X, which, 0, m, shift, s.buffer, s.tile);
    norms_of_tile(s.tile, X.d, s.norm);
    two_least(s.tile, fast, s.best, s.second, s.label);
    for (int r = 0; r < m; r++) {
      int64_t i = which[r], c = labels[i];
      double own = sq_distance_of_row(X, i, centers.centers + c * X.d, s.row);
      T other = bounds.fastest[s.label[r]] == c ? s.second[r] : s.best[r];
      double next = double(other + s.norm[r] - s.norm[r] * (fast.slack_of_norm + fast.eps));
      double gap = square_root(maximum(next, 0.0)) -
                   square_root(own) * (1.0 + 1e-12 * double(X.d));
      double from_fast = bounds.limit_of(labels[i], gap);
      // What the fast centres have moved does not count against the others.
      double from_slow = double(bounds.limit[i]) + bounds.extra[c];
      float limit = float(minimum(from_fast, from_slow * (1.0 - kRounding)));
      if (!(limit > bounds.above[c])) continue;
      bounds.limit[i] = limit;
      s.index[s.open[start + r]] = -1;
    }
  }
  int64_t n_left = 0;
  for (int64_t r = 0; r < n; r++) {
    s.index[n_left] = s.index[r];
    n_left += s.index[r] >= 0;
  }
  return n_left;
}

// Keep what the screen proves of the rows of a block.
template <class T>
inline void keep_limits(Bounds& bounds, SomeRows rows, T eps, int64_t n_open,
                        BlockScratch<T>& s) {
  T* __restrict__ gap = s.off;  // which is not needed any more
  for (int64_t r = 0; r < rows.n; r++) {
    T norm = s.norm[r], off = gap[r] + norm * eps;
    T own = s.best[r] + norm + off, next = s.second[r] + norm - off;
    own = own > T(0) ? own : T(0);
    next = next > T(0) ? next : T(0);
    gap[r] = square_root(next) * (T(1) - eps) - square_root(own) * (T(1) + eps);
  }
  for (int64_t r = 0; r < rows.n; r++)
    bounds.limit[rows.at(r)] = bounds.limit_of(s.label[r], double(gap[r]));
  for (int64_t i = 0; i < n_open; i++) bounds.limit[rows.at(s.open[i])] = float(-kInf);
}

template <class AnyTable>
inline Status assign_in(const Call& call, Pool& pool, Assigner& a, AnyTable table,
                        core::ClusterSums into, core::Pass* pass) {
  using T = typename AnyTable::Value;
  const Rows& X = *a.about.rows;
  const int64_t k = a.about.k;
  Cutter cutter(a.tables);
  table.cut(cutter, k, X.d);
  table.fill(pool, a.centers, X);
  Scratch<BlockScratch<T>> scratch(a.scratch, pool.n_threads(), X, k, a.block_rows, true);
  bool look_at_all = !a.about.bounded || a.bounds.first || a.centers.has_repeated;
  Table<T> fast;
  Cutter of_fast(a.of_fast);
  fast.cut(of_fast, kMostFast, X.d);
  if (a.about.bounded) {
    // Rows that are projected meet all centres in less time than it takes to read them.
    a.bounds.follow(pool, a.centers, a.about.labels, X.n, kTile<T>, call.options->fast_centers,
                    !a.projection.in_use);
    if (a.bounds.n_fast) fast.fill(a.centers, a.bounds.fastest, a.bounds.n_fast);
  }
  const ClusterTotals totals = {&X, a.about.weights, a.about.shift, true, into, nullptr};
  const bool screened = call.options->screen != 1 && a.centers.largest < kLargestNorm;
  int32_t* labels = a.about.labels;
  bool projected = false;
  if constexpr (std::is_same<AnyTable, Table<float>>::value)
    projected = a.has_labels &&
                use_projection(
                    pool, a.projection, X, a.about.shift, a.centers, table, labels,
                    call.options->screen == 16,
                    [&](int64_t i) {
                      return !look_at_all && a.bounds.limit[i] > a.bounds.above[labels[i]];
                    },
                    [&](int thread) -> BlockScratch<T>& { return scratch.of(thread); });
  auto find = [&](SomeRows rows, BlockScratch<T>& s) {
    if constexpr (std::is_same<AnyTable, Table<float>>::value)
      if (projected)
        return find_near(X, rows, a.about.shift, a.centers, table, a.projection, labels, screened,
                         s);
    return find_nearest(X, rows, a.about.shift, a.centers, table, screened, s);
  };
  Turns turns;
  bool done = pool.for_blocks(a.n_blocks, [&](int64_t b, int thread) {
    BlockScratch<T>& s = scratch.of(thread);
    int64_t start = b * a.block_rows, stop = minimum(start + a.block_rows, X.n);
    SomeRows rows = {nullptr, start, stop - start};
    if (!look_at_all) {
      rows = {s.index, 0, a.bounds.find_active(labels, start, stop, s.index)};
      if (a.bounds.n_fast)
        rows.n = drop_safe_from_fast(X, a.about.shift, a.centers, fast, a.bounds, labels, rows.n,
                                     s);
    }
    int64_t n_open = find(rows, s);
    if (a.about.bounded) keep_limits(a.bounds, rows, table.eps, n_open, s);
    if (a.about.bounded && a.centers.has_repeated)
      for (int64_t r = 0; r < rows.n; r++) a.bounds.limit[rows.at(r)] = float(-kInf);
    int64_t n_changed = 0;
    for (int64_t r = 0; r < rows.n; r++) {
      int64_t i = rows.at(r);
      s.changed[n_changed] = {i, s.label[r], labels[i]};
      n_changed += labels[i] != s.label[r];
      labels[i] = s.label[r];
    }
    if (into.sums)
      s.parts.add(pool, turns, b, totals, n_changed, [&](int64_t i) { return s.changed[i]; });
    a.parts[b] = {n_changed, rows.n, n_open};
  });
  if (!done) return core::interrupted;
  a.has_labels = true;
  for (int64_t b = 0; b < a.n_blocks; b++) {
    pass->n_changed += a.parts[b].n_changed;
    pass->n_compared += a.parts[b].n_compared;
    pass->n_undecided += a.parts[b].n_undecided;
  }
  return core::ok;
}

// Whether scores are to be in float64.
inline bool screen_in_double(const Call& call, const Centers& centers) {
  return call.options->screen == 64 || !centers.fit_float();
}

inline Status assign(const Call& call, void* state, const double* centers,
                     core::ClusterSums into, core::Pass* pass) {
  Assigner& a = *(Assigner*)state;
  const Rows& X = *a.about.rows;
  // Besides the products, a row costs about as much as four to be passed over.
  Pool pool(call, work_of(X, a.n_compared, a.about.k) + 4.0 * double(X.n), a.n_threads);
  a.centers.fill(centers, a.about.shift, &pool);
  bool in_double = a.in_double || screen_in_double(call, a.centers);
  Status status = with_table(X, in_double, [&](auto table) {
    return assign_in(call, pool, a, table, into, pass);
  });
  a.n_compared = pass->n_compared;
  // Then float64, which decides nearly all, is the faster screen.
  if (2 * pass->n_undecided > pass->n_compared) a.in_double = true;
  return status;
}

// What is reported as the squared distance of a row to its centre.
template <class T>
inline double own_distance(const Rows& X, int64_t i, const Centers& centers, int32_t label,
                           BlockScratch<T>& s) {
  const double* center = centers.centers + label * X.d;
  if (X.sparse) {
    read_entries(X, i, s.entries);
    return sparse_sq_distance(s.entries, center, centers.sq_norms[label]);
  }
  return sq_distance_of_row(X, i, center, s.row);
}

template <class AnyTable>
inline Status label_in(const Call& call, Pool& pool, core::LabelJob& job, const Centers& centers,
                       AnyTable table) {
  using T = typename AnyTable::Value;
  const Rows& X = *job.rows;
  const int64_t block_rows = rows_of_block(call, X, job.n);
  const int64_t n_blocks = (job.n + block_rows - 1) / block_rows;
  Memory of_table(size_of_table<AnyTable>(job.k, X.d));
  Memory of_blocks(size_t(n_blocks) * (sizeof(double) + 1));
  Scratch<BlockScratch<T>> scratch(pool.n_threads(), X, job.k, block_rows, false);
  if (!of_table || !of_blocks || !scratch) return core::no_memory;
  Cutter cutter(of_table.begin());
  table.cut(cutter, job.k, X.d);
  table.fill(pool, centers, X);
  double* inertia = (double*)(void*)of_blocks.begin();
  bool* finite = (bool*)(inertia + n_blocks);
  const ClusterTotals totals = {&X, job.weights, job.shift, true, job.sums, nullptr};
  const bool screened = call.options->screen != 1 && centers.largest < kLargestNorm;
  const bool measured = job.distances || job.want_inertia;
  Turns turns;
  bool done = pool.for_blocks(n_blocks, [&](int64_t b, int thread) {
    BlockScratch<T>& s = scratch.of(thread);
    int64_t start = b * block_rows, n = minimum(block_rows, job.n - start);
    SomeRows rows = {job.index ? job.index + start : nullptr, start, n};
    find_nearest(X, rows, job.shift, centers, table, screened, s);
    finite[b] = true;
    inertia[b] = 0.0;
    for (int64_t r = 0; r < n; r++) {
      finite[b] &= s.norm[r] - s.norm[r] == T(0);
      job.labels[start + r] = s.label[r];
    }
    for (int64_t r = 0; measured && r < n; r++) {
      int64_t i = rows.at(r);
      double w = job.weights ? job.weights[i] : 1.0;
      double distance = own_distance(X, i, centers, s.label[r], s);
      if (job.distances) job.distances[start + r] = distance;
      if (w > 0.0) inertia[b] += w * distance;
    }
    if (job.sums.sums)
      s.parts.add(pool, turns, b, totals, n, [&](int64_t r) {
        return Change{rows.at(r), s.label[r], -1};
      });
  });
  if (!done) return core::interrupted;
  job.finite = true;
  job.inertia = 0.0;
  for (int64_t b = 0; b < n_blocks; b++) {
    job.finite &= finite[b];
    job.inertia += inertia[b];
  }
  return core::ok;
}

inline Status label(const Call& call, core::LabelJob& job) {
  Centers centers;
  Cutter size(nullptr);
  const Rows& X = *job.rows;
  centers.cut(size, job.k, X.d, X.sparse);
  Memory memory(size.used());
  if (!memory) return core::no_memory;
  Cutter cutter(memory.begin());
  centers.cut(cutter, job.k, X.d, X.sparse);
  int64_t block_rows = rows_of_block(call, X, job.n);
  Pool pool(call, work_of(X, job.n, job.k), (job.n + block_rows - 1) / block_rows);
  centers.fill(job.centers, job.shift, &pool);
  return with_table(X, screen_in_double(call, centers),
                    [&](auto table) { return label_in(call, pool, job, centers, table); });
}

}  // namespace LEVEL
