// Rows and centres in whole numbers of 16 bits ("codes"), which are read faster than the rows and
// give lower bounds on their scores.
//
// A row or centre less the shift is scaled so that its norm is nearly 2^15, and each value is
// rounded: off by half, so by no more than sqrt(d) / 2 together. With s = sqrt(d) / 2^16 the
// codes of x and c, scaled back, are off by s |x| and s |c|, so by Cauchy-Schwarz their product
// by s (2 + s) |x| |c|, and the score, which has twice that, by s (2 + s) (|x|^2 + |c|^2). The
// part of the centre is taken off its score, that of the row is added to what the score is
// compared with. No sum of products overflows, since no product of norms does.
//
// A least squared norm counts for rows and centres that have less, or their scale would overflow.
// Where a norm is NaN or infinite the codes mean nothing, but then neither do the bounds: every
// test is written so that it fails.
#pragma once
#include "screen.hpp"

namespace LEVEL {

constexpr double kLargestCode = 32766.0;  // one less than there is room for
constexpr double kLeastNorm = 1e-30;      // squared
// To this number a value below 2^15 is added: the low 16 bits of the sum are the value, rounded.
constexpr float kToBits = 12582912.0f;
constexpr int kCodeRows = kTile<float>;  // of a tile

// Sums, in 32 bits, plus the products of the codes of rows and a centre, two features at a time.
inline Ints add_pairs(Ints sums, Ints rows, int32_t center) {
#if defined(__AVX512VNNI__)
  return (Ints)_mm512_dpwssd_epi32((__m512i)sums, (__m512i)rows, _mm512_set1_epi32(center));
#elif defined(__AVX512BW__)
  __m512i products = _mm512_madd_epi16((__m512i)rows, _mm512_set1_epi32(center));
  return (Ints)_mm512_add_epi32((__m512i)sums, products);
#elif defined(__AVX2__)
  __m256i products = _mm256_madd_epi16((__m256i)rows, _mm256_set1_epi32(center));
  return (Ints)_mm256_add_epi32((__m256i)sums, products);
#elif defined(__SSE2__)
  __m128i products = _mm_madd_epi16((__m128i)rows, _mm_set1_epi32(center));
  return (Ints)_mm_add_epi32((__m128i)sums, products);
#elif defined(__aarch64__)
  int16x8_t a = vreinterpretq_s16_s32((int32x4_t)rows);
  int16x8_t b = vreinterpretq_s16_s32(vdupq_n_s32(center));
  int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
  return (Ints)vaddq_s32((int32x4_t)sums, vpaddq_s32(low, vmull_high_s16(a, b)));
#else
  typedef uint32_t Whole __attribute__((vector_size(kBytes)));  // which may overflow
  Whole low = (Whole)((rows << 16) >> 16) * uint32_t(int32_t(int16_t(center)));
  return (Ints)((Whole)sums + low + (Whole)(rows >> 16) * uint32_t(center >> 16));
#endif
}

inline int64_t n_pairs_of(int64_t d) { return (d + 1) / 2; }

// What all codes of some rows have in common.
struct CodeScale {
  double norm;   // that rows and centres get
  double error;  // how far off a score may be, times the squared norms that count

  // Squared norms of rows may be off as sums in float32 are, and the values of rows are float32.
  void set(int64_t d) {
    double rounding = double(d + 8) * kEps<float>;
    norm = kLargestCode / (1.0 + rounding);
    double share = 0.51 * __builtin_sqrt(double(d)) / norm;  // a fiftieth more for what precedes
    error = (share * (2.0 + share) + 8.0 * kEps<float>) * (1.0 + rounding);
  }
  static double counted(double sq_norm) { return maximum(kLeastNorm, sq_norm); }
  float factor(float sq_norm) const { return float(norm / __builtin_sqrt(counted(sq_norm))); }
};

// Fill in the codes (n_pairs, kCodeRows) of a tile of rows, each times its factor.
inline void encode_tile(const float* tile, int64_t d, const float* factors, int32_t* codes) {
  constexpr int L = kLanes<float>;
  const Floats to_bits = splat(kToBits);
  for (int v = 0; v < 2; v++) {
    const Floats factor = load(factors + v * L);
    const float* from = tile + v * L;
    int32_t* to = codes + v * L;
    int64_t j = 0;
    for (; j + 1 < d; j += 2, from += 4 * L, to += 2 * L) {
      Ints low = (Ints)mul_add(load(from), factor, to_bits);
      Ints high = (Ints)mul_add(load(from + 2 * L), factor, to_bits);
      store(to, (low & 0xffff) | (high << 16));
    }
    if (j < d) store(to, (Ints)mul_add(load(from), factor, to_bits) & 0xffff);
  }
}

// Centres as codes. A score of a row, times the factor of the row, is norms[c] times that factor
// plus scales[c] times the product of the codes: a lower bound, but for the part of the row.
struct CodeTable {
  int64_t k, padded, n_pairs;
  int32_t* codes;  // (padded, n_pairs)
  float *norms, *scales;

  void cut(Cutter& cutter, int64_t n_centers, int64_t d) {
    n_pairs = n_pairs_of(d);
    padded = (n_centers + 1) / 2 * 2;
    codes = cutter.take<int32_t>(padded * n_pairs);
    norms = cutter.take<float>(padded);
    scales = cutter.take<float>(padded);
  }

