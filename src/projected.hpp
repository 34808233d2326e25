// Rows and centres on a few axes: lower bounds on their scores from 32 numbers instead of all
// features, where a few axes catch most of the variance.
//
// Let A have the axes as rows, A A' = I + E with |E| <= delta, p = A x, q = A c. The matrix
// I - A'A + delta I has no negative eigenvalue, so by Cauchy-Schwarz
// x.c <= p.q + r(x) r(c) + delta (|x|^2 + |c|^2) / 2, where r(x)^2 = (1 + delta) |x|^2 - |p|^2.
// What is left of a row, r, is thus one number more next to p, rounded up.
//
// Rounding. p and q are off by at most e |x| and e |c|, where e = sqrt(n_axes) times the relative
// error of a product: 2 e (1 + delta) + e^2 more than r and p.q have, see `fill_axes`. Scores of
// what is projected are rounded as all are, see screen.hpp. The part of the centre is taken off
// its score, that of the row is added to what the score is compared with.
#pragma once
#include "axes.hpp"
#include "nearest.hpp"

namespace LEVEL {

// Axes farther from orthonormal are not used.
constexpr double kMostOff = 1e-2;

struct Projection {
  int64_t k, d, width;  // width: numbers of a row
  bool possible, asked, in_use;  // `asked`: whether it is known if it pays
  Table<float> axes;             // as if they were centres
  float *rows, *norms, *spare;   // (n, width); squared, (n,)
  Centers centers;               // projected
  Table<float> table;
  double delta, grown, error, of_row, least;

  void cut(Cutter& cutter, int64_t n, int64_t n_clusters, int64_t n_features) {
    k = n_clusters;
    d = n_features;
    axes.cut(cutter, kAxes, d);
    rows = cutter.take<float>(n * (kAxes + 1));
    norms = cutter.take<float>(n);
    spare = cutter.take<float>(kAxes * d);
    centers.cut(cutter, k, kAxes + 1);
    table.cut(cutter, k, kAxes + 1);
  }

  // Choose the axes; false if there are none.
  bool fill_axes(const Rows& X, const double* shift, float* buffer) {
    axes.k = find_axes(X, shift, buffer, axes.factors, spare);
    axes.padded = (axes.k + 1) / 2 * 2;
    width = centers.d = table.d = axes.k + 1;
    for (int64_t j = axes.k * d; j < axes.padded * d; j++) axes.factors[j] = 0.0f;
    for (int64_t a = 0; a < axes.padded; a++) axes.norms[a] = 0.0f;
    double squares = 0.0;
    for (int64_t a = 0; a < axes.k; a++)
      for (int64_t b = 0; b < axes.k; b++) {
        double off = double(product(axes.factors + a * d, axes.factors + b * d, d)) - (a == b);
        squares += off * off;
      }
    double of_product = Table<float>::error_of_scores(sum_terms(d));
    double root = __builtin_sqrt(double(axes.k)), e = 1.01 * root * of_product, more = 2.1 * e;
    double of_norm = double(d + 8) * kEps<float>;
    delta = 1.01 * (__builtin_sqrt(squares) + double(axes.k) * of_product);
    grown = (1.0 + delta + more) * (1.0 + of_norm);
    least = 8.0 * double(d + 8) * kTiny<float>;  // where squares and products underflow
    error = 1.05 * (delta + more);
    of_row = (error + 2.2 * Table<float>::error_of_scores(sum_terms(width))) * (1.0 + of_norm);
    return axes.k > 0 && delta < kMostOff;
  }

  // Project the rows of a tile.
  void project(const Rows& X, const int64_t* index, int64_t first, int m, const double* shift,
               BlockScratch<float>& s, float* out, float* sq_norms) const {
    constexpr int L = kLanes<float>;
    float norm[kTile<float>];
    read_tile(X, index, first, m, shift, s.buffer, s.tile);
    norms_of_tile(s.tile, d, norm);
    for_scores(s.tile, axes, [&](int64_t a, int v, Floats along) {
      for (int r = 0; a < axes.k && r < L; r++)
        if (v * L + r < m) out[(v * L + r) * width + a] = along[r];
    });
    for (int r = 0; r < m; r++) {
      sq_norms[r] = norm[r];
      out[r * width + width - 1] = rest(norm[r], out + r * width);
    }
  }

  // Project the centres, given the table of all features.
  void follow(Pool& pool, const Centers& of, const Table<float>& full) {
    for_centers(&pool, k, d, [&](int64_t c) {
      double* along = centers.offsets + c * width;
      for (int64_t a = 0; a < axes.k; a++)
        along[a] = -0.5 * double(product(axes.factors + a * d, full.factors + c * d, d));
      along[axes.k] = rest(of.sq_norms[c], along);
      centers.sq_norms[c] = of.sq_norms[c] * (1.0 - error);
      centers.repeated[c] = of.repeated[c];
    });
    table.fill(centers);
  }

  // By how much a score from the table may be too high for the row's part.
  double off_of_row(float sq_norm) const { return of_row * double(sq_norm) + least; }

