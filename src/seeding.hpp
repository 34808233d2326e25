// Greedy k-means++: each centre is the best of several rows that are drawn by their masses,
// weight times squared distance to the nearest centre so far.
//
// Masses are whole numbers, so what a trial gains is exact, in any order and on any number of
// threads. Rows pass by the triangle inequality or by a screen (see trials.hpp); the rest are
// noted, and only these are measured by the definition: for the trials that the screen leaves as
// the best, if more than one, and for the one that is taken.
#pragma once
#include "trials.hpp"

namespace LEVEL {

// Share of the rows that the triangle inequality leaves, from which on it is not asked for a
// while: 16 centres, or as many as there are. Asking costs a look at each row.
constexpr double kNoHelp = 0.8;
constexpr int64_t kAWhile = 16;
// The same for looks at codes, which cost more: about half as much as to read a row and compare it
// in float32. Before the fourth centre they leave most rows.
constexpr double kCodesNoHelp = 0.6;
constexpr int64_t kFirstLook = 4;
// To encode the rows pays with so many features, times steps that are left. More than 64 features
// save no more each. (With a quarter fewer, k = 10 and 64 features, it costs 2 % more than it
// saves; with a tenth more, k = 12, it saves 4 %.)
constexpr int64_t kEncodingPays = 640, kFeaturesThatCount = 64;
// Mean mass, as a share of that of the first centre if it were the shift, below which float32
// scores say too little of it.
constexpr double kTight = 0x1p-8;
constexpr uint64_t kLeastTotal = uint64_t(1) << 50;  // below, masses are made anew
// Values of noted rows, up to which other threads would come too late.
constexpr int64_t kLittle = 1 << 15;
constexpr double kEqual = 1e-10;  // relative, of gains that count as equal

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
  SparseTrials sparse;
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
      int64_t lanes = SparseTrials::lanes_of(n_trials);
      double most = double(n_trials) * double(X.longest);
      int64_t n_places = most < double(d) ? int64_t(most) : d;
      sparse.places = cutter.take<int32_t>(d);
      sparse.factors = cutter.take<double>((n_places + 1) * lanes);
      sparse.sq_norms = cutter.take<double>(lanes);
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
      distances = cutter.take<double>(SparseTrials::lanes_of(s->about.n_trials));
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
  auto measure = [&](auto distance_of) {
    for (int64_t m = 0; m < n; m++) {
      if (m + 4 < n) fetch_row(X, index[m + 4]);
      use(index[m], distance_of(index[m]));
    }
  };
  auto in_place = [&](auto example) {  // values in a row are read where they are
    using S = decltype(example);
    measure([&](int64_t i) {
      const char* row = X.values + i * X.row_stride;
      return sum_of_terms<double>(0, X.d, [=](int64_t j) {
        double difference = double(value_at<S>(row + j * int64_t(sizeof(S)))) - point[j];
        return difference * difference;
      });
    });
  };
  if (!X.swapped && X.type == Type::f32 && X.feature_stride == 4) return in_place(float{});
  if (!X.swapped && X.type == Type::f64 && X.feature_stride == 8) return in_place(double{});
  measure([&](int64_t i) {
    read_row(X, i, nullptr, own.row);
    return sq_distance(own.row, point, X.d);
  });
}

// Some steps, or the start, in one call.
class Steps {
 public:
  Steps(const Call& call, Seeding& s, int64_t n_steps)
      : screen_(call.options->screen),
        s_(s),
        X_(*s.about.rows),
        size_(minimum<int64_t>(rows_of_block(call, X_, X_.n), 1 << 16)),
        n_blocks_((X_.n + size_ - 1) / size_),
        pool_(call, work(n_steps), n_blocks_),
        own_(pool_.n_threads(), (const Seeding*)&s),
        memory_(cut(Cutter(nullptr))) {
    if (!*this) return;
    cut(Cutter(memory_.begin()));
    for (int t = 0; t < pool_.n_threads(); t++) fill_zeros(own_.of(t).lost, s_.order.n_blocks);
  }
  explicit operator bool() const { return own_ && memory_; }

