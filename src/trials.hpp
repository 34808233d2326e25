// Trials of greedy k-means++: which rows they may bring nearer, and by how much about.
//
// The score of a row and a trial, |c|^2 - 2 x.c, is the squared distance less |x|^2. Its error is
// bounded, so rows whose score is too high for the trial to be nearer are passed over, and what a
// trial gains is known but for the sum of the bounds. Nothing here decides: see seeding.hpp.
#pragma once
#include "csr_panel.hpp"
#include "order.hpp"
#include "quantized.hpp"

namespace LEVEL {

constexpr int64_t kStrip = 1024;  // rows whose gains are added up in the precision of the screen

// How far off the score of a row with a trial may be from what the definition says, at the most.
struct Slack {
  double of_norm, of_trial, most;

  template <class T>
  explicit Slack(const Table<T>& table) : of_norm(double(table.slack_of_norm)), of_trial(0.0) {
    for (int64_t t = 0; t < table.k; t++) of_trial = maximum(of_trial, double(table.slack[t]));
    most = sizeof(T) == 4 ? 1e30 : 1e300;  // beyond, scores may overflow
  }
  double of(double closest, double norm) const {
    double both = closest + norm;
    return both < most ? both * of_norm + of_trial : kInf;
  }
};

// What a thread has to itself while rows are compared with trials.
template <class T>
struct TryScratch {
  int64_t* index;
  double* closest;  // of the listed rows
  T *norms, *target, *reach, *weight, *tile, *buffer, *sums;

