// Greedy k-means++: each centre is the best of several rows that are drawn by their masses,
// weight times squared distance to the nearest centre so far.
//
// Masses are whole numbers, so what a trial gains is exact, in any order and on any number of
// threads. Rows pass by the triangle inequality or by a screen (see trials.hpp); the rest are
// noted, and only these are measured by the definition: for the trials that the screen leaves as
// the best, if more than one, and for the one that is taken.
#pragma once
#include "seeding_state.hpp"

namespace LEVEL {

// Share of the rows that the triangle inequality leaves, from which on it is not asked for a
// while: 16 centres, or as many as there are. Asking costs a look at each row.
constexpr double kNoHelp = 0.8;
constexpr int64_t kAWhile = 16;
// The same for looks at codes, which cost more: about half as much as to read a row and compare it
// in float32.
constexpr double kCodesNoHelp = 0.6;
// Mean mass, as a share of that of the first centre if it were the shift, below which float32
// scores say too little of it.
constexpr double kTight = 0x1p-8;
constexpr uint64_t kLeastTotal = uint64_t(1) << 50;  // below, masses are made anew
// Values of noted rows, up to which other threads would come too late.
constexpr int64_t kLittle = 1 << 15;

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
    s_.has_masses = false;
    s_.n_centers = 0;
    if (done) remember(0);
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
    s_.has_masses = false;
    s_.n_centers = done ? n_centers : 0;
    return done ? core::ok : core::interrupted;
  }

  Status add(const double* uniforms, int64_t n_steps, int64_t* chosen, int64_t* n_done) {
    // None before a start, nor after an interruption; no more centres than there is room for.
    int64_t most = s_.n_centers ? minimum(n_steps, s_.about.k - s_.n_centers) : 0;
    for (*n_done = 0; *n_done < most; ++*n_done) {
      if ((!s_.has_masses || s_.total < kLeastTotal) && !weigh()) return core::interrupted;
      if (s_.total == 0) return core::ok;
      place(s_.draw_trials(uniforms + *n_done * s_.about.n_trials));
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
    int64_t values = X_.sparse ? index_at(X_.indptr, X_.wide, X_.n) : X_.n * X_.d;
    return double(values) * double(s_.about.n_trials) * double(n_steps);
  }

  size_t cut(Cutter cutter) {
    tried_ = cutter.take<Tried>(n_blocks_);
    sums_ = cutter.take<double>(n_blocks_);
    gains_ = cutter.take<double>(n_blocks_ * s_.about.n_trials);
    exact_ = cutter.take<uint64_t>(n_blocks_ * s_.about.n_trials);
    left_ = cutter.take<int>(s_.about.n_trials);
    return cutter.used();
  }

  static void fill_zeros(uint64_t* array, int64_t n) { std::memset(array, 0, size_t(n) * 8); }

  int64_t stop_of(int64_t b) const { return minimum(X_.n, (b + 1) * size_); }

  // Read the rows that were drawn.
  void place(int n) {
    n_ = n;
    for (int t = 0; t < n; t++)
      read_row(X_, s_.drawn[t], &own_.of(0).entries, s_.points + t * X_.d);
    if (X_.sparse) {
      s_.panel.start(n);
      for (int t = 0; t < n; t++) s_.panel.sq_norms[t] = sq_norm(s_.points + t * X_.d, X_.d);
    } else {
      s_.trials.k = n;
      s_.trials.fill(s_.points, s_.about.shift);
    }
  }
  double norm_of(int trial) const { return X_.sparse ? s_.panel.sq_norms[trial] : 0.0; }

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

  // Whether the screen is to be in float64.
  bool is_tight() const {
    if (s_.about.norms_are_double || screen_ == 64) return true;
    if (screen_ == 32) return false;
    double sum = s_.scale.back(double(s_.total));
    return sum < kTight * s_.about.sum_of_squares || !s_.trials.fit_float();
  }

  Status try_dense() {
    if (screen_ == 1) {  // nothing is known: all rows and trials are left
      std::memset(s_.trials_of, -1, size_t(X_.n) * sizeof *s_.trials_of);
      for (int64_t i = 0; i < X_.n; i++) s_.noted[i] = uint16_t(i % size_);
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
      fill_norms_of(s_, b * size_, stop_of(b), own_.of(thread).f64);
    });
  }

  // Compare all rows with the trials by a screen, and list the trials that may be the best.
  template <class T>
  bool try_all(const void* norms) {
    Table<T>& table = table_of<T>(s_);
    table.fill(s_.trials, nullptr, 0, false);
    bool asks = s_.n_centers >= s_.ask_with;
    if (asks) find_safe(s_.so_far, s_.n_centers, s_.trials, s_.safe);
    const Codes* codes = nullptr;
    if (sizeof(T) == 4 && wants_look(s_, screen_)) {
      if (!encode(s_, pool_, own_, (const float*)norms)) return false;
      codes = s_.of_codes ? &s_.codes : nullptr;
    }
    Known known = {&X_,   s_.about.weights,         s_.about.shift, s_.closest,      s_.owner,
                   norms, asks ? s_.safe : nullptr, codes,          &s_.coded_trials};
    bool done = pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      int64_t start = b * size_;
      tried_[b] = try_rows<T>(known, table, start, stop_of(b), scratch_of<T>(own_.of(thread)),
                              s_.noted + start, s_.trials_of + start, gains_ + b * n_);
    });
    if (!done) return false;
    Tried all = {};
    for (int64_t b = 0; b < n_blocks_; b++) {
      all.add(tried_[b]);
      for (int t = 0; b && t < n_; t++) gains_[t] += gains_[b * n_ + t];
    }
    n_noted_ = all.n_noted;
    if (asks && double(all.n_near) > kNoHelp * double(X_.n))
      s_.ask_with = s_.n_centers + minimum(s_.n_centers, kAWhile);
    if (codes && double(all.n_left) > kCodesNoHelp * double(all.n_looked))
      s_.look_with = s_.n_centers + minimum(s_.n_centers, kAWhile);
    // As masses, which are rounded down, and by one where that makes nothing.
    double off = s_.scale.scaled(all.slack) + 2.0 * double(all.n_noted);
    for (int t = 0; t < n_; t++) gains_[t] = s_.scale.scaled(gains_[t]);
    n_left_ = list_left(gains_, n_, off, rounding_of_gains<T>(), left_);
    return true;
  }

  // The same for CSR rows, which are measured at once: all trials are left, with exact gains.
  Status try_sparse() {
    s_.panel.fill(X_, s_.drawn, own_.of(0).entries);
    bool done = pool_.for_blocks(n_blocks_, [&](int64_t b, int thread) {
      fill_zeros(exact_ + b * n_, n_);
      tried_[b].n_noted =
          try_sparse_rows(s_, b * size_, stop_of(b), own_.of(thread), exact_ + b * n_);
    });
    s_.panel.clear(X_, s_.drawn, own_.of(0).entries);
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
  if (about.rows->sparse) std::memset(s.panel.places, 0, size_t(about.rows->d) * 4);
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
  Seeding& seeding = *(Seeding*)state;
  Steps steps(call, seeding, n_steps);
  if (!steps) return core::no_memory;
  Status status = steps.add(uniforms, n_steps, chosen, n_done);
  if (status == core::interrupted) seeding.n_centers = 0;  // what there is may be half of a step
  return status;
}

}  // namespace LEVEL
