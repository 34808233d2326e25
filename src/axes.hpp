// A few axes that catch most of the variance: the principal axes of a sample of the rows, nearly,
// by subspace iteration (Halko et al. 2011). They serve bounds alone: any axes do, but how near to
// the scores the bounds come depends on them.
#pragma once
#include "rows.hpp"

namespace LEVEL {

constexpr int64_t kAxes = 31;  // one less than a projected row has numbers
// Half as many rows find axes that leave a tenth more centres to compare.
constexpr int64_t kAxesSample = 256;

// The product of two points in float32: in 32 sums or more, which are added up at the end.
inline float product(const float* a, const float* b, int64_t d) {
  constexpr int L = kLanes<float>, M = 32 / L < 4 ? 4 : 32 / L;
  Floats sums[M] = {};
  int64_t j = 0;
  for (; j + M * L <= d; j += M * L)
    for (int i = 0; i < M; i++)
      sums[i] = mul_add(load(a + j + i * L), load(b + j + i * L), sums[i]);
  for (; j + L <= d; j += L) sums[0] = mul_add(load(a + j), load(b + j), sums[0]);
  for (int n = M / 2; n; n /= 2)
    for (int i = 0; i < n; i++) sums[i] += sums[n + i];
  float total = 0.0f, lanes[L];
  for (; j < d; j++) total += a[j] * b[j];
  store(lanes, sums[0]);
  for (int n = L / 2; n; n /= 2)
    for (int i = 0; i < n; i++) lanes[i] += lanes[n + i];
  return total + lanes[0];
}

inline void add_multiple(float* to, float factor, const float* from, int64_t d) {
  for (int64_t j = 0; j < d; j++) to[j] += factor * from[j];
}

// A row of a dense matrix in float32, less the shift: where it is, or else in the buffer.
inline const float* row_as_float(const Rows& X, int64_t i, const double* shift, float* buffer) {
  const char* place = X.values + i * X.row_stride;
  if (X.feature_stride == X.size && is_direct<float>(X) && !shift)
    return (const float*)(const void*)place;
  convert_values(X, place, X.feature_stride, X.d, shift, buffer);
  return buffer;
}

// Make n vectors orthonormal (Gram and Schmidt, twice); those that add nothing to the ones before
// are dropped, and so is what is not finite. Returns how many are left.
inline int64_t make_orthonormal(float* vectors, int64_t n, int64_t d) {
  int64_t kept = 0;
  auto normalize = [d](float* v) {
    double square = 0.0;
    for (int64_t j = 0; j < d; j++) square += double(v[j]) * double(v[j]);
    double factor = 1.0 / __builtin_sqrt(square);
    for (int64_t j = 0; j < d; j++) v[j] = float(double(v[j]) * factor);
    return square;
  };
  for (int64_t i = 0; i < n; i++) {
    float* v = vectors + kept * d;
    for (int64_t j = 0; j < d; j++) v[j] = vectors[i * d + j];
    double least = 1.0;
    normalize(v);
    for (int times = 0; times < 2; times++) {
      for (int64_t other = 0; other < kept; other++)
        add_multiple(v, -product(v, vectors + other * d, d), vectors + other * d, d);
      least = minimum(normalize(v), least);
    }
    kept += least > 1e-6 && product(v, v, d) < 2.0f;
  }
  return kept;
}

// Fill in the axes (kAxes, d); returns how many there are. `other` has room for as many.
inline int64_t find_axes(const Rows& X, const double* shift, float* buffer, float* axes,
                         float* other) {
  const int64_t d = X.d, n_rows = minimum(X.n, kAxesSample);
  auto row = [&](int64_t place, int64_t of) {
    return row_as_float(X, int64_t(double(place) / double(of) * double(X.n)), shift, buffer);
  };
  for (int64_t a = 0; a < kAxes; a++)
    __builtin_memcpy(axes + a * d, row(a, kAxes), size_t(d) * sizeof(float));
  int64_t n = make_orthonormal(axes, kAxes, d);
  for (int times = 0; times < 2; times++) {
    for (int64_t j = 0; j < n * d; j++) other[j] = 0.0f;
    for (int64_t i = 0; i < n_rows; i++) {
      const float* x = row(i, n_rows);
      for (int64_t a = 0; a < n; a++)
        add_multiple(other + a * d, product(x, axes + a * d, d), x, d);
    }
    for (int64_t j = 0; j < n * d; j++) axes[j] = other[j];
    n = make_orthonormal(axes, n, d);
  }
  return n;
}

}  // namespace LEVEL
