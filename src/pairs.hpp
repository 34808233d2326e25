#pragma once
#include "definition.hpp"
namespace LEVEL {
inline Status distances(const Call&, const Rows&, int64_t, int64_t, const double*, int64_t, bool, void*, bool) { return core::ok; }
inline Status distance_sums(const Call&, const Rows&, const int64_t*, int64_t, const int64_t*, int64_t, const int32_t*, int64_t, const double*, double*, int64_t) { return core::ok; }
inline Status own_and_nearest(const Call&, const Rows&, const int64_t*, int64_t, const double*, const double*, const double*, int64_t, const int32_t*, double*, double*) { return core::ok; }
}  // namespace LEVEL