 private:
  template <class V>
  float rest(double sq_norm, const V* along) const {
    double left = sq_norm * grown + least;
    for (int64_t a = 0; a < axes.k; a++) left -= double(along[a]) * double(along[a]);
    return float(__builtin_sqrt(maximum(left, 0.0)) * (1.0 + kEps<float>));
  }
};

// Rows of a tile: which, where their projection is, their own centres and scores with those.
struct NearTile {
  static constexpr int N = kTile<float>;
  int m;
  int64_t which[N], place[N];
  const float* row[N];
  int32_t own[N];
  float best[N], second[N];

  void take(SomeRows rows, int64_t first) {
    m = int(minimum(int64_t(N), rows.n - first));
    for (int r = 0; r < m; r++) which[r] = place[r] = rows.at(first + r);
  }

  // Have s.within list the centres that may be nearer than the own one, and `second` the least
  // that the score of any other may be.
  void screen(const Projection& by, const Rows& X, const double* shift, const Table<float>& full,
              const int32_t* labels, BlockScratch<float>& s) {
    constexpr int L = kLanes<float>;
    float limit[N];
    const float* projected[N];
    for (int r = 0; r < N; r++) {
      int at = minimum(r, m - 1);
      projected[r] = by.rows + place[at] * by.width;
      limit[r] = float(-kInf);
      if (r >= m) continue;
      row[r] = row_as_float(X, which[r], shift, s.buffer + r * X.d);
      own[r] = labels[which[r]];
      best[r] = full.norms[own[r]] + product(row[r], full.factors + own[r] * X.d, X.d);
      double norm = double(by.norms[place[r]]);
      double reach = double(best[r]) + norm * double(full.slack_of_norm) +
                     double(full.slack[own[r]]) + by.off_of_row(by.norms[place[r]]);
      limit[r] = float(reach + kEps<float> * maximum(reach, -reach));
    }
    turn(projected, by.width, nullptr, s.tile);
    const Floats limits[2] = {load(limit), load(limit + L)};
    Floats least[2] = {splat(float(kInf)), splat(float(kInf))};
    for (int64_t c = 0; c < by.table.padded; c++) s.within[c] = 0;
    for_scores(s.tile, by.table, [&](int64_t c, int v, Floats score) {
      Ints beyond = score > limits[v];
      Floats counted = beyond ? score : splat(float(kInf));
      least[v] = counted < least[v] ? counted : least[v];
      s.within[c] |= bits_of(Ints(~beyond)) << (v * L);
    });
    store(second, least[0]);
    store(second + L, least[1]);
    for (int r = 0; r < m; r++) {
      double below = double(second[r]) - by.off_of_row(by.norms[place[r]]);
      below -= kEps<float> * maximum(below, -below);
      second[r] = below < double(second[r]) ? float(below) : float(kInf);
    }
  }
  // Which rows of the tile a centre may be nearer to.
  uint32_t rows_near(uint32_t within) const { return within & ~0u >> (32 - m); }
};

// As `find_nearest`, for rows that have labels: only centres that the projection does not show to
// be farther than that of the label are compared in all features.
inline int64_t find_near(const Rows& X, SomeRows rows, const double* shift, const Centers& centers,
                         const Table<float>& full, const Projection& by, const int32_t* labels,
                         bool screened, BlockScratch<float>& s) {
  constexpr int N = NearTile::N;
  NearTile tile;
  for (int64_t first = 0; first < rows.n; first += N) {
    tile.take(rows, first);
    for (int64_t next = first + N; next < minimum(first + 2 * N, rows.n); next++) {
      fetch_row(X, rows.at(next));
      for (int64_t at = 0; at < by.width; at += 16)
        __builtin_prefetch(by.rows + rows.at(next) * by.width + at);
    }
    tile.screen(by, X, shift, full, labels, s);
    for (int r = 0; r < tile.m; r++) {
      s.norm[first + r] = by.norms[tile.which[r]];
      s.label[first + r] = tile.own[r];
    }
    for (int64_t c = 0; c < full.k; c++) {
      for (uint32_t left = tile.rows_near(s.within[c]); left; left &= left - 1) {
        int r = lowest_bit(left);
        if (tile.own[r] == c) continue;
        float score = full.norms[c] + product(tile.row[r], full.factors + c * X.d, X.d);
        if (score < tile.best[r]) {
          tile.second[r] = minimum(tile.second[r], tile.best[r]);
          tile.best[r] = score;
          s.label[first + r] = int32_t(c);
        } else {
          tile.second[r] = minimum(score, tile.second[r]);
        }
      }
    }
    for (int r = 0; r < tile.m; r++) {
      s.best[first + r] = tile.best[r];
      s.second[first + r] = tile.second[r];
    }
  }
  int64_t n_open = list_open(rows.n, full, screened, s);
  if (n_open) decide_open(X, rows, shift, centers, full, n_open, s);
  return n_open;
}

}  // namespace LEVEL
