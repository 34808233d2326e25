// What the border and the kernels share: plain structs, no code.
//
// The kernels are compiled once per instruction set ("level"), each time in a namespace of that
// level; each level offers one table of functions, `Kernels`. Nothing here knows of Python.
#pragma once
#include <cstdint>

namespace core {

enum class Type { f32, f64, i8, u8, i16, u16, i32, u32, i64, u64 };

// A matrix as the user has it, dense or CSR. Never written to, and only checked data get here:
// every index is within the width, every slice of a CSR matrix within its arrays.
struct Rows {
  int64_t n, d;
  bool sparse;
  Type type;     // of the values
  int64_t size;  // bytes of a value
  bool swapped;  // whether their bytes are in the other order
  bool direct;   // whether they can be read as they are: their own order, aligned
  const char* values;
  // Dense: bytes from one row, and from one feature, to the next.
  int64_t row_stride, feature_stride;
  // CSR.
  const char *indices, *indptr;
  bool wide;       // 64-bit indices
  bool in_order;   // within a row, no index is less than the one before
  bool repeats;    // within a row, an index may come twice
  int64_t longest;  // stored values of a row, at the most
};

// What tests ask for to reach every path with few rows. 0 stands for what the kernels choose;
// nothing here may change a result by more than the order of a sum.
struct Options {
  int64_t block_rows;
  int screen;  // 32 or 64: the precision of screens; 16: seedings see codes, and passes rows on a
               // few axes, wherever they can; 1: no screens
  int fast_centers;  // at least so many, if there are four times as many
  int64_t least_work;  // products for each thread, at least
};

// How a call runs. `poll` is asked by the calling thread now and then whether to go on.
struct Call {
  int n_threads;
  bool (*poll)();
  const Options* options;
};

enum Status { ok = 0, interrupted = 1, no_memory = 2 };

// Weighted sums of the rows of each cluster, less the shift; their weights; and how many of them
// have a weight above zero.
struct ClusterSums {
  double *sums, *weights;
  int64_t* members;
};

// Rows to be labelled in passing: nothing is kept of them.
struct LabelJob {
  const Rows* rows;
  const int64_t* index;  // which rows; null: all
  int64_t n;             // how many
  const double *weights, *shift, *centers;  // weights (by row of X) and shift may be null
  int64_t k;
  int32_t* labels;    // (n,)
  double* distances;  // (n,), squared, by the definition; may be null
  ClusterSums sums;   // added to; sums.sums may be null
  bool want_inertia;
  double inertia;  // filled
  bool finite;     // filled: whether every row that was looked at is
};

struct AssignerArgs {
  const Rows* rows;
  const double *weights, *shift;
  int64_t k;
  bool bounded;     // whether rows that bounds show to be safe are passed over
  int32_t* labels;  // -1: none yet
  int64_t spare_bytes;  // memory for what is there only to save time, at most
};

struct Pass {  // what a pass of an assigner has to say
  int64_t n_changed, n_compared, n_undecided;
};

struct SeedingArgs {
  const Rows* rows;
  const double *weights, *shift;
  const void* sq_norms;
  bool norms_are_double;
  double sum_of_squares;
  const double* keys;
  int64_t k, n_trials;
  int64_t spare_bytes;  // memory for what is there only to save time, at most
};

struct MeansJob {  // see `update_means`
  int64_t k, d;
  const double *sums, *weights, *shift, *centers;
  double sum_of_squares;
  double *norms_before, *weights_before;  // the latter may be null
  double* means;
  bool lost_digits;        // filled
  double inertia, center_shift;  // filled
};

struct Kernels {
  const char* level;
  // sums.hpp
  Status (*moments)(const Call&, const Rows&, const double* weights, double* total, double* mean,
                    double* squares);
  Status (*norms_and_keys)(const Call&, const Rows&, const double* weights, const double* shift,
                           const double* direction, void* sq_norms, bool norms_are_double,
                           double* keys, double* sum_of_squares);
  Status (*cluster_sums)(const Call&, const Rows&, const double* weights, const double* origins,
                         bool one_origin, const int32_t* labels, int64_t k, ClusterSums,
                         double* squares);
  Status (*own_distances)(const Call&, const Rows&, const double* weights, const double* centers,
                          int64_t k, const int32_t* labels, double* out, double* inertia);
  Status (*update_means)(const Call&, MeansJob&);
  Status (*move_centers)(const Call&, int64_t k, int64_t d, const double* shift,
                         const double* counts, const double* sums, const double* weights,
                         const double* centers, double* moved, double* center_shift);
  // assign.hpp
  Status (*label)(const Call&, LabelJob&);
  void* (*assigner_new)(const Call&, const AssignerArgs&);
  void (*assigner_free)(void*);
  Status (*assign)(const Call&, void*, const double* centers, ClusterSums, Pass*);
  // seeding.hpp
  void* (*seeding_new)(const Call&, const SeedingArgs&);
  void (*seeding_free)(void*);
  Status (*seeding_start)(const Call&, void*, int64_t row);
  Status (*seeding_start_from)(const Call&, void*, const double* centers, int64_t n_centers,
                               const int32_t* labels);
  Status (*seeding_add)(const Call&, void*, const double* uniforms, int64_t n_steps,
                        int64_t* chosen, int64_t* n_done);
  // order.hpp
  Status (*draw)(const Call&, const double* keys, const double* mass, int64_t n,
                 const double* uniforms, int64_t n_draws, int64_t* drawn);
  // pairs.hpp
  Status (*distances)(const Call&, const Rows&, int64_t start, int64_t stop,
                      const double* centers, int64_t k, bool squared, void* out,
                      bool out_is_double);
  Status (*distance_sums)(const Call&, const Rows&, const int64_t* index, int64_t n,
                          const int64_t* others, int64_t n_others, const int32_t* clusters,
                          int64_t n_labelings, const double* weights, double* sums,
                          int64_t n_clusters);
  Status (*own_and_nearest)(const Call&, const Rows&, const int64_t* index, int64_t n,
                            const double* shift, const double* offsets, const double* extra,
                            int64_t k, const int32_t* labels, double* own, double* nearest);
};

}  // namespace core
