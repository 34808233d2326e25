// All kernels of one level; compiled once for each, with -DLEVEL=baseline, avx2 or avx512.
#include "assign.hpp"
#include "order.hpp"
#include "pairs.hpp"
#include "seeding.hpp"
#include "sums.hpp"

#define AS_TEXT_(name) #name
#define AS_TEXT(name) AS_TEXT_(name)

namespace LEVEL {

extern const core::Kernels kernels;
const core::Kernels kernels = {
    AS_TEXT(LEVEL),     moments,      norms_and_keys, cluster_sums,  own_distances,
    update_means,       move_centers, label,          assigner_new,  assigner_free,
    assign,             seeding_new,  seeding_free,   seeding_start, seeding_start_from,
    seeding_add,        draw,         distances,      distance_sums, own_and_nearest,
};

}  // namespace LEVEL
