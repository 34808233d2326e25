// Vectors of the width that the level has, by the extension of GCC and Clang; and the few
// operations that the extension has no word for.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace LEVEL {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

typedef float Floats __attribute__((vector_size(kBytes)));
typedef double Doubles __attribute__((vector_size(kBytes)));
typedef int32_t Ints __attribute__((vector_size(kBytes)));
typedef int64_t Longs __attribute__((vector_size(kBytes)));

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  using Values = Floats;
  using Mask = Ints;  // -1 where true, as comparisons give it
};
template <>
struct VectorOf<double> {
  using Values = Doubles;
  using Mask = Longs;
};
template <class T>
using Vec = typename VectorOf<T>::Values;
template <class T>
using Mask = typename VectorOf<T>::Mask;

template <class T>
constexpr int kLanes = kBytes / int(sizeof(T));
// Rows of a tile: two vectors of each feature are at hand while centres pass by.
template <class T>
constexpr int kTile = 2 * kLanes<T>;

template <class T>
inline Vec<T> load(const T* from) {
  Vec<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class T, class V>
inline void store(T* to, V v) {
  __builtin_memcpy(to, &v, sizeof v);
}

template <class T>
inline Vec<T> splat(T value) {
  return value - Vec<T>{};
}

// Lanes of two vectors by their numbers.
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) shuffled(a, b, Lanes<sizeof(a[0])>{__VA_ARGS__})
template <int size>
using Lanes [[gnu::vector_size(16)]] = typename std::conditional<size == 4, int32_t, int64_t>::type;
template <class V, class L>
inline V shuffled(V a, V b, L lanes) {
  return __builtin_shuffle(a, b, lanes);
}
#endif

// a * b + c, fused where the processor does that: for screens, whose bounds allow for either.
inline Floats mul_add(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
  return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Floats)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

inline Doubles mul_add(Doubles a, Doubles b, Doubles c) {
#if defined(__AVX512F__)
  return (Doubles)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
  return (Doubles)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__)
  return (Doubles)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
  return a * b + c;
#endif
}

// The lanes of a mask as bits, the first lane as the lowest.
inline uint32_t bits_of(Ints mask) {
#if defined(__AVX512F__)
  return _mm512_cmplt_epi32_mask((__m512i)mask, _mm512_setzero_si512());
#elif defined(__AVX2__)
  return uint32_t(_mm256_movemask_ps((__m256)mask));
#elif defined(__SSE2__)
  return uint32_t(_mm_movemask_ps((__m128)mask));
#else
  uint32_t bits = 0;
  for (int i = 0; i < kBytes / 4; i++) bits |= uint32_t(mask[i] < 0) << i;
  return bits;
#endif
}

inline uint32_t bits_of(Longs mask) {
#if defined(__AVX512F__)
  return _mm512_cmplt_epi64_mask((__m512i)mask, _mm512_setzero_si512());
#elif defined(__AVX2__)
  return uint32_t(_mm256_movemask_pd((__m256d)mask));
#elif defined(__SSE2__)
  return uint32_t(_mm_movemask_pd((__m128d)mask));
#else
  uint32_t bits = 0;
  for (int i = 0; i < kBytes / 8; i++) bits |= uint32_t(mask[i] < 0) << i;
  return bits;
#endif
}

inline int lowest_bit(uint32_t bits) { return __builtin_ctz(bits); }

inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }

template <class T>
inline T minimum(T a, T b) {
  return a < b ? a : b;
}

template <class T>
inline T maximum(T a, T b) {
  return a > b ? a : b;
}

}  // namespace LEVEL
