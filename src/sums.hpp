#pragma once
#include "cluster_parts.hpp"
namespace LEVEL {
inline Status moments(const Call&, const Rows&, const double*, double*, double*, double*) { return core::ok; }
inline Status norms_and_keys(const Call&, const Rows&, const double*, const double*, const double*, void*, bool, double*, double*) { return core::ok; }
inline Status cluster_sums(const Call&, const Rows&, const double*, const double*, bool, const int32_t*, int64_t, core::ClusterSums, double*) { return core::ok; }
inline Status own_distances(const Call&, const Rows&, const double*, const double*, int64_t, const int32_t*, double*, double*) { return core::ok; }
inline Status update_means(const Call&, core::MeansJob&) { return core::ok; }
inline Status move_centers(const Call&, int64_t, int64_t, const double*, const double*, const double*, const double*, const double*, double*, double*) { return core::ok; }
}  // namespace LEVEL