  Status start(int64_t row) {
    if (!s_.order.cut()) return core::no_memory;
    s_.order.list(nullptr);
    s_.drawn[0] = row;
    place(1);
    const double *point = s_.points, norm = norm_of(0);
    bool done = pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      Worker& own = own_.of(thread);
      for (int64_t first = b * size_, stop = stop_of(b); first < stop; first += kStrip) {
        int64_t n = minimum(kStrip, stop - first);
        for (int64_t m = 0; m < n; m++) own.index[m] = first + m;
        measure_rows(X_, own.index, n, point, norm, own, [&](int64_t i, double distance) {
          s_.closest[i] = distance;
          if (!X_.sparse) s_.owner[i] = 0;
        });
      }
    });
    s_.n_centers = 0;
    remember(0);
    s_.has_masses = false;
    return done ? core::ok : core::interrupted;
  }

  Status start_from(const double* centers, int64_t n_centers, const int32_t* labels) {
    if (!s_.order.cut()) return core::no_memory;
    s_.order.list(nullptr);
    s_.so_far.k = n_centers;
    if (!X_.sparse) s_.so_far.fill(centers, s_.about.shift);
    for (int64_t c = 0; X_.sparse && c < n_centers; c++)
      s_.so_far.sq_norms[c] = sq_norm(centers + c * X_.d, X_.d);
    bool done = pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      Worker& own = own_.of(thread);
      for (int64_t i = b * size_; i < stop_of(b); i++) {
        const double* center = centers + labels[i] * X_.d;
        if (X_.sparse) {
          read_entries(X_, i, own.entries);
          s_.closest[i] = sparse_sq_distance(own.entries, center, s_.so_far.sq_norms[labels[i]]);
        } else {
          read_row(X_, i, nullptr, own.row);
          s_.closest[i] = sq_distance(own.row, center, X_.d);
          s_.owner[i] = labels[i];
        }
      }
    });
    s_.n_centers = n_centers;
    s_.has_masses = false;
    return done ? core::ok : core::interrupted;
  }

  Status add(const double* uniforms, int64_t n_steps, int64_t* chosen, int64_t* n_done) {
    for (*n_done = 0; *n_done < n_steps; ++*n_done) {
      if ((!s_.has_masses || s_.total < kLeastTotal) && !weigh()) return core::interrupted;
      if (s_.total == 0) return core::ok;
      draw_trials(uniforms + *n_done * s_.about.n_trials);
      Status status = X_.sparse ? try_sparse() : try_dense();
      if (status != core::ok) return status;
      int best = n_left_ == 1 ? left_[0] : best_left();
      if (best < 0 || !take(best)) return core::interrupted;
      chosen[*n_done] = s_.drawn[best];
    }
    return core::ok;
  }

 private:
  double work(int64_t n_steps) const {
    double values = X_.sparse ? double(X_.longest) : double(X_.d);
    return values * double(X_.n) * double(s_.about.n_trials) * double(n_steps);
  }

  size_t cut(Cutter cutter) {
    tried_ = cutter.take<Tried>(n_blocks_);
    sums_ = cutter.take<double>(n_blocks_);
    gains_ = cutter.take<double>(n_blocks_ * s_.about.n_trials);
    exact_ = cutter.take<uint64_t>(n_blocks_ * s_.about.n_trials);
    most_ = cutter.take<double>(s_.about.n_trials);
    left_ = cutter.take<int>(s_.about.n_trials);
    return cutter.used();
  }

  template <class T>
  static void fill_zeros(T* array, int64_t n) {
    for (int64_t i = 0; i < n; i++) array[i] = T(0);
  }

  int64_t stop_of(int64_t b) const { return minimum(X_.n, (b + 1) * size_); }

  // Read the rows that were drawn.
  void place(int n) {
    n_ = n;
    for (int t = 0; t < n; t++)
      read_row(X_, s_.drawn[t], &own_.of(0).entries, s_.points + t * X_.d);
    if (X_.sparse) {
      s_.sparse.measure(s_.points, n, X_.d);
    } else {
      s_.trials.k = n;
      s_.trials.fill(s_.points, s_.about.shift);
    }
  }
  double norm_of(int trial) const { return X_.sparse ? s_.sparse.sq_norms[trial] : 0.0; }

  // Count a trial among the centres.
  void remember(int trial) {
    int64_t d = X_.d;
    if (!X_.sparse) {
      s_.so_far.sq_norms[s_.n_centers] = s_.trials.sq_norms[trial];
      std::memcpy(s_.so_far.offsets + s_.n_centers * d, s_.trials.offsets + trial * d,
                  size_t(d) * sizeof(double));
    }
    s_.n_centers++;
  }

  // Add up what the threads have in `lost`, block by block, and leave zeros.
  template <class F>
  void collect(F use) {
    for (int t = 0; t < pool_.n_threads(); t++)
      for (int64_t b = 0; b < s_.order.n_blocks; b++) {
        use(b, own_.of(t).lost[b]);
        own_.of(t).lost[b] = 0;
      }
  }

  // Make the masses anew.
  bool weigh() {
    bool done = pool_.for_blocks(n_blocks_, [&](int64_t b, int) {
      sums_[b] = 0.0;
      for (int64_t i = b * size_; i < stop_of(b); i++) sums_[b] += s_.weighted(i, s_.closest[i]);
    });
    double sum = 0.0;
    for (int64_t b = 0; b < n_blocks_; b++) sum += sums_[b];
    s_.scale = Scale(sum);
    done = done && pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      uint64_t* masses = own_.of(thread).lost;
      for (int64_t i = b * size_; i < stop_of(b); i++)
        masses[s_.order.block_of[i]] += s_.mass(i, s_.closest[i]);
    });
    s_.total = 0;
    fill_zeros(s_.block_mass, s_.order.n_blocks);
    collect([&](int64_t b, uint64_t mass) { s_.total += mass, s_.block_mass[b] += mass; });
    s_.has_masses = true;
    return done;
  }

  // Draw the trials of a step; of equal rows, one.
  void draw_trials(const double* uniforms) {
    Order& order = s_.order;
    uint64_t below = 0;
    for (int64_t b = 0; b < order.n_blocks; b++) s_.below[b] = below += s_.block_mass[b];
    int n = 0;
    for (int64_t t = 0; t < s_.about.n_trials; t++) {
      uint64_t target = target_of(uniforms[t], s_.total);
      int64_t b = place_above(s_.below, order.n_blocks, target), row = 0;
      uint64_t so_far = b ? s_.below[b - 1] : 0;
      order.sort(b);
      for (int64_t m = order.starts[b]; m < order.starts[b + 1]; m++) {
        row = order.rows[m];
        so_far += s_.mass(row, s_.closest[row]);
        if (so_far > target) break;
      }
      bool is_new = true;
      for (int other = 0; other < n; other++)
        is_new &= s_.about.keys[s_.drawn[other]] != s_.about.keys[row];
      s_.drawn[n] = row;
      n += is_new;
    }
    place(n);
  }

  // Squared distance to each centre up to which no trial can be nearer to a row of its: by the
  // triangle inequality, a quarter of that between the centre and the nearest trial.
  void find_safe() {
    constexpr int L = kLanes<double>;
    int64_t d = X_.d;
    double rounding = 1e-15 * double(8 + d);
    for (int64_t c = 0; c < s_.n_centers; c++) {
      double nearest = __builtin_inf();
      const double* center = s_.so_far.offsets + c * d;
      for (int t = 0; t < n_; t++) {
        const double* trial = s_.trials.offsets + t * d;
        Vec<double> sums[2] = {};
        double product = 0.0, norms = s_.so_far.sq_norms[c] + s_.trials.sq_norms[t];
        int64_t j = 0;
        for (; j + 2 * L <= d; j += 2 * L) {
          sums[0] = mul_add(load(center + j), load(trial + j), sums[0]);
          sums[1] = mul_add(load(center + j + L), load(trial + j + L), sums[1]);
        }
        for (; j < d; j++) product += center[j] * trial[j];
        sums[0] += sums[1];
        for (int lane = 0; lane < L; lane++) product += sums[0][lane];
        nearest = minimum(nearest, norms - 2.0 * product - rounding * norms);
      }
      s_.safe[c] = 0.2499999999 * nearest;
    }
  }

  // Whether the screen is to be in float64.
  bool is_tight() const {
    if (s_.about.norms_are_double || screen_ == 64) return true;
    if (screen_ == 32) return false;
    double sum = s_.scale.back(double(s_.total));
    return sum < kTight * s_.about.sum_of_squares || !s_.trials.fit_float();
  }

  Status try_dense() {
    if (screen_ == 1) {  // nothing is known: all rows and trials are left
      for (int64_t i = 0; i < X_.n; i++) s_.noted[i] = uint16_t(i % size_), s_.trials_of[i] = 0xffff;
      for (int64_t b = 0; b < n_blocks_; b++) tried_[b].n_noted = stop_of(b) - b * size_;
      n_noted_ = X_.n;
      for (n_left_ = 0; n_left_ < n_; n_left_++) left_[n_left_] = n_left_;
      return core::ok;
    }
    if (!is_tight()) return try_all<float>(s_.about.sq_norms) ? core::ok : core::interrupted;
    const void* norms = s_.about.norms_are_double ? s_.about.sq_norms : s_.exact_norms;
    if (!norms) {
      norms = s_.exact_norms = (double*)std::malloc(size_t(X_.n) * sizeof(double));
      if (!norms) return core::no_memory;
      if (!fill_norms()) return core::interrupted;
    }
    return try_all<double>(norms) ? core::ok : core::interrupted;
  }

  bool fill_norms() {
    return pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      constexpr int N = kTile<double>;
      TryScratch<double>& own = own_.of(thread).f64;
      for (int64_t i = b * size_; i < stop_of(b); i += N) {
        int n = int(minimum<int64_t>(N, stop_of(b) - i));
        read_tile<double>(X_, nullptr, i, n, s_.about.shift, own.buffer, own.tile);
        double norms[N];
        norms_of_tile(own.tile, X_.d, norms);
        std::memcpy(s_.exact_norms + i, norms, size_t(n) * sizeof(double));
      }
    });
  }

  template <class T>
  TryScratch<T>& scratch_of(int thread) {
    if constexpr (sizeof(T) == 4) return own_.of(thread).f32;
    else return own_.of(thread).f64;
  }

  template <class T>
  Table<T>& table_of() {
    if constexpr (sizeof(T) == 4) return s_.f32;
    else return s_.f64;
  }

  // Whether to look at codes first.
  bool wants_look() const {
    if (screen_) return screen_ == 16;
    if (s_.n_centers < s_.look_with) return false;
    if (s_.of_codes) return true;
    int64_t steps = s_.about.k - s_.n_centers, of_value = 0;
    with_type(X_.type, [&](auto value) { of_value = sizeof value; });
    // At most half of what X takes.
    bool fits = of_value >= 4 && 2 * X_.n * X_.d <= s_.about.spare_bytes;
    return fits && steps * minimum(X_.d, kFeaturesThatCount) >= kEncodingPays;
  }

  // Encode all rows, if there is memory.
  bool encode(const float* norms) {
    Cutter size(nullptr);
    s_.codes.cut(size, X_.n, X_.d);
    s_.coded_trials.cut(size, s_.about.n_trials, X_.d);
    s_.of_codes = std::malloc(size.used() + 192);
    if (!s_.of_codes) {
      s_.look_with = INT64_MAX;
      return true;
    }
    Cutter cutter((char*)((uintptr_t(s_.of_codes) + 63) & ~uintptr_t(63)));
    s_.codes.cut(cutter, X_.n, X_.d);
    s_.coded_trials.cut(cutter, s_.about.n_trials, X_.d);
    s_.codes.scale.set(X_.d);
    int64_t n_tiles = Codes::n_tiles(X_.n), of_block = (kStrip + kCodeRows - 1) / kCodeRows;
    int64_t n_blocks = (n_tiles + of_block - 1) / of_block;
    bool done = pool_.for_blocks(n_blocks, [&](int64_t b, int thread) {
      TryScratch<float>& own = own_.of(thread).f32;
      for (int64_t t = b * of_block; t < minimum(n_tiles, (b + 1) * of_block); t++)
        s_.codes.encode(X_, t, s_.about.shift, norms, own.buffer, own.tile);
    });
    if (done) return true;
    std::free(s_.of_codes);
    s_.of_codes = nullptr;
    return false;
  }

  // Compare all rows with the trials by a screen, and list the trials that may be the best.
  template <class T>
  bool try_all(const void* norms) {
    Table<T>& table = table_of<T>();
    table.fill(s_.trials, nullptr, 0, false);
    bool asks = s_.n_centers >= s_.ask_with;
    if (asks) find_safe();
    bool looks = sizeof(T) == 4 && wants_look();
    if (looks) {
      if (!s_.of_codes && !encode((const float*)norms)) return false;
      looks = s_.of_codes;
      if (looks) s_.coded_trials.fill(s_.trials, s_.codes.scale);
    }
    Known known = {&X_,
                   s_.about.weights,
                   s_.about.shift,
                   s_.closest,
                   s_.owner,
                   norms,
                   asks ? s_.safe : nullptr,
                   looks ? &s_.codes : nullptr,
                   &s_.coded_trials};
    bool done = pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      int64_t start = b * size_;
      tried_[b] = try_rows<T>(known, table, start, stop_of(b), scratch_of<T>(thread),
                              s_.noted + start, s_.trials_of + start, gains_ + b * n_);
    });
    if (!done) return false;
    Tried all = {};
    for (int64_t b = 0; b < n_blocks_; b++) {
      all.n_noted += tried_[b].n_noted;
      all.n_near += tried_[b].n_near;
      all.n_looked += tried_[b].n_looked;
      all.n_left += tried_[b].n_left;
      all.slack += tried_[b].slack;
      for (int t = 0; b && t < n_; t++) gains_[t] += gains_[b * n_ + t];
    }
    n_noted_ = all.n_noted;
    if (asks && double(all.n_near) > kNoHelp * double(X_.n))
      s_.ask_with = s_.n_centers + minimum(s_.n_centers, kAWhile);
    if (looks && double(all.n_left) > kCodesNoHelp * double(all.n_looked))
      s_.look_with = s_.n_centers + minimum(s_.n_centers, kAWhile);
    // As masses, which are rounded down, and by one where that makes nothing.
    double least = 0.0;
    for (int t = 0; t < n_; t++) {
      double gain = s_.scale.scaled(gains_[t]);
      double off = s_.scale.scaled(all.slack) + rounding_of_gains<T>() * gain +
                   2.0 * double(all.n_noted);
      least = maximum(least, gain - off);
      most_[t] = gain + off;
    }
    n_left_ = 0;
    for (int t = 0; t < n_; t++)
      if (!(most_[t] < least * (1.0 - 2.0 * kEqual))) left_[n_left_++] = t;
    return true;
  }

  // The same for CSR rows, which are measured at once: all trials are left, with exact gains.
  Status try_sparse() {
    s_.sparse.fill(X_, s_.drawn, own_.of(0).entries);
    bool done = pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      Worker& own = own_.of(thread);
      int64_t start = b * size_, n_noted = 0;
      uint16_t *noted = s_.noted + start, *trials_of = s_.trials_of + start;
      uint64_t* gains = exact_ + b * n_;
      fill_zeros(gains, n_);
      for (int64_t i = start; i < stop_of(b); i++) {
        read_entries(X_, i, own.entries);
        s_.sparse.measure_row(own.entries, own.distances);
        double closest = s_.closest[i];
        uint64_t mass = s_.mass(i, closest);
        int bits = 0;
        for (int t = 0; t < n_; t++)
          if (own.distances[t] < closest) {
            bits |= 1 << (t & 15);
            gains[t] += mass - s_.mass(i, own.distances[t]);
          }
        noted[n_noted] = uint16_t(i - start);
        trials_of[n_noted] = uint16_t(bits);
        n_noted += bits != 0;
      }
      tried_[b].n_noted = n_noted;
    });
    s_.sparse.clear(X_, s_.drawn, own_.of(0).entries);
    if (!done) return core::interrupted;
    n_noted_ = 0;
    for (int64_t b = 0; b < n_blocks_; b++) {
      n_noted_ += tried_[b].n_noted;
      for (int t = 0; b && t < n_; t++) exact_[t] += exact_[b * n_ + t];
    }
    left_[0] = best_of(exact_, n_);
    n_left_ = 1;
    return core::ok;
  }

  // The first whose gain is the largest, but for rounding.
  static int best_of(const uint64_t* gains, int n) {
    uint64_t largest = 0;
    for (int i = 0; i < n; i++) largest = maximum(largest, gains[i]);
    double least = double(largest) * (1.0 - kEqual);
    uint64_t whole = uint64_t(least);
    whole += double(whole) < least;
    for (int i = 0; i < n; i++)
      if (gains[i] >= whole) return i;
    return 0;
  }

  // Call use(i, distance) for the noted rows of a block that a trial may bring nearer.
  template <class F>
  void measure_noted(int64_t b, int trial, Worker& own, F use) {
    int64_t start = b * size_, n_noted = tried_[b].n_noted;
    const uint16_t *noted = s_.noted + start, *trials_of = s_.trials_of + start;
    int bit = 1 << (trial & 15);
    for (int64_t m = 0; m < n_noted;) {
      int64_t n = 0;
      for (; m < n_noted && n < kStrip; m++) {
        own.index[n] = start + noted[m];
        n += (trials_of[m] & bit) != 0;
      }
      measure_rows(X_, own.index, n, s_.points + trial * X_.d, norm_of(trial), own, use);
    }
  }

  // Call f(block, thread) for the blocks that have noted rows.
  template <class F>
  bool for_noted(int64_t n_looks, F f) {
    if (n_noted_ * n_looks * X_.d <= kLittle)
      return pool_.for_blocks(1, [&](int64_t, int thread) {
        for (int64_t b = 0; b < n_blocks_; b++)
          if (tried_[b].n_noted) f(b, thread);
      });
    return pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      if (tried_[b].n_noted) f(b, thread);
    });
  }

  // The best of the trials that are left, by exact gains; -1 if interrupted.
  int best_left() {
    fill_zeros(exact_, n_blocks_ * n_left_);
    bool done = for_noted(n_left_, [&](int64_t b, int thread) {
      for (int i = 0; i < n_left_; i++) {
        uint64_t gain = 0;
        measure_noted(b, left_[i], own_.of(thread), [&](int64_t row, double distance) {
          double closest = s_.closest[row];
          if (distance < closest) gain += s_.mass(row, closest) - s_.mass(row, distance);
        });
        exact_[b * n_left_ + i] = gain;
      }
    });
    for (int64_t b = 1; b < n_blocks_; b++)
      for (int i = 0; i < n_left_; i++) exact_[i] += exact_[b * n_left_ + i];
    return done ? left_[best_of(exact_, n_left_)] : -1;
  }

  // Take a trial as the next centre.
  bool take(int best) {
    int32_t number = int32_t(s_.n_centers);
    bool done = for_noted(1, [&](int64_t b, int thread) {
      Worker& own = own_.of(thread);
      measure_noted(b, best, own, [&](int64_t i, double distance) {
        double closest = s_.closest[i];
        if (!(distance < closest)) return;
        own.lost[s_.order.block_of[i]] += s_.mass(i, closest) - s_.mass(i, distance);
        s_.closest[i] = distance;
        if (!X_.sparse) s_.owner[i] = number;
      });
    });
    collect([&](int64_t b, uint64_t mass) { s_.total -= mass, s_.block_mass[b] -= mass; });
    remember(best);
    return done;
  }

  int screen_;
  Seeding& s_;
  const Rows& X_;
  int64_t size_, n_blocks_;
  Pool pool_;
  Scratch<Worker> own_;
  Memory memory_;
  int n_ = 0, n_left_ = 0;  // trials of the step; those that may be the best
  int64_t n_noted_ = 0;
  Tried* tried_;   // of each block
  double* sums_;
  double* gains_;    // by block and trial, about
  uint64_t* exact_;  // the same by the definition
  double* most_;     // gain of each trial
  int* left_;
};