  void fill(const Centers& of, const CodeScale& scale) {
    k = of.k;
    padded = (k + 1) / 2 * 2;
    for (int64_t c = 0; c < padded; c++) {
      bool some = c < k && !of.repeated[c];
      double counted = scale.counted(some ? of.sq_norms[c] : 0.0);
      double factor = some ? scale.norm / __builtin_sqrt(counted) : 0.0;
      auto code = [&](int64_t j) {
        double value = j < of.d && some ? of.offsets[c * of.d + j] * factor : 0.0;
        value = value > -kLargestCode ? minimum(value, kLargestCode) : -kLargestCode;
        return uint32_t(int32_t(value + (value < 0.0 ? -0.5 : 0.5)));
      };
      for (int64_t p = 0; p < n_pairs; p++)
        codes[c * n_pairs + p] = int32_t((code(2 * p) & 0xffff) | code(2 * p + 1) << 16);
      norms[c] = some ? float(of.sq_norms[c] - scale.error * counted) : kFar<float>;
      scales[c] = some ? float(-2.0 / factor) : 0.0f;
    }
  }
};

// Call use(c, v, score) for N centres from `first` on and both vectors v of a tile of codes:
// scores times the factors of the rows.
template <int N, class Use>
inline void score_codes(const int32_t* tile, const Floats* factors, const CodeTable& table,
                        int64_t first, Use&& use) {
  constexpr int L = kLanes<float>;
  const int64_t n_pairs = table.n_pairs;
  const int32_t* codes = table.codes + first * n_pairs;
  Ints sums[N][2] = {};
  for (int64_t p = 0; p < n_pairs; p++) {
    Ints a, b;
    __builtin_memcpy(&a, tile + p * 2 * L, sizeof a);
    __builtin_memcpy(&b, tile + p * 2 * L + L, sizeof b);
    for (int c = 0; c < N; c++) {
      sums[c][0] = add_pairs(sums[c][0], a, codes[c * n_pairs + p]);
      sums[c][1] = add_pairs(sums[c][1], b, codes[c * n_pairs + p]);
    }
  }
  for (int c = 0; c < N; c++)
    for (int v = 0; v < 2; v++) {
      Floats product = __builtin_convertvector(sums[c][v], Floats) * table.scales[first + c];
      use(first + c, v, mul_add(splat(table.norms[first + c]), factors[v], product));
    }
}

template <class Use>
inline void for_code_scores(const int32_t* tile, const Floats* factors, const CodeTable& table,
                            Use&& use) {
  int64_t c = 0;
  for (; c + 6 <= table.padded; c += 6) score_codes<6>(tile, factors, table, c, use);
  if (c + 4 <= table.padded) {
    score_codes<4>(tile, factors, table, c, use);
    c += 4;
  }
  if (c + 2 <= table.padded) score_codes<2>(tile, factors, table, c, use);
}

// The rows of a tile of codes, as bits, that have some score not above their limit. Limits are
// times the factors, too; the part of the row is in them.
inline uint32_t any_within(const int32_t* tile, const float* factors, const CodeTable& table,
                           const float* limits) {
  constexpr int L = kLanes<float>;
  const Floats factor[2] = {load(factors), load(factors + L)};
  const Floats limit[2] = {load(limits), load(limits + L)};
  Ints within[2] = {};
  for_code_scores(tile, factor, table, [&](int64_t, int v, Floats score) {
    within[v] |= ~(score > limit[v]);  // so that NaN is within
  });
  return bits_of(within[0]) | bits_of(within[1]) << L;
}

// The codes of all rows of X, tile by tile.
struct Codes {
  int64_t n_pairs;
  CodeScale scale;
  int32_t* codes;  // (n_tiles, n_pairs, kCodeRows)
  float* factors;  // by row

  static int64_t n_tiles(int64_t n) { return (n + kCodeRows - 1) / kCodeRows; }

  void cut(Cutter& cutter, int64_t n, int64_t d) {
    n_pairs = n_pairs_of(d);
    codes = cutter.take<int32_t>(n_tiles(n) * n_pairs * kCodeRows);
    factors = cutter.take<float>(n_tiles(n) * kCodeRows);
  }
  const int32_t* tile(int64_t t) const { return codes + t * n_pairs * kCodeRows; }

  // Encode a tile, given the squared norms of all rows.
  void encode(const Rows& X, int64_t t, const double* shift, const float* sq_norms, float* buffer,
              float* rows) {
    int64_t first = t * kCodeRows, n = minimum(int64_t(kCodeRows), X.n - first);
    read_tile<float>(X, nullptr, first, int(n), shift, buffer, rows);
    for (int64_t r = 0; r < kCodeRows; r++)
      factors[first + r] = scale.factor(sq_norms[first + minimum(r, n - 1)]);
    encode_tile(rows, X.d, factors + first, codes + t * n_pairs * kCodeRows);
  }

  // The limit of row i for scores that are not above `reach`.
  float limit_of(int64_t i, double reach, double sq_norm) const {
    double limit = (reach + scale.error * scale.counted(sq_norm)) * double(factors[i]);
    return float(limit + kEps<float> * maximum(limit, -limit));
  }
};

}  // namespace LEVEL
