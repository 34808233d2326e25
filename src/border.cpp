// Checks of arguments, and how a kernel is run. See border.hpp.
#include "border.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace border {

const core::Kernels* kernels;
core::Options options;
PyObject* handle_type;

namespace {

thread_local PyThreadState* released;

// Whether to go on: asked by the thread that called, which Ctrl-C reaches.
bool poll() {
  PyEval_RestoreThread(released);
  bool go_on = PyErr_CheckSignals() == 0;
  released = PyEval_SaveThread();
  return go_on;
}

const Rows kNoRows = {};

}  // namespace

void begin() { released = PyEval_SaveThread(); }

bool finish(core::Status status) {
  PyEval_RestoreThread(released);
  if (status == core::no_memory) PyErr_NoMemory();
  return status == core::ok;
}

void Args::refuse(const char* format, ...) {
  if (failed_) return;
  failed_ = true;
  char message[300];
  va_list values;
  va_start(values, format);
  std::vsnprintf(message, sizeof message, format, values);
  va_end(values);
  PyErr_Format(PyExc_ValueError, "%s: %s", function_, message);
}

PyObject* Args::next(const char* name) {
  if (!failed_ && at_ >= n_) refuse("%s is missing", name);
  return failed_ ? nullptr : args_[at_++];
}

bool Args::ok() {
  if (!failed_ && at_ < n_) refuse("%zd arguments are too many", n_);
  return !failed_;
}

core::Call Args::call() {
  return {int(whole("n_threads", 1, 1 << 20)), poll, &options_};
}

int64_t Args::whole(const char* name, int64_t least, int64_t most) {
  PyObject* object = next(name);
  if (!object) return least;
  int64_t value = PyLong_AsLongLong(object);
  if (value == -1 && PyErr_Occurred()) {
    failed_ = true;
    return least;
  }
  if (value < least || value > most)
    refuse("%s is %lld, expected %lld to %lld", name, (long long)value, (long long)least,
           (long long)most);
  return failed_ ? least : value;
}

double Args::real(const char* name) {
  PyObject* object = next(name);
  double value = object ? PyFloat_AsDouble(object) : 0.0;
  if (value == -1.0 && PyErr_Occurred()) failed_ = true;
  return value;
}

bool Args::truth(const char* name) {
  PyObject* object = next(name);
  int value = object ? PyObject_IsTrue(object) : 0;
  if (value < 0) failed_ = true;
  return value == 1;
}

PyObject* Args::object(const char* name) { return next(name); }

PyObject* Args::keep(std::initializer_list<int> places) {
  PyObject* kept = PyList_New(0);
  for (int place : places) {
    PyObject* object = args_[place];
    object = PyObject_CheckBuffer(object) ? PyMemoryView_FromObject(object) : Py_NewRef(object);
    bool failed = !kept || !object || PyList_Append(kept, object) < 0;
    Py_XDECREF(object);
    if (failed) Py_CLEAR(kept);
  }
  return kept;
}

void* Args::state(const char* kind) {
  PyObject* object = next(kind);
  if (!object) return nullptr;
  Handle* handle = (Handle*)object;
  if (Py_TYPE(object) != (PyTypeObject*)handle_type || std::strcmp(handle->kind, kind) != 0) {
    refuse("expected %s", kind);
    return nullptr;
  }
  return handle->state;
}

const Rows& Args::rows() {
  void* found = state("rows");
  return found ? *(const Rows*)found : kNoRows;
}

void* Args::values(const char* name, const char* kinds, int size, const char* type,
                   bool writeable, bool optional, int64_t a, int64_t b, int64_t c) {
  PyObject* object = next(name);
  extents_[0] = extents_[1] = extents_[2] = 0;
  if (!object || (optional && object == Py_None)) return nullptr;
  if (n_held_ == int(sizeof held_ / sizeof *held_)) {
    refuse("too many arrays");
    return nullptr;
  }
  Py_buffer& view = held_[n_held_];
  int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writeable ? PyBUF_WRITABLE : 0);
  if (PyObject_GetBuffer(object, &view, flags) < 0) {
    PyErr_Clear();
    refuse("%s is no C-contiguous %sarray of %s", name, writeable ? "writeable " : "", type);
    return nullptr;
  }
  n_held_++;
  const char* format = view.format ? view.format : "B";
  if (*format == '@' || *format == '=') format++;
  bool is_type = view.itemsize == size && std::strchr(kinds, *format) && !format[1];
  if (!is_type || uintptr_t(view.buf) % size_t(size)) {
    refuse("%s is of type '%s', expected %s in native byte order, aligned", name, view.format,
           type);
    return nullptr;
  }
  int64_t wanted[3] = {a, b, c};
  int ndim = b == kNone ? 1 : c == kNone ? 2 : 3;
  bool fits = view.ndim == ndim;
  for (int axis = 0; fits && axis < ndim; axis++) {
    extents_[axis] = view.shape[axis];
    fits = wanted[axis] < 0 || wanted[axis] == extents_[axis];
  }
  if (!fits) {
    refuse("%s has %d dimensions, the first of %lld; expected %d of %lld, %lld", name, view.ndim,
           view.ndim ? (long long)view.shape[0] : 0LL, ndim, (long long)a,
           (long long)(b == kNone ? 1 : b));
    return nullptr;
  }
  return view.buf;
}

void* Args::real_values(const char* name, bool writeable, bool* is_double, int64_t a, int64_t b) {
  PyObject* object = at_ < n_ ? args_[at_] : nullptr;
  *is_double = false;
  Py_buffer view;
  if (!failed_ && object && object != Py_None) {
    if (PyObject_GetBuffer(object, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) == 0) {
      *is_double = view.itemsize == 8;
      PyBuffer_Release(&view);
    } else {
      PyErr_Clear();
    }
  }
  return *is_double ? values(name, "d", 8, "float32 or float64", writeable, true, a, b, kNone)
                    : values(name, "f", 4, "float32 or float64", writeable, true, a, b, kNone);
}

void Args::require_labels(const char* name, const int32_t* labels, int64_t n, int64_t k,
                          int32_t least) {
  // Many at a time: one that does not fit leaves the highest bit, here or there.
  const uint32_t lowest = uint32_t(least), last = uint32_t(k < INT32_MAX ? k : INT32_MAX) - 1;
  uint32_t bits = 0;
  for (int64_t i = 0; labels && i < n; i++)
    bits |= (uint32_t(labels[i]) - lowest) | (last - uint32_t(labels[i]));
  bool fit = bits >> 31 == 0;
  for (int64_t i = 0; !fit && !failed_ && i < n; i++)
    if (labels[i] < least || labels[i] >= k)
      refuse("%s[%lld] is %d, expected %d to %lld", name, (long long)i, int(labels[i]), int(least),
             (long long)k - 1);
}

void Args::require_index(const char* name, const int64_t* index, int64_t n, int64_t n_rows) {
  for (int64_t i = 0; index && !failed_ && i < n; i++)
    if (index[i] < 0 || index[i] >= n_rows)
      refuse("%s[%lld] is %lld, expected 0 to %lld", name, (long long)i, (long long)index[i],
             (long long)n_rows - 1);
}

}  // namespace border