inline void* seeding_new(const Call&, const core::SeedingArgs& about) {
  Seeding s{};
  s.about = about;
  s.look_with = kFirstLook;
  size_t head = (sizeof(Seeding) + 63) & ~size_t(63);
  size_t bytes = s.cut(Cutter(nullptr));
  // By hand, since it outlives the call; one line more, as `Memory` has it.
  char* memory = bytes < SIZE_MAX / 2 ? (char*)std::malloc(head + bytes + 192) : nullptr;
  if (!memory) return nullptr;
  s.cut(Cutter(memory + head));
  if (about.rows->sparse) std::memset(s.sparse.places, 0, size_t(about.rows->d) * 4);
  std::memcpy(memory, (const void*)&s, sizeof s);
  return memory;
}

inline void seeding_free(void* state) {
  std::free(((Seeding*)state)->exact_norms);
  std::free(((Seeding*)state)->of_codes);
  std::free(state);
}

inline Status seeding_start(const Call& call, void* state, int64_t row) {
  Steps steps(call, *(Seeding*)state, 1);
  return steps ? steps.start(row) : core::no_memory;
}

inline Status seeding_start_from(const Call& call, void* state, const double* centers,
                                 int64_t n_centers, const int32_t* labels) {
  Steps steps(call, *(Seeding*)state, 1);
  return steps ? steps.start_from(centers, n_centers, labels) : core::no_memory;
}

inline Status seeding_add(const Call& call, void* state, const double* uniforms, int64_t n_steps,
                          int64_t* chosen, int64_t* n_done) {
  Steps steps(call, *(Seeding*)state, n_steps);
  return steps ? steps.add(uniforms, n_steps, chosen, n_done) : core::no_memory;
}

}  // namespace LEVEL