  void cut(Cutter& cutter, int64_t d, int64_t n_trials) {
    constexpr int64_t size = kStrip + kTile<T>;
    index = cutter.take<int64_t>(size);
    closest = cutter.take<double>(size);
    norms = cutter.take<T>(size);
    target = cutter.take<T>(size);
    reach = cutter.take<T>(size);
    weight = cutter.take<T>(size);
    tile = cutter.take<T>(kTile<T> * d);
    buffer = cutter.take<T>(size_of_buffer<T>(d));
    sums = cutter.take<T>(kTile<T> * (n_trials + 1));
  }
};

// Fill in which trials may bring each row of a tile nearer (the rows listed from place `at` on),
// and add what the scores of trials are less to the sums.
template <class T>
inline void try_tile(const Table<T>& table, int64_t at, TryScratch<T>& s, Mask<T>* near) {
  constexpr int L = kLanes<T>;
  Vec<T> target[2], reach[2], weight[2];
  for (int v = 0; v < 2; v++) {
    target[v] = load(s.target + at + v * L);
    reach[v] = load(s.reach + at + v * L);
    weight[v] = load(s.weight + at + v * L);
    near[v] = Mask<T>{};
  }
  for_scores(s.tile, table, [&](int64_t t, int v, Vec<T> score) {
    Mask<T> is_near = ~(score > reach[v]);  // so that NaN is near
    near[v] |= is_near & (1 << (t & 15));
    Vec<T> closer = target[v] - score;
    closer = (Vec<T>)((Mask<T>)closer & (closer > Vec<T>{}) & is_near);
    T* sum = s.sums + (t * 2 + v) * L;
    store(sum, mul_add(weight[v], closer, load(sum)));
  });
}

// Fill in the squared distance to each of n centres up to which no trial can be nearer to a row of
// its: by the triangle inequality, a quarter of that between the centre and the nearest trial.
inline void find_safe(const Centers& centers, int64_t n, const Centers& trials, double* safe) {
  constexpr int L = kLanes<double>;
  const int64_t d = trials.d;
  const double rounding = 1e-15 * double(8 + d);
  for (int64_t c = 0; c < n; c++) {
    double nearest = kInf;
    const double* center = centers.offsets + c * d;
    for (int64_t t = 0; t < trials.k; t++) {
      const double* trial = trials.offsets + t * d;
      Vec<double> sums[2] = {};
      double product = 0.0, norms = centers.sq_norms[c] + trials.sq_norms[t];
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
    safe[c] = 0.2499999999 * nearest;
  }
}

// What is known of the rows before trials are compared.
struct Known {
  const Rows* rows;
  const double *weights, *shift, *closest;
  const int32_t* owner;
  const void* sq_norms;  // in the precision of the screen
  const double* safe;    // squared distance to each centre up to which no trial is nearer, or null
  const Codes* codes;    // to be looked at first, or null; and the trials as codes
  const CodeTable* trials;
};

// What a block has to say of the trials. A noted row is one that a trial may bring nearer; the
// bits say which, trial t by bit t % 16.
struct Tried {
  int64_t n_noted;
  int64_t n_near;   // rows that `safe` could not pass over
  int64_t n_looked, n_left;  // rows that were looked at in codes, and of those the ones left
  double slack;  // how far off each gain may be for the scores of the noted rows

  void add(const Tried& other) {
    n_noted += other.n_noted;
    n_near += other.n_near;
    n_looked += other.n_looked;
    n_left += other.n_left;
    slack += other.slack;
  }
};

// List the rows that some trial may bring nearer for what is known.
inline int list_near(const Known& known, int64_t first, int64_t last, int64_t* index) {
  int n = 0;
  if (!known.safe) {
    for (int64_t i = first; i < last; i++) index[n++] = i;
    return n;
  }
  for (int64_t i = first; i < last; i++) {
    index[n] = i;
    n += known.closest[i] > known.safe[known.owner[i]];
  }
  return n;
}

// Of the n rows that are listed, drop those that no trial can bring nearer by the codes. Only
// tiles with half of their rows listed are looked at: a look is at all of them.
inline int list_within(const Known& known, const Slack& slack, int n, int64_t* index,
                       Tried& tried) {
  constexpr int N = kCodeRows;
  const Codes& codes = *known.codes;
  const float* norms = (const float*)known.sq_norms;
  int n_left = 0;
  auto limit_of = [&](int64_t i) {
    double closest = known.closest[i], norm = double(norms[i]);
    return codes.limit_of(i, closest - norm + slack.of(closest, norm), norm);
  };
  for (int at = 0, next; at < n; at = next) {
    int64_t tile = index[at] / N, start = tile * N;
    for (next = at + 1; next < n && index[next] < start + N;) next++;
    uint32_t within = ~uint32_t(0);
    if (2 * (next - at) >= N) {
      float limits[N];
      for (int r = 0; r < N; r++) limits[r] = float(-kInf);
      if (next - at == N)
        for (int r = 0; r < N; r++) limits[r] = limit_of(start + r);
      else
        for (int m = at; m < next; m++) limits[index[m] - start] = limit_of(index[m]);
      within = any_within(codes.tile(tile), codes.factors + start, *known.trials, limits);
      tried.n_looked += next - at;
      tried.n_left += __builtin_popcount(within);
    }
    for (int m = at; m < next; m++) {
      index[n_left] = index[m];
      n_left += within >> (index[m] - start) & 1;
    }
  }
  return n_left;
}

// Fill in the score that each listed row has now, that up to which a trial may be nearer, and
// its weight as a share of the heaviest, which is returned: as they are, they may not fit.
template <class T>
inline double aim(const Known& known, const Slack& slack, int n, TryScratch<T>& s) {
  typedef T Few __attribute__((vector_size(kLanes<double> * sizeof(T))));  // as many as of double
  const T* norms = (const T*)known.sq_norms;
  const int64_t start = s.index[0];
  if (s.index[n - 1] - start == n - 1) {
    std::memcpy(s.closest, known.closest + start, size_t(n) * sizeof(double));
    std::memcpy(s.norms, norms + start, size_t(n) * sizeof(T));
  } else {
    for (int r = 0; r < n; r++) s.closest[r] = known.closest[s.index[r]];
    for (int r = 0; r < n; r++) s.norms[r] = norms[s.index[r]];
  }
  Mask<double> fits = splat(0.0) == 0.0;
  for (int r = 0; r < n; r += kLanes<double>) {
    Few few;
    std::memcpy(&few, s.norms + r, sizeof few);
    Vec<double> closest = load(s.closest + r), norm = __builtin_convertvector(few, Vec<double>);
    Vec<double> now = closest - norm, both = closest + norm;
    fits &= both < slack.most;
    store(s.target + r, __builtin_convertvector(now, Few));
    now += both * slack.of_norm + slack.of_trial;
    store(s.reach + r, __builtin_convertvector(now, Few));
  }
  bool fit = !bits_of(Mask<double>(~fits));
  for (int r = 0; !fit && r < n; r++)
    if (!(s.closest[r] + double(s.norms[r]) < slack.most)) s.reach[r] = T(kInf);
  int padded = (n + kTile<T> - 1) / kTile<T> * kTile<T>;
  for (int r = n; r < padded; r++) s.target[r] = s.reach[r] = T(-kInf);
  for (int r = 0; r < padded; r++) s.weight[r] = T(1);
  if (!known.weights) return 1.0;
  double heaviest = 1e-300;
  for (int r = 0; r < n; r++) heaviest = maximum(heaviest, known.weights[s.index[r]]);
  for (int r = 0; r < n; r++) {
    double weight = known.weights[s.index[r]];
    s.weight[r] = T(weight / heaviest);
    // A row that counts nothing may be so far that its distance has no room.
    if (!(weight > 0.0)) s.target[r] = s.reach[r] = T(-kInf);
  }
  return heaviest;
}

// Compare the rows of a block with all trials: note those that one may bring nearer (as places
// in the block), and fill in about how much each trial gains.
template <class T>
inline Tried try_rows(const Known& known, const Table<T>& table, int64_t start, int64_t stop,
                      TryScratch<T>& s, uint16_t* noted, uint16_t* trials_of, double* gains) {
  constexpr int N = kTile<T>, L = kLanes<T>;
  const Rows& X = *known.rows;
  const Slack slack(table);
  Tried tried = {};
  for (int t = 0; t < table.k; t++) gains[t] = 0.0;
  for (int64_t first = start; first < stop; first += kStrip) {
    int n = list_near(known, first, minimum(stop, first + kStrip), s.index);
    tried.n_near += n;
    if (known.codes) n = list_within(known, slack, n, s.index, tried);
    if (n == 0) continue;
    double heaviest = aim(known, slack, n, s);
    for (int64_t at = 0; at < table.padded * N; at++) s.sums[at] = T(0);
    for (int at = 0; at < n; at += N) {
      int size = minimum(N, n - at);
      bool in_a_row = s.index[at + size - 1] - s.index[at] == size - 1;
      int ahead = minimum(n, at + 3 * N);  // rows in a row the processor fetches by itself
      if (!in_a_row)
        for (int r = at + 2 * N; r < ahead; r++) fetch_row(X, s.index[r]);
      read_tile<T>(X, in_a_row ? nullptr : s.index + at, s.index[at], size, known.shift, s.buffer,
                   s.tile);
      Mask<T> near[2];
      try_tile(table, at, s, near);
      uint32_t left = bits_of(Mask<T>(near[0] != 0)) | bits_of(Mask<T>(near[1] != 0)) << L;
      for (; left; left &= left - 1) {
        int lane = lowest_bit(left), r = at + lane;
        if (r >= n) break;
        noted[tried.n_noted] = uint16_t(s.index[r] - start);
        trials_of[tried.n_noted++] = uint16_t(near[lane / L][lane % L]);
        double weight = known.weights ? known.weights[s.index[r]] : 1.0;
        // The second term: what is lost of products with a small share of the heaviest.
        if (weight > 0.0)
          tried.slack += weight * slack.of(s.closest[r], double(s.norms[r])) +
                         heaviest * kTiny<T> * (1.0 + s.closest[r]);
      }
    }
    for (int t = 0; t < table.k; t++) {
      double sum = 0.0;
      for (int r = 0; r < N; r++) sum += double(s.sums[t * N + r]);
      gains[t] += heaviest * sum;
    }
  }
  return tried;
}

// How far off a gain may be for its own sum, as a share of it.
template <class T>
inline double rounding_of_gains() {
  return double(kStrip / kTile<T> + 16) * kEps<T>;
}

constexpr double kEqual = 1e-10;  // relative, of gains that count as equal

// List the trials that may have the best gain, if each gain is off by no more than `off` and that
// share of itself. A NaN rules out nothing.
inline int list_left(const double* gains, int n, double off, double share, int* left) {
  double least = 0.0;
  for (int t = 0; t < n; t++) least = maximum(least, gains[t] - share * gains[t] - off);
  int n_left = 0;
  for (int t = 0; t < n; t++)
    if (!(gains[t] + share * gains[t] + off < least * (1.0 - 2.0 * kEqual))) left[n_left++] = t;
  return n_left;
}

// The first trial whose gain is the largest, but for rounding.
inline int best_of(const uint64_t* gains, int n) {
  uint64_t largest = 0;
  for (int i = 0; i < n; i++) largest = maximum(largest, gains[i]);
  double least = double(largest) * (1.0 - kEqual);
  uint64_t whole = uint64_t(least);
  whole += double(whole) < least;
  for (int i = 0; i < n; i++)
    if (gains[i] >= whole) return i;
  return 0;
}

}  // namespace LEVEL
