// What a seeding remembers from step to step, what its threads have to themselves, and passes over
// some rows. See seeding.hpp.
#pragma once
#include "trials.hpp"

namespace LEVEL {

// The squared distances of all rows to the nearest centre so far, and their masses.
struct Seeding {
  core::SeedingArgs about;  // first, since the border looks for it
  Order order;
  int64_t n_centers, ask_with, look_with;
  Scale scale;
  uint64_t total;      // of all masses
  bool has_masses;     // whether the scale, the total and the mass of the blocks are of now
  double* exact_norms;  // squared norms in float64 where those that were given are not
  double* closest;     // (n,): squared distance to the nearest centre so far...
  int32_t* owner;      // (n,): ...and which that is; dense rows alone
  uint16_t *noted, *trials_of;  // (n,): see `try_rows`; noted rows are places in their block
  uint64_t *block_mass, *below;  // (order.n_blocks,); the latter: up to the end of each
  Centers so_far;  // centres (of CSR rows, only the norms, and only at the start)
  double* safe;    // (k,): see `find_safe`
  // The trials of a step.
  int64_t* drawn;
  double* points;    // as they are
  Centers trials;    // dense rows alone
  Table<float> f32;  // in the same memory as
  Table<double> f64;
  CsrPanel panel;
  // Rows in codes: made at the first look, in memory of their own.
  Codes codes;
  CodeTable coded_trials;
  void* of_codes;

  size_t cut(Cutter cutter) {
    const Rows& X = *about.rows;
    int64_t n = X.n, d = X.d, k = about.k, n_trials = about.n_trials;
    order.prepare(about.keys, n);
    order.take_tables(cutter);
    order.rows = cutter.take<int64_t>(n);
    block_mass = cutter.take<uint64_t>(order.n_blocks);
    below = cutter.take<uint64_t>(order.n_blocks);
    closest = cutter.take<double>(n);
    noted = cutter.take<uint16_t>(2 * n);
    trials_of = noted + n;
    order.buffer = (int64_t*)(void*)noted;  // blocks are sorted before rows are noted
    drawn = cutter.take<int64_t>(n_trials);
    points = cutter.take<double>(n_trials * d);
    if (X.sparse) {
      so_far.sq_norms = cutter.take<double>(k);
      panel.cut(cutter, X, n_trials);
      return cutter.used();
    }
    owner = cutter.take<int32_t>(n);
    so_far.cut(cutter, k, d);
    safe = cutter.take<double>(k);
    trials.cut(cutter, n_trials, d);
    Cutter other = cutter;
    f32.cut(other, n_trials, d);
    f64.cut(cutter, n_trials, d);
    return cutter.used();
  }

  double weighted(int64_t i, double sq_dist) const {
    if (!about.weights) return sq_dist;
    return about.weights[i] > 0.0 ? about.weights[i] * sq_dist : 0.0;
  }
  uint64_t mass(int64_t i, double sq_dist) const { return scale.whole(weighted(i, sq_dist)); }

  // Draw the trials of a step; of equal rows, one. Returns how many there are.
  int draw_trials(const double* uniforms) {
    uint64_t sum = 0;
    for (int64_t b = 0; b < order.n_blocks; b++) below[b] = sum += block_mass[b];
    int n = 0;
    for (int64_t t = 0; t < about.n_trials; t++) {
      uint64_t target = target_of(uniforms[t], total);
      int64_t b = place_above(below, order.n_blocks, target), row = 0;
      uint64_t so_far = b ? below[b - 1] : 0;
      order.sort(b);
      for (int64_t m = order.starts[b]; m < order.starts[b + 1]; m++) {
        row = order.rows[m];
        so_far += mass(row, closest[row]);
        if (so_far > target) break;
      }
      bool is_new = true;
      for (int other = 0; other < n; other++)
        is_new &= about.keys[drawn[other]] != about.keys[row];
      drawn[n] = row;
      n += is_new;
    }
    return n;
  }
};

// What a thread has to itself.
struct Worker {
  Entries entries;
  double *row, *distances;
  int64_t* index;
  uint64_t* lost;  // (order.n_blocks,): mass that canonical blocks lose to a new centre
  TryScratch<float> f32;  // in the same memory as
  TryScratch<double> f64;

