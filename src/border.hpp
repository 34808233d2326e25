// The border between Python and the kernels: every array is checked here, in release builds too.
//
// A function of the module reads its arguments one after the other from `Args`, which remembers
// the first that does not fit. Only if all fit (`in.ok()`) does it call a kernel.
#pragma once
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <initializer_list>

#include "core.hpp"

namespace border {

using core::Rows;

// The kernels of the level that was chosen at import.
extern const core::Kernels* kernels;
extern core::Options options;

// What Python holds of the core: some state, what frees it, and objects it must not outlive.
struct Handle {
  PyObject_HEAD
  void* state;
  void (*release)(void*);
  const char* kind;
  PyObject* keeps;
};

extern PyObject* handle_type;
PyObject* new_handle(const char* kind, void* state, void (*release)(void*), PyObject* keeps);

template <class T>
struct Named;
template <>
struct Named<double> {
  static constexpr const char *name = "float64", *kinds = "d";
};
template <>
struct Named<float> {
  static constexpr const char *name = "float32", *kinds = "f";
};
template <>
struct Named<int32_t> {
  static constexpr const char *name = "int32", *kinds = "il";
};
template <>
struct Named<int64_t> {
  static constexpr const char *name = "int64", *kinds = "lq";
};

class Args {
 public:
  Args(const char* function, PyObject* const* args, Py_ssize_t n)
      : function_(function), args_(args), n_(n), options_(options) {}
  ~Args() {
    for (int i = 0; i < n_held_; i++) PyBuffer_Release(&held_[i]);
  }
  Args(const Args&) = delete;
  Args& operator=(const Args&) = delete;

  // Whether all fit, and none is left over.
  bool ok();

  // The number of threads, the first argument of all functions.
  core::Call call();
  int64_t whole(const char* name, int64_t least, int64_t most);
  double real(const char* name);
  bool truth(const char* name);
  PyObject* object(const char* name);
  // Arguments that a state reads after this call: arrays so that none is resized or freed.
  PyObject* keep(std::initializer_list<int> places);
  const Rows& rows();
  void* state(const char* kind);

  // C-contiguous arrays in native byte order; -1 as an extent stands for any, `extent` tells it.
  template <class T>
  const T* array(const char* name, int64_t a, int64_t b = kNone, int64_t c = kNone) {
    return (const T*)values(name, Named<T>::kinds, sizeof(T), Named<T>::name, false, false, a, b, c);
  }
  template <class T>
  const T* maybe(const char* name, int64_t a, int64_t b = kNone) {
    return (const T*)values(name, Named<T>::kinds, sizeof(T), Named<T>::name, false, true, a, b,
                            kNone);
  }
  template <class T>
  T* out(const char* name, int64_t a, int64_t b = kNone, int64_t c = kNone) {
    return (T*)values(name, Named<T>::kinds, sizeof(T), Named<T>::name, true, false, a, b, c);
  }
  template <class T>
  T* maybe_out(const char* name, int64_t a, int64_t b = kNone) {
    return (T*)values(name, Named<T>::kinds, sizeof(T), Named<T>::name, true, true, a, b, kNone);
  }
  // float32 or float64; null if it is None.
  void* real_values(const char* name, bool writeable, bool* is_double, int64_t a,
                    int64_t b = kNone);
  // Of the last array.
  int64_t extent(int axis) const { return extents_[axis]; }
  // Labels are used as places: all of them have to be within `least` and k - 1.
  void require_labels(const char* name, const int32_t* labels, int64_t n, int64_t k,
                      int32_t least = 0);
  void require_index(const char* name, const int64_t* index, int64_t n, int64_t n_rows);
  void refuse(const char* format, ...);

 private:
  static constexpr int64_t kNone = -2;
  PyObject* next(const char* name);
  void* values(const char* name, const char* kinds, int size, const char* type, bool writeable,
               bool optional, int64_t a, int64_t b, int64_t c);

  const char* function_;
  PyObject* const* args_;
  Py_ssize_t n_, at_ = 0;
  const core::Options options_;  // as they are now: another thread may change them
  bool failed_ = false;
  Py_buffer held_[24];
  int n_held_ = 0;
  int64_t extents_[3] = {0, 0, 0};
};

// Run a kernel without the interpreter's lock; false with an error set if it did not come to its
// end.
bool finish(core::Status status);
void begin();

template <class F>
inline bool run(F kernel) {
  begin();
  return finish(kernel());
}

PyObject* make_rows(PyObject*, PyObject* const* args, Py_ssize_t n);
extern PyMethodDef kernel_methods[];

}  // namespace border
