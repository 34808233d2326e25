// The functions of the module that run kernels: what they take, and what they check.
#include "border.hpp"

namespace border {
namespace {

using core::Call;
using core::ClusterSums;

void free_assigner(void* state) { kernels->assigner_free(state); }
void free_seeding(void* state) { kernels->seeding_free(state); }

ClusterSums take_sums(Args& in, int64_t k, int64_t d) {
  ClusterSums into;
  into.sums = in.maybe_out<double>("sums", k, d);
  into.weights = in.maybe_out<double>("weights of clusters", k);
  into.members = in.maybe_out<int64_t>("members", k);
  if (!into.sums != !into.weights || !into.sums != !into.members)
    in.refuse("sums, their weights and members are to be given together");
  return into;
}

PyObject* moments(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("moments", args, n);
  Call call = in.call();
  const Rows& X = in.rows();
  const double* weights = in.maybe<double>("weights", X.n);
  double* mean = in.out<double>("mean", X.d);
  double* squares = in.out<double>("squares", X.d);
  double total = 0.0;
  if (!in.ok()) return nullptr;
  if (!run([&] { return kernels->moments(call, X, weights, &total, mean, squares); }))
    return nullptr;
  return PyFloat_FromDouble(total);
}

PyObject* norms_and_keys(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("norms_and_keys", args, n);
  Call call = in.call();
  const Rows& X = in.rows();
  const double* weights = in.maybe<double>("weights", X.n);
  const double* shift = in.maybe<double>("shift", X.d);
  const double* direction = in.maybe<double>("direction", X.d);
  bool is_double;
  void* sq_norms = in.real_values("sq_norms", true, &is_double, X.n);
  double* keys = in.maybe_out<double>("keys", X.n);
  if (!direction != !keys) in.refuse("direction and keys are to be given together");
  double total = 0.0;
  if (!in.ok()) return nullptr;
  bool done = run([&] {
    return kernels->norms_and_keys(call, X, weights, shift, direction, sq_norms, is_double, keys,
                                   &total);
  });
  return done ? PyFloat_FromDouble(total) : nullptr;
}

PyObject* cluster_sums(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("cluster_sums", args, n);
  Call call = in.call();
  const Rows& X = in.rows();
  const double* weights = in.maybe<double>("weights", X.n);
  const double* shift = in.maybe<double>("shift", X.d);
  const double* origins = in.maybe<double>("origins", -1, X.d);
  const int32_t* labels = in.array<int32_t>("labels", X.n);
  double* sums = in.out<double>("sums", -1, X.d);
  int64_t k = in.extent(0);
  ClusterSums into = {sums, in.out<double>("weights of clusters", k),
                      in.out<int64_t>("members", k)};
  double* squares = in.maybe_out<double>("squares", k);
  in.require_labels("labels", labels, X.n, k);
  if (shift && origins) in.refuse("either a shift or origins");
  if (X.sparse && (shift || origins)) in.refuse("CSR rows have no shift");
  if (!in.ok()) return nullptr;
  bool done = run([&] {
    return kernels->cluster_sums(call, X, weights, shift ? shift : origins, shift != nullptr,
                                 labels, k, into, squares);
  });
  return done ? Py_NewRef(Py_None) : nullptr;
}

PyObject* own_distances(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("own_distances", args, n);
  Call call = in.call();
  const Rows& X = in.rows();
  const double* weights = in.maybe<double>("weights", X.n);
  const double* centers = in.array<double>("centers", -1, X.d);
  int64_t k = in.extent(0);
  const int32_t* labels = in.array<int32_t>("labels", X.n);
  double* out = in.maybe_out<double>("out", X.n);
  in.require_labels("labels", labels, X.n, k);
  double inertia = 0.0;
  if (!in.ok()) return nullptr;
  bool done = run([&] {
    return kernels->own_distances(call, X, weights, centers, k, labels, out, &inertia);
  });
  return done ? PyFloat_FromDouble(inertia) : nullptr;
}

PyObject* update_means(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("update_means", args, n);
  Call call = in.call();
  core::MeansJob job;
  job.sums = in.array<double>("sums", -1, -1);
  job.k = in.extent(0);
  job.d = in.extent(1);
  job.weights = in.array<double>("weights", job.k);
  job.shift = in.maybe<double>("shift", job.d);
  job.centers = in.array<double>("centers", job.k, job.d);
  job.sum_of_squares = in.real("sum_of_squares");
  job.norms_before = in.maybe_out<double>("norms_before", job.k);
  job.weights_before = in.maybe_out<double>("weights_before", job.k);
  job.means = in.maybe_out<double>("means", job.k, job.d);
  if (!in.ok()) return nullptr;
  if (!run([&] { return kernels->update_means(call, job); })) return nullptr;
  return Py_BuildValue("Ndd", PyBool_FromLong(job.lost_digits), job.inertia, job.center_shift);
}

PyObject* move_centers(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("move_centers", args, n);
  Call call = in.call();
  const double* centers = in.array<double>("centers", -1, -1);
  int64_t k = in.extent(0), d = in.extent(1);
  const double* shift = in.maybe<double>("shift", d);
  const double* counts = in.array<double>("counts", k);
  const double* sums = in.array<double>("sums", k, d);
  const double* weights = in.array<double>("weights", k);
  double* moved = in.out<double>("moved", k, d);
  double center_shift = 0.0;
  if (!in.ok()) return nullptr;
  bool done = run([&] {
    return kernels->move_centers(call, k, d, shift, counts, sums, weights, centers, moved,
                                 &center_shift);
  });
  return done ? PyFloat_FromDouble(center_shift) : nullptr;
}

PyObject* label(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("label", args, n);
  Call call = in.call();
  core::LabelJob job = {};
  const Rows& X = in.rows();
  job.rows = &X;
  job.index = in.maybe<int64_t>("index", -1);
  job.n = job.index ? in.extent(0) : X.n;
  job.weights = in.maybe<double>("weights", X.n);
  job.shift = in.maybe<double>("shift", X.d);
  job.centers = in.array<double>("centers", -1, X.d);
  job.k = in.extent(0);
  job.labels = in.out<int32_t>("labels", job.n);
  job.distances = in.maybe_out<double>("distances", job.n);
  job.sums = take_sums(in, job.k, X.d);
  job.want_inertia = in.truth("want_inertia");
  in.require_index("index", job.index, job.n, X.n);
  if (job.k < 1 || job.k > INT32_MAX) in.refuse("%lld centers", (long long)job.k);
  if (X.sparse && job.shift) in.refuse("CSR rows have no shift");
  if (!in.ok()) return nullptr;
  if (!run([&] { return kernels->label(call, job); })) return nullptr;
  return Py_BuildValue("dN", job.inertia, PyBool_FromLong(job.finite));
}

PyObject* assigner(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("assigner", args, n);
  Call call = in.call();
  core::AssignerArgs about = {};
  const Rows& X = in.rows();
  about.rows = &X;
  about.weights = in.maybe<double>("weights", X.n);
  about.shift = in.maybe<double>("shift", X.d);
  about.k = in.whole("n_clusters", 1, INT32_MAX);
  about.bounded = in.truth("bounded");
  about.labels = in.out<int32_t>("labels", X.n);
  in.require_labels("labels", about.labels, X.n, about.k, -1);
  about.spare_bytes = in.whole("spare_bytes", 0, INT64_MAX);
  if (X.sparse && about.shift) in.refuse("CSR rows have no shift");
  if (!in.ok()) return nullptr;
  PyObject* keeps = in.keep({1, 2, 3, 6});
  if (!keeps) return nullptr;
  void* state = kernels->assigner_new(call, about);
  PyObject* handle = new_handle("assigner", state, free_assigner, keeps);
  Py_DECREF(keeps);
  return handle;
}

PyObject* assign(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("assign", args, n);
  Call call = in.call();
  void* state = in.state("assigner");
  core::AssignerArgs about = state ? *(const core::AssignerArgs*)state : core::AssignerArgs{};
  int64_t d = about.rows ? about.rows->d : 0;
  const double* centers = in.array<double>("centers", about.k, d);
  ClusterSums into = take_sums(in, about.k, d);
  core::Pass pass = {};
  // Python can have changed them since the last pass.
  in.require_labels("labels", about.labels, about.rows ? about.rows->n : 0, about.k, -1);
  if (!in.ok()) return nullptr;
  if (!run([&] { return kernels->assign(call, state, centers, into, &pass); })) return nullptr;
  return Py_BuildValue("LLL", (long long)pass.n_changed, (long long)pass.n_compared,
                       (long long)pass.n_undecided);
}

PyObject* seeding(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("seeding", args, n);
  Call call = in.call();
  core::SeedingArgs about = {};
  const Rows& X = in.rows();
  about.rows = &X;
  about.weights = in.maybe<double>("weights", X.n);
  about.shift = in.maybe<double>("shift", X.d);
  about.sq_norms = in.real_values("sq_norms", false, &about.norms_are_double, X.n);
  about.sum_of_squares = in.real("sum_of_squares");
  about.keys = in.array<double>("keys", X.n);
  about.k = in.whole("n_clusters", 1, INT32_MAX);
  about.n_trials = in.whole("n_trials", 1, INT32_MAX);
  about.spare_bytes = in.whole("spare_bytes", 0, INT64_MAX);
  if (!X.sparse && !about.sq_norms) in.refuse("sq_norms are missing");
  if (X.sparse && about.shift) in.refuse("CSR rows have no shift");
  if (!in.ok()) return nullptr;
  PyObject* keeps = in.keep({1, 2, 3, 4, 6});
  if (!keeps) return nullptr;
  void* state = kernels->seeding_new(call, about);
  PyObject* handle = new_handle("seeding", state, free_seeding, keeps);
  Py_DECREF(keeps);
  return handle;
}

PyObject* seeding_start(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("seeding_start", args, n);
  Call call = in.call();
  void* state = in.state("seeding");
  const core::SeedingArgs* about = (const core::SeedingArgs*)state;
  int64_t row = in.whole("row", 0, about ? about->rows->n - 1 : 0);
  if (!in.ok()) return nullptr;
  bool done = run([&] { return kernels->seeding_start(call, state, row); });
  return done ? Py_NewRef(Py_None) : nullptr;
}

PyObject* seeding_start_from(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("seeding_start_from", args, n);
  Call call = in.call();
  void* state = in.state("seeding");
  core::SeedingArgs about = state ? *(const core::SeedingArgs*)state : core::SeedingArgs{};
  int64_t d = about.rows ? about.rows->d : 0, n_rows = about.rows ? about.rows->n : 0;
  const double* centers = in.array<double>("centers", -1, d);
  int64_t n_centers = in.extent(0);
  const int32_t* labels = in.array<int32_t>("labels", n_rows);
  in.require_labels("labels", labels, n_rows, n_centers);
  if (n_centers < 1 || n_centers > about.k) in.refuse("%lld centers", (long long)n_centers);
  if (!in.ok()) return nullptr;
  bool done =
      run([&] { return kernels->seeding_start_from(call, state, centers, n_centers, labels); });
  return done ? Py_NewRef(Py_None) : nullptr;
}

// Returns how many rows have been chosen: fewer than asked for if no row is left that is off
// every centre.
PyObject* seeding_add(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("seeding_add", args, n);
  Call call = in.call();
  void* state = in.state("seeding");
  core::SeedingArgs about = state ? *(const core::SeedingArgs*)state : core::SeedingArgs{};
  const double* uniforms = in.array<double>("uniforms", -1, about.n_trials);
  int64_t n_steps = in.extent(0), n_done = 0;
  int64_t* chosen = in.out<int64_t>("chosen", n_steps);
  if (!in.ok()) return nullptr;
  bool done = run(
      [&] { return kernels->seeding_add(call, state, uniforms, n_steps, chosen, &n_done); });
  return done ? PyLong_FromLongLong(n_done) : nullptr;
}

// Rows with a probability proportional to their mass (null: one each), in the order of the keys.
PyObject* draw(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("draw", args, n);
  Call call = in.call();
  const double* keys = in.array<double>("keys", -1);
  int64_t n_rows = in.extent(0);
  const double* mass = in.maybe<double>("mass", n_rows);
  const double* uniforms = in.array<double>("uniforms", -1);
  int64_t n_draws = in.extent(0);
  int64_t* drawn = in.out<int64_t>("drawn", n_draws);
  if (n_rows < 1) in.refuse("no rows");
  if (!in.ok()) return nullptr;
  bool done =
      run([&] { return kernels->draw(call, keys, mass, n_rows, uniforms, n_draws, drawn); });
  return done ? Py_NewRef(Py_None) : nullptr;
}

PyObject* distances(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("distances", args, n);
  Call call = in.call();
  const Rows& X = in.rows();
  int64_t start = in.whole("start", 0, X.n), stop = in.whole("stop", start, X.n);
  const double* centers = in.array<double>("centers", -1, X.d);
  int64_t k = in.extent(0);
  bool squared = in.truth("squared"), is_double;
  void* out = in.real_values("out", true, &is_double, stop - start, k);
  if (!out) in.refuse("out is missing");
  if (!in.ok()) return nullptr;
  bool done = run([&] {
    return kernels->distances(call, X, start, stop, centers, k, squared, out, is_double);
  });
  return done ? Py_NewRef(Py_None) : nullptr;
}

PyObject* distance_sums(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("distance_sums", args, n);
  Call call = in.call();
  const Rows& X = in.rows();
  const int64_t* index = in.array<int64_t>("index", -1);
  int64_t n_index = in.extent(0);
  const int64_t* others = in.array<int64_t>("others", -1);
  int64_t n_others = in.extent(0);
  const int32_t* clusters = in.array<int32_t>("clusters", n_others, -1);
  int64_t n_labelings = in.extent(1);
  const double* weights = in.maybe<double>("weights", n_others);
  double* sums = in.out<double>("sums", n_index, -1);
  int64_t n_clusters = in.extent(1);
  in.require_index("index", index, n_index, X.n);
  in.require_index("others", others, n_others, X.n);
  in.require_labels("clusters", clusters, n_others * n_labelings, n_clusters);
  if (!in.ok()) return nullptr;
  bool done = run([&] {
    return kernels->distance_sums(call, X, index, n_index, others, n_others, clusters,
                                  n_labelings, weights, sums, n_clusters);
  });
  return done ? Py_NewRef(Py_None) : nullptr;
}

PyObject* own_and_nearest(PyObject*, PyObject* const* args, Py_ssize_t n) {
  Args in("own_and_nearest", args, n);
  Call call = in.call();
  const Rows& X = in.rows();
  const int64_t* index = in.array<int64_t>("index", -1);
  int64_t n_index = in.extent(0);
  const double* shift = in.maybe<double>("shift", X.d);
  const double* offsets = in.array<double>("offsets", -1, X.d);
  int64_t k = in.extent(0);
  const double* extra = in.array<double>("extra", k);
  const int32_t* labels = in.array<int32_t>("labels", n_index);
  double* own = in.out<double>("own", n_index);
  double* nearest = in.out<double>("nearest", n_index);
  in.require_index("index", index, n_index, X.n);
  in.require_labels("labels", labels, n_index, k);
  if (!in.ok()) return nullptr;
  bool done = run([&] {
    return kernels->own_and_nearest(call, X, index, n_index, shift, offsets, extra, k, labels,
                                    own, nearest);
  });
  return done ? Py_NewRef(Py_None) : nullptr;
}

#define METHOD(name, text) {#name, (PyCFunction)(void*)name, METH_FASTCALL, text}

}  // namespace

PyMethodDef kernel_methods[] = {
    METHOD(moments, "moments(n_threads, rows, weights, mean, squares) -> total weight"),
    METHOD(norms_and_keys,
           "norms_and_keys(n_threads, rows, weights, shift, direction, sq_norms, keys) -> sum of "
           "squares"),
    METHOD(cluster_sums,
           "cluster_sums(n_threads, rows, weights, shift, origins, labels, sums, "
           "weights_of_clusters, members, squares)"),
    METHOD(own_distances, "own_distances(n_threads, rows, weights, centers, labels, out) -> inertia"),
    METHOD(update_means,
           "update_means(n_threads, sums, weights, shift, centers, sum_of_squares, norms_before, "
           "weights_before, means) -> lost_digits, inertia, center_shift"),
    METHOD(move_centers,
           "move_centers(n_threads, centers, shift, counts, sums, weights, moved) -> center_shift"),
    METHOD(label,
           "label(n_threads, rows, index, weights, shift, centers, labels, distances, sums, "
           "weights_of_clusters, members, want_inertia) -> inertia, finite"),
    METHOD(assigner,
           "assigner(n_threads, rows, weights, shift, n_clusters, bounded, labels, spare_bytes)"),
    METHOD(assign,
           "assign(n_threads, assigner, centers, sums, weights_of_clusters, members) -> "
           "n_changed, n_compared, n_undecided"),
    METHOD(seeding,
           "seeding(n_threads, rows, weights, shift, sq_norms, sum_of_squares, keys, n_clusters, "
           "n_trials, spare_bytes)"),
    METHOD(seeding_start, "seeding_start(n_threads, seeding, row)"),
    METHOD(seeding_start_from, "seeding_start_from(n_threads, seeding, centers, labels)"),
    METHOD(seeding_add, "seeding_add(n_threads, seeding, uniforms, chosen) -> n_done"),
    METHOD(draw, "draw(n_threads, keys, mass, uniforms, drawn)"),
    METHOD(distances, "distances(n_threads, rows, start, stop, centers, squared, out)"),
    METHOD(distance_sums,
           "distance_sums(n_threads, rows, index, others, clusters, weights, sums)"),
    METHOD(own_and_nearest,
           "own_and_nearest(n_threads, rows, index, shift, offsets, extra, labels, own, nearest)"),
    {nullptr, nullptr, 0, nullptr}};

}  // namespace border