  void cut(Cutter& cutter, const Seeding* s) {
    const Rows& X = *s->about.rows;
    row = cutter.take<double>(X.d);
    index = cutter.take<int64_t>(kStrip);
    lost = cutter.take<uint64_t>(s->order.n_blocks);
    if (X.sparse) {
      entries.columns = cutter.take<int64_t>(X.longest);
      entries.values = cutter.take<double>(X.longest);
      distances = cutter.take<double>(CsrPanel::lanes_of(s->about.n_trials));
      return;
    }
    Cutter other = cutter;
    f64.cut(cutter, X.d, s->about.n_trials);
    f32.cut(other, X.d, s->about.n_trials);
    if (other.used() > cutter.used()) cutter = other;
  }
};

// Call use(i, distance) with the squared distance of each row index[0], ... to a point.
template <class F>
inline void measure_rows(const Rows& X, const int64_t* index, int64_t n, const double* point,
                         double sq_norm, Worker& own, F use) {
  constexpr int N = kTile<double>;
  if (X.sparse) {
    for (int64_t m = 0; m < n; m++) {
      read_entries(X, index[m], own.entries);
      use(index[m], sparse_sq_distance(own.entries, point, sq_norm));
    }
    return;
  }
  if (X.d < 8) {  // rows side by side, since features have no lanes
    for (int64_t m = 0; m < n; m += N) {
      int size = int(minimum<int64_t>(N, n - m));
      double out[N];
      read_tile<double>(X, index + m, 0, size, nullptr, own.f64.buffer, own.f64.tile);
      sq_distances(own.f64.tile, point, X.d, out);
      for (int r = 0; r < size; r++) use(index[m + r], out[r]);
    }
    return;
  }
  for (int64_t m = 0; m < n; m++) {
    if (m + 4 < n) fetch_row(X, index[m + 4]);
    use(index[m], sq_distance_of_row(X, index[m], point, own.row));
  }
}

// Squared norms in float64 of some rows less the shift.
inline void fill_norms_of(Seeding& s, int64_t start, int64_t stop, TryScratch<double>& own) {
  constexpr int N = kTile<double>;
  const Rows& X = *s.about.rows;
  for (int64_t i = start; i < stop; i += N) {
    int n = int(minimum<int64_t>(N, stop - i));
    double norms[N];
    read_tile<double>(X, nullptr, i, n, s.about.shift, own.buffer, own.tile);
    norms_of_tile(own.tile, X.d, norms);
    std::memcpy(s.exact_norms + i, norms, size_t(n) * sizeof(double));
  }
}

// As `try_rows` for CSR rows, which are measured at once: adds the exact gains, and notes the rows
// that are nearer to a trial. Returns how many.
inline int64_t try_sparse_rows(Seeding& s, int64_t start, int64_t stop, Worker& own,
                               uint64_t* gains) {
  int64_t n_noted = 0;
  uint16_t *noted = s.noted + start, *trials_of = s.trials_of + start;
  for (int64_t i = start; i < stop; i++) {
    read_entries(*s.about.rows, i, own.entries);
    s.panel.measure_row(own.entries, own.distances);
    double closest = s.closest[i];
    uint64_t mass = s.mass(i, closest);
    int bits = 0;
    for (int t = 0; t < s.panel.n; t++)
      if (own.distances[t] < closest) {
        bits |= 1 << (t & 15);
        gains[t] += mass - s.mass(i, own.distances[t]);
      }
    noted[n_noted] = uint16_t(i - start);
    trials_of[n_noted] = uint16_t(bits);
    n_noted += bits != 0;
  }
  return n_noted;
}

template <class T>
inline TryScratch<T>& scratch_of(Worker& own) {
  if constexpr (sizeof(T) == 4) return own.f32;
  else return own.f64;
}

template <class T>
inline Table<T>& table_of(Seeding& s) {
  if constexpr (sizeof(T) == 4) return s.f32;
  else return s.f64;
}

// Before so many centres there are, codes leave most rows.
constexpr int64_t kFirstLook = 4;
// To encode the rows pays with so many features, times steps that are left. More than 64 features
// save no more each. (With a quarter fewer, k = 10 and 64 features, it costs 2 % more than it
// saves; with a tenth more, k = 12, it saves 4 %.)
constexpr int64_t kEncodingPays = 640, kFeaturesThatCount = 64;

// Whether to look at codes first.
inline bool wants_look(const Seeding& s, int screen) {
  const Rows& X = *s.about.rows;
  if (screen) return screen == 16;
  if (s.n_centers < s.look_with) return false;
  if (s.of_codes) return true;
  int64_t steps = s.about.k - s.n_centers;
  // At most half of what X takes.
  bool fits = X.size >= 4 && 2 * X.n * X.d <= s.about.spare_bytes;
  return fits && steps * minimum(X.d, kFeaturesThatCount) >= kEncodingPays;
}

// Encode the trials, and first of all the rows, if there is memory.
inline bool encode(Seeding& s, Pool& pool, Scratch<Worker>& own_of, const float* norms) {
  const Rows& X = *s.about.rows;
  if (s.of_codes) {
    s.coded_trials.fill(s.trials, s.codes.scale);
    return true;
  }
  Cutter size(nullptr);
  s.codes.cut(size, X.n, X.d);
  s.coded_trials.cut(size, s.about.n_trials, X.d);
  s.of_codes = std::malloc(size.used() + 192);
  if (!s.of_codes) {
    s.look_with = INT64_MAX;
    return true;
  }
  Cutter cutter((char*)((uintptr_t(s.of_codes) + 63) & ~uintptr_t(63)));
  s.codes.cut(cutter, X.n, X.d);
  s.coded_trials.cut(cutter, s.about.n_trials, X.d);
  s.codes.scale.set(X.d);
  int64_t n_tiles = Codes::n_tiles(X.n), of_block = (kStrip + kCodeRows - 1) / kCodeRows;
  int64_t n_blocks = (n_tiles + of_block - 1) / of_block;
  bool done = pool.for_blocks(n_blocks, [&](int64_t b, int thread) {
    TryScratch<float>& own = own_of.of(thread).f32;
    for (int64_t t = b * of_block; t < minimum(n_tiles, (b + 1) * of_block); t++)
      s.codes.encode(X, t, s.about.shift, norms, own.buffer, own.tile);
  });
  if (done) return encode(s, pool, own_of, norms);
  std::free(s.of_codes);
  s.of_codes = nullptr;
  return false;
}

}  // namespace LEVEL
