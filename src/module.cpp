// The module: which level of the kernels, handles, matrices, and the list of its functions.
#include <cstdlib>
#include <cstring>
#if defined(__x86_64__) && !defined(ONE_LEVEL)
#define HAS_LEVELS
#include <cpuid.h>
#endif

#include "border.hpp"

namespace baseline {
extern const core::Kernels kernels;
}
#ifdef HAS_LEVELS
namespace avx2 {
extern const core::Kernels kernels;
}
namespace avx512 {
extern const core::Kernels kernels;
}
#endif

namespace border {
namespace {

#ifdef HAS_LEVELS
struct Registers {
  unsigned a, b, c, d;
};

Registers cpuid(unsigned leaf) {
  Registers r = {0, 0, 0, 0};
  __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);
  return r;
}

bool has(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }
#endif

// The levels that this processor and its operating system have, the best one last.
int levels(const core::Kernels** found) {
  int n = 0;
  found[n++] = &baseline::kernels;
#ifdef HAS_LEVELS
  constexpr unsigned kFma = 1u << 12, kOsSavesRegisters = 1u << 27, kAvx = 1u << 28;
  constexpr unsigned kBmi = 1u << 3, kAvx2 = 1u << 5, kBmi2 = 1u << 8;
  constexpr unsigned kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  constexpr unsigned kVnni = 1u << 11;
  Registers one = cpuid(1), seven = cpuid(7);
  if (!has(one.c, kFma | kOsSavesRegisters | kAvx) || !has(seven.b, kBmi | kAvx2 | kBmi2))
    return n;
  unsigned saved, high;
  __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  if (!has(saved, 0x6)) return n;
  found[n++] = &avx2::kernels;
  if (has(saved, 0xe6) && has(seven.b, kAvx512) && has(seven.c, kVnni))
    found[n++] = &avx512::kernels;
#endif
  return n;
}

// The best level, or the one that SKLEARN_LLOYD_CPU asks for.
const core::Kernels* choose_level() {
  const core::Kernels* found[3];
  int n = levels(found);
  const char* wanted = std::getenv("SKLEARN_LLOYD_CPU");
  if (!wanted || !*wanted) return found[n - 1];
  for (int i = 0; i < n; i++)
    if (std::strcmp(found[i]->level, wanted) == 0) return found[i];
  PyErr_Format(PyExc_ImportError,
               "SKLEARN_LLOYD_CPU is '%s'. This processor has up to '%s'; the levels are "
               "baseline, avx2 and avx512.",
               wanted, found[n - 1]->level);
  return nullptr;
}

void free_handle(PyObject* self) {
  Handle* handle = (Handle*)self;
  PyTypeObject* type = Py_TYPE(self);
  if (handle->state) handle->release(handle->state);
  Py_XDECREF(handle->keeps);
  freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
  release(self);
  Py_DECREF(type);
}

PyType_Slot handle_slots[] = {{Py_tp_dealloc, (void*)free_handle},
                              {Py_tp_doc, (void*)"State of the core."},
                              {0, nullptr}};
PyType_Spec handle_spec = {"sklearn_lloyd._core._native.Handle", sizeof(Handle), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, handle_slots};

struct Matrix {
  Rows rows;  // first: a handle of rows is a pointer to them
  Py_buffer views[3];
  int n_views;
};

void free_matrix(void* state) {
  Matrix* matrix = (Matrix*)state;
  for (int i = 0; i < matrix->n_views; i++) PyBuffer_Release(&matrix->views[i]);
  std::free(matrix);
}

Py_buffer* view_of(Matrix* matrix, PyObject* object, int flags) {
  Py_buffer* view = &matrix->views[matrix->n_views];
  if (PyObject_GetBuffer(object, view, flags | PyBUF_FORMAT) < 0) return nullptr;
  matrix->n_views++;
  return view;
}

bool set_type(Rows& rows, const Py_buffer& view) {
  const char* format = view.format ? view.format : "B";
  const uint16_t one = 1;
  bool little = *(const char*)&one == 1;
  if (*format == '<' || *format == '>') rows.swapped = (*format == '<') != little;
  if (std::strchr("<>=@", *format)) format++;
  bool is_signed = std::strchr("bhilq", *format), is_unsigned = std::strchr("?BHILQ", *format);
  int size = int(view.itemsize);
  using core::Type;
  rows.size = size;
  if (format[1]) return false;
  if (*format == 'f' && size == 4) return rows.type = Type::f32, true;
  if (*format == 'd' && size == 8) return rows.type = Type::f64, true;
  if (!is_signed && !is_unsigned) return false;
  switch (size) {
    case 1: return rows.type = is_signed ? Type::i8 : Type::u8, true;
    case 2: return rows.type = is_signed ? Type::i16 : Type::u16, true;
    case 4: return rows.type = is_signed ? Type::i32 : Type::u32, true;
    case 8: return rows.type = is_signed ? Type::i64 : Type::u64, true;
  }
  return false;
}

// Whether a column comes twice in one of the rows. Indices are within the width.
template <class I>
bool has_repeats(const Rows& rows, const I* indptr, const I* indices) {
  // A bit for each column. More would be a lot of memory for what only saves time.
  constexpr int64_t kMostColumns = int64_t(1) << 27;
  if (rows.d > kMostColumns) return true;
  uint64_t* seen = (uint64_t*)std::calloc(size_t(rows.d / 64 + 1), sizeof(uint64_t));
  if (!seen) return true;
  bool repeats = false;
  for (int64_t i = 0; i < rows.n && !repeats; i++) {
    const I *row = indices + indptr[i], *end = indices + indptr[i + 1];
    uint64_t found = 0;
    for (const I* column = row; column < end; column++) {
      uint64_t &word = seen[uint64_t(*column) / 64], bit = uint64_t(1) << (*column & 63);
      found |= word & bit;
      word |= bit;
    }
    repeats = found != 0;
    for (const I* column = row; column < end; column++) seen[uint64_t(*column) / 64] = 0;
  }
  std::free(seen);
  return repeats;
}

template <class I>
const char* check_csr(Rows& rows, const I* indptr, const I* indices, int64_t n_entries) {
  int64_t before = indptr[0];
  if (before < 0) return "indptr starts below zero";
  bool in_order = true, repeats = false;
  int64_t longest = 0;
  for (int64_t i = 0; i < rows.n; i++) {
    int64_t stop = indptr[i + 1];
    if (stop < before) return "indptr falls";
    if (stop > n_entries) return "indptr goes beyond the stored values";
    int64_t last = -1;
    for (int64_t e = before; e < stop; e++) {
      int64_t column = indices[e];
      if (column < 0 || column >= rows.d) return "a column index is outside of the matrix";
      in_order &= column >= last;
      repeats |= column == last;
      last = column;
    }
    longest = stop - before > longest ? stop - before : longest;
    before = stop;
  }
  rows.longest = longest;
  rows.in_order = in_order;
  rows.repeats = repeats || (!in_order && has_repeats(rows, indptr, indices));
  return nullptr;
}

const char* set_dense(Matrix* matrix, PyObject* X) {
  Py_buffer* view = view_of(matrix, X, PyBUF_STRIDES);
  if (!view) return "X is no array";
  Rows& rows = matrix->rows;
  if (view->ndim != 2 || view->shape[1] < 1) return "X is not of two dimensions";
  if (!set_type(rows, *view)) return "the type of X is none that the core reads";
  rows.n = view->shape[0];
  rows.d = view->shape[1];
  rows.row_stride = view->strides[0];
  rows.feature_stride = view->strides[1];
  rows.values = (const char*)view->buf;
  int64_t places = int64_t(uintptr_t(view->buf)) | rows.row_stride | rows.feature_stride;
  rows.direct = !rows.swapped && places % rows.size == 0;
  return nullptr;
}

const char* set_csr(Matrix* matrix, PyObject* const* parts, int64_t d) {
  Py_buffer* views[3];
  for (int i = 0; i < 3; i++) {
    views[i] = view_of(matrix, parts[i], PyBUF_C_CONTIGUOUS);
    if (!views[i] || views[i]->ndim != 1) return "data, indices and indptr are to be arrays";
  }
  Rows& rows = matrix->rows;
  rows.sparse = true;
  rows.d = d;
  rows.n = views[2]->shape[0] - 1;
  if (rows.n < 0) return "indptr is empty";
  Rows of_indices = {}, of_indptr = {};
  bool typed = set_type(of_indices, *views[1]) && set_type(of_indptr, *views[2]);
  if (!typed || of_indices.swapped || of_indptr.swapped || of_indices.type != of_indptr.type)
    return "indices and indptr are to be of one type, in native byte order";
  rows.wide = of_indices.type == core::Type::i64;
  if (!rows.wide && of_indices.type != core::Type::i32)
    return "indices and indptr are to be int32 or int64";
  if (!set_type(rows, *views[0])) return "the type of the data is none that the core reads";
  size_t size = rows.wide ? 8 : 4;
  if (uintptr_t(views[1]->buf) % size || uintptr_t(views[2]->buf) % size)
    return "indices and indptr are to be aligned";
  rows.values = (const char*)views[0]->buf;
  rows.direct = !rows.swapped && uintptr_t(rows.values) % size_t(rows.size) == 0;
  rows.indices = (const char*)views[1]->buf;
  rows.indptr = (const char*)views[2]->buf;
  int64_t n = views[0]->shape[0] < views[1]->shape[0] ? views[0]->shape[0] : views[1]->shape[0];
  return rows.wide ? check_csr(rows, (const int64_t*)views[2]->buf,
                               (const int64_t*)views[1]->buf, n)
                   : check_csr(rows, (const int32_t*)views[2]->buf,
                               (const int32_t*)views[1]->buf, n);
}

PyObject* set_options(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("set_options", args, n);
  core::Options wanted;
  wanted.block_rows = in.whole("block_rows", 0, INT64_MAX);
  wanted.screen = int(in.whole("screen", 0, 64));
  wanted.fast_centers = int(in.whole("fast_centers", 0, 64));
  wanted.least_work = in.whole("least_work", 0, INT64_MAX);
  if (!in.ok()) return nullptr;
  options = wanted;
  Py_RETURN_NONE;
}

PyObject* level(PyObject*, PyObject*) { return PyUnicode_FromString(kernels->level); }

PyMethodDef methods[] = {
    {"rows", (PyCFunction)(void*)make_rows, METH_FASTCALL,
     "rows(X) or rows(data, indices, indptr, n_features): a matrix, checked once."},
    {"set_options", (PyCFunction)(void*)set_options, METH_FASTCALL,
     "set_options(block_rows, screen, fast_centers, least_work): for tests, see core.hpp."},
    {"level", level, METH_NOARGS, "The instruction set in use."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", "The native core.", -1, methods,
                      nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyObject* new_handle(const char* kind, void* state, void (*release)(void*), PyObject* keeps) {
  if (!state) return PyErr_NoMemory();
  PyTypeObject* type = (PyTypeObject*)handle_type;
  allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  Handle* handle = (Handle*)allocate(type, 0);
  if (!handle) {
    release(state);
    return nullptr;
  }
  handle->state = state;
  handle->release = release;
  handle->kind = kind;
  handle->keeps = keeps;
  Py_XINCREF(keeps);
  return (PyObject*)handle;
}

PyObject* make_rows(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("rows", args, n);
  PyObject* parts[3] = {in.object("X"), nullptr, nullptr};
  int64_t d = 0;
  if (n != 1) {
    parts[1] = in.object("indices");
    parts[2] = in.object("indptr");
    d = in.whole("n_features", 1, INT64_MAX / 64);
  }
  if (!in.ok()) return nullptr;
  Matrix* matrix = (Matrix*)std::calloc(1, sizeof(Matrix));
  if (!matrix) return PyErr_NoMemory();
  const char* wrong = n == 1 ? set_dense(matrix, parts[0]) : set_csr(matrix, parts, d);
  if (wrong) {
    free_matrix(matrix);
    PyErr_Clear();
    in.refuse("%s", wrong);
    return nullptr;
  }
  return new_handle("rows", matrix, free_matrix, nullptr);
}

}  // namespace border

PyMODINIT_FUNC PyInit__native(void) {
  using namespace border;
  kernels = choose_level();
  if (!kernels) return nullptr;
  handle_type = PyType_FromSpec(&handle_spec);
  if (!handle_type) return nullptr;
  PyObject* made = PyModule_Create(&module);
  if (made && PyModule_AddFunctions(made, kernel_methods) < 0) {
    Py_DECREF(made);
    return nullptr;
  }
  return made;
}
