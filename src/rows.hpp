// Reading rows: the only place that knows of types, byte orders, strides and CSR arrays.
//
// Everything else sees tiles (many rows side by side, feature by feature), rows in float64, or
// the entries of a CSR row.
#pragma once
#include <type_traits>

#include "pool.hpp"
#include "simd.hpp"

namespace LEVEL {

using core::Call;
using core::Rows;
using core::Status;
using core::Type;

// Call f(S{}) with the type of the values.
template <class F>
inline void with_type(Type type, F f) {
  switch (type) {
    case Type::f32: return f(float{});
    case Type::f64: return f(double{});
    case Type::i8: return f(int8_t{});
    case Type::u8: return f(uint8_t{});
    case Type::i16: return f(int16_t{});
    case Type::u16: return f(uint16_t{});
    case Type::i32: return f(int32_t{});
    case Type::u32: return f(uint32_t{});
    case Type::i64: return f(int64_t{});
    case Type::u64: return f(uint64_t{});
  }
}

// A value in any place, aligned or not.
template <class S>
inline S value_at(const char* place) {
  S value;
  __builtin_memcpy(&value, place, sizeof value);
  return value;
}

template <class S>
inline S swapped_value_at(const char* place) {
  char bytes[sizeof(S)];
  for (size_t i = 0; i < sizeof(S); i++) bytes[i] = place[sizeof(S) - 1 - i];
  return value_at<S>(bytes);
}

// n values from `place` on, each `stride` bytes from the last, less the shift (may be null): in
// float64, then rounded once.
template <class S, class T>
inline void convert(const char* place, int64_t stride, bool swapped, int64_t n,
                    const double* shift, T* out) {
  if (swapped) {
    for (int64_t j = 0; j < n; j++)
      out[j] = T(double(swapped_value_at<S>(place + j * stride)) - (shift ? shift[j] : 0.0));
  } else if (stride != int64_t(sizeof(S))) {
    for (int64_t j = 0; j < n; j++)
      out[j] = T(double(value_at<S>(place + j * stride)) - (shift ? shift[j] : 0.0));
  } else if (shift) {
    for (int64_t j = 0; j < n; j++)
      out[j] = T(double(value_at<S>(place + j * int64_t(sizeof(S)))) - shift[j]);
  } else {
    for (int64_t j = 0; j < n; j++) out[j] = T(value_at<S>(place + j * int64_t(sizeof(S))));
  }
}

// The same for values of any type, in float64. Not inline: it is ten loops.
__attribute__((noinline)) inline void convert_any(const Rows& X, const char* place, int64_t stride,
                                                  int64_t n, double* out) {
  with_type(X.type, [&](auto example) {
    convert<decltype(example)>(place, stride, X.swapped, n, nullptr, out);
  });
}

// Values of a matrix: those of float32 and float64 the fast way, others a few at a time.
template <class T>
inline void convert_values(const Rows& X, const char* place, int64_t stride, int64_t n,
                           const double* shift, T* out) {
  if (X.type == Type::f32) return convert<float>(place, stride, X.swapped, n, shift, out);
  if (X.type == Type::f64) return convert<double>(place, stride, X.swapped, n, shift, out);
  double some[64];
  for (int64_t start = 0; start < n; start += 64) {
    int64_t m = minimum<int64_t>(64, n - start);
    convert_any(X, place + start * stride, stride, m, some);
    for (int64_t j = 0; j < m; j++)
      out[start + j] = T(shift ? some[j] - shift[start + j] : some[j]);
  }
}

// Whether the values can be read where they are, as T.
template <class T>
inline bool is_direct(const Rows& X) {
  return X.direct && X.type == (sizeof(T) == 4 ? Type::f32 : Type::f64);
}

// G values of S, less those of the shift (may be null), as T.
template <class T, class S, int G>
inline void load_group(const S* from, const double* shift, T* out) {
  typedef S Given __attribute__((vector_size(sizeof(S) * G)));
  typedef double Exact __attribute__((vector_size(8 * G)));
  typedef T Group __attribute__((vector_size(sizeof(T) * G)));
  Given given;
  __builtin_memcpy(&given, from, sizeof given);
  Group group;
  if (shift) {
    Exact off;
    __builtin_memcpy(&off, shift, sizeof off);
    group = __builtin_convertvector(__builtin_convertvector(given, Exact) - off, Group);
  } else {
    group = __builtin_convertvector(given, Group);
  }
  __builtin_memcpy(out, &group, sizeof group);
}

// Rows that lie in memory as S, less the shift, as columns of T: tile[j * kTile + r].
template <class S, class T>
inline void turn(const S* const* rows, int64_t d, const double* shift, T* tile) {
  constexpr int G = 16 / int(sizeof(T));  // 4 rows of float or 2 of double at a time
  constexpr int N = kTile<T>;
  typedef T Group __attribute__((vector_size(16)));
  for (int r = 0; r < N; r += G) {
    int64_t j = 0;
    for (; j + G <= d; j += G) {
      Group in[G], out[G];
      for (int i = 0; i < G; i++)
        load_group<T, S, G>(rows[r + i] + j, shift ? shift + j : nullptr, (T*)&in[i]);
      if constexpr (G == 4) {
        Group a = SHUFFLE(in[0], in[1], 0, 4, 1, 5);
        Group b = SHUFFLE(in[2], in[3], 0, 4, 1, 5);
        Group c = SHUFFLE(in[0], in[1], 2, 6, 3, 7);
        Group e = SHUFFLE(in[2], in[3], 2, 6, 3, 7);
        out[0] = SHUFFLE(a, b, 0, 1, 4, 5);
        out[1] = SHUFFLE(a, b, 2, 3, 6, 7);
        out[2] = SHUFFLE(c, e, 0, 1, 4, 5);
        out[3] = SHUFFLE(c, e, 2, 3, 6, 7);
      } else {
        out[0] = SHUFFLE(in[0], in[1], 0, 2);
        out[1] = SHUFFLE(in[0], in[1], 1, 3);
      }
      for (int i = 0; i < G; i++) __builtin_memcpy(tile + (j + i) * N + r, &out[i], 16);
    }
    for (; j < d; j++)
      for (int i = 0; i < G; i++)
        tile[j * N + r + i] = T(double(rows[r + i][j]) - (shift ? shift[j] : 0.0));
  }
}

// Memory that `read_tile` needs: kTile rows of T.
template <class T>
inline int64_t size_of_buffer(int64_t d) {
  return kTile<T> * d;
}

// Read n rows (1 to kTile) of a dense matrix, less the shift (may be null), as columns. They are
// index[0], ..., or without an index the rows from `first` on. The last one fills up the tile.
template <class T>
inline void read_tile(const Rows& X, const int64_t* index, int64_t first, int n,
                      const double* shift, T* buffer, T* tile) {
  constexpr int N = kTile<T>;
  int64_t which[N];
  for (int r = 0; r < N; r++) {
    int at = r < n ? r : n - 1;
    which[r] = index ? index[at] : first + at;
  }
  if (X.feature_stride == X.size) {
    auto turn_in_place = [&](auto example) {
      using S = decltype(example);
      const S* rows[N] = {};
      for (int r = 0; r < N; r++)
        rows[r] = (const S*)(const void*)(X.values + which[r] * X.row_stride);
      turn(rows, X.d, shift, tile);
    };
    if (is_direct<float>(X)) return turn_in_place(float{});
    if (is_direct<double>(X)) return turn_in_place(double{});
    const T* rows[N] = {};
    for (int r = 0; r < N; r++) {
      T* copy = buffer + r * X.d;
      if (r < n) convert_values(X, X.values + which[r] * X.row_stride, X.size, X.d, shift, copy);
      rows[r] = r < n ? copy : rows[n - 1];
    }
    turn(rows, X.d, nullptr, tile);
    return;
  }
  const bool side_by_side = !index && n == N;
  auto turn_columns = [&](auto example) {
    using S = decltype(example);
    for (int64_t j = 0; j < X.d; j++) {
      const char* values = X.values + j * X.feature_stride;
      S column[N];
      if (side_by_side && X.row_stride == X.size)
        __builtin_memcpy(column, values + first * X.row_stride, sizeof column);
      else
        for (int r = 0; r < N; r++) column[r] = value_at<S>(values + which[r] * X.row_stride);
      const double off = shift ? shift[j] : 0.0;
      for (int r = 0; r < N; r++) tile[j * N + r] = T(double(column[r]) - off);
    }
  };
  if (is_direct<float>(X)) return turn_columns(float{});
  if (is_direct<double>(X)) return turn_columns(double{});
  double column[N];
  for (int64_t j = 0; j < X.d; j++) {
    const char* values = X.values + j * X.feature_stride;
    if (side_by_side)
      convert_values(X, values + first * X.row_stride, X.row_stride, N, nullptr, column);
    else
      for (int r = 0; r < N; r++)
        convert_values(X, values + which[r] * X.row_stride, X.row_stride, 1, nullptr, column + r);
    for (int r = 0; r < N; r++) tile[j * N + r] = T(column[r] - (shift ? shift[j] : 0.0));
  }
}

// Read n rows of a dense matrix in float64, less the shift (may be null), one after the other:
// where they are, if they lie so in memory, or else to the buffer, which has room for them.
inline const double* read_rows(const Rows& X, int64_t first, int64_t n, const double* shift,
                               double* buffer) {
  const int64_t d = X.d;
  const char* start = X.values + first * X.row_stride;
  const double* found = buffer;
  if (X.feature_stride == X.size && X.row_stride == d * X.size) {
    if (is_direct<double>(X))
      found = (const double*)(const void*)start;
    else
      convert_values(X, start, X.size, n * d, nullptr, buffer);
  } else if (X.row_stride == X.size) {
    double column[16];
    for (int64_t j = 0; j < d; j++)
      for (int64_t some = 0; some < n; some += 16) {
        int64_t m = minimum<int64_t>(16, n - some);
        const char* place = start + j * X.feature_stride + some * X.size;
        convert_values(X, place, X.size, m, nullptr, column);
        for (int64_t r = 0; r < m; r++) buffer[(some + r) * d + j] = column[r];
      }
  } else {
    for (int64_t r = 0; r < n; r++)
      convert_values(X, start + r * X.row_stride, X.feature_stride, d, nullptr, buffer + r * d);
  }
  if (!shift) return found;
  for (int64_t r = 0; r < n; r++)
    for (int64_t j = 0; j < d; j++) buffer[r * d + j] = found[r * d + j] - shift[j];
  return buffer;
}

// Have a row of a dense matrix on its way to the cache.
inline void fetch_row(const Rows& X, int64_t i) {
  if (X.feature_stride > 8) return;
  const char* row = X.values + i * X.row_stride;
  for (int64_t at = 0; at < X.d * X.feature_stride; at += 64) __builtin_prefetch(row + at);
}

// The entries of a CSR row.
struct Entries {
  int64_t n;
  int64_t* columns;  // none twice
  double* values;
};

inline int64_t index_at(const char* array, bool wide, int64_t i) {
  return wide ? value_at<int64_t>(array + 8 * i) : value_at<int32_t>(array + 4 * i);
}

// Sort entries by column; those that share one stay in their order.
inline void sort_entries(int64_t d, Entries& row) {
  int64_t n = row.n, n_risen = 1;
  int64_t* columns = row.columns;
  double* values = row.values;
  while (n_risen < n && columns[n_risen - 1] <= columns[n_risen]) n_risen++;
  if (n_risen >= n) return;
  // Short rows by insertion (and those that leave no room for the keys below).
  bool by_insertion = n <= 32 || d > INT64_MAX / n;
  for (int64_t e = 1; by_insertion && e < n; e++) {
    int64_t column = columns[e], place = e;
    double value = values[e];
    for (; place > 0 && columns[place - 1] > column; place--) {
      columns[place] = columns[place - 1];
      values[place] = values[place - 1];
    }
    columns[place] = column;
    values[place] = value;
  }
  if (by_insertion) return;
  // Long ones by a heap: in place, and never in quadratic time. The keys tell equal columns apart.
  for (int64_t e = 0; e < n; e++) columns[e] = columns[e] * n + e;
  auto sift = [&](int64_t parent, int64_t size) {
    int64_t key = columns[parent];
    double value = values[parent];
    for (int64_t child; (child = 2 * parent + 1) < size; parent = child) {
      if (child + 1 < size && columns[child + 1] > columns[child]) child++;
      if (columns[child] < key) break;
      columns[parent] = columns[child];
      values[parent] = values[child];
    }
    columns[parent] = key;
    values[parent] = value;
  };
  for (int64_t parent = n / 2; parent-- > 0;) sift(parent, n);
  for (int64_t size = n - 1; size > 0; size--) {
    int64_t key = columns[0];
    double value = values[0];
    columns[0] = columns[size];
    values[0] = values[size];
    columns[size] = key;
    values[size] = value;
    sift(0, size);
  }
  for (int64_t e = 0; e < n; e++) columns[e] /= n;
}

// Sort entries, and add up those that share a column in the order they are stored.
inline void merge_entries(int64_t d, Entries& row) {
  sort_entries(d, row);
  int64_t kept = 0;
  for (int64_t e = 0; e < row.n; e++) {
    if (kept && row.columns[kept - 1] == row.columns[e]) {
      row.values[kept - 1] += row.values[e];
    } else {
      row.columns[kept] = row.columns[e];
      row.values[kept++] = row.values[e];
    }
  }
  row.n = kept;
}

// The entries of CSR row i, copied to the memory of `out`, which has room for X.longest. They are
// in any order: sorting takes longer than most of what is done with them.
inline void read_entries(const Rows& X, int64_t i, Entries& out) {
  int64_t start = index_at(X.indptr, X.wide, i), stop = index_at(X.indptr, X.wide, i + 1);
  out.n = stop - start;
  if (X.wide) {
    __builtin_memcpy(out.columns, X.indices + 8 * start, size_t(8 * out.n));
  } else {
    const char* columns = X.indices + 4 * start;
    for (int64_t e = 0; e < out.n; e++) out.columns[e] = value_at<int32_t>(columns + 4 * e);
  }
  convert_values(X, X.values + start * X.size, X.size, out.n, nullptr, out.values);
  if (X.repeats) merge_entries(X.d, out);
}

// The same in the order of the columns: for sums that must not depend on how a row is stored.
inline void read_in_order(const Rows& X, int64_t i, Entries& out) {
  read_entries(X, i, out);
  if (!X.in_order && !X.repeats) sort_entries(X.d, out);
}

// Row i in float64, as it is: all d features, dense or CSR. `entries` is needed for CSR alone.
inline void read_row(const Rows& X, int64_t i, Entries* entries, double* out) {
  if (X.sparse) {
    read_entries(X, i, *entries);
    for (int64_t j = 0; j < X.d; j++) out[j] = 0.0;
    for (int64_t e = 0; e < entries->n; e++) out[entries->columns[e]] = entries->values[e];
    return;
  }
  convert_values(X, X.values + i * X.row_stride, X.feature_stride, X.d, nullptr, out);
}

}  // namespace LEVEL
