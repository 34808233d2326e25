#pragma once
#include "definition.hpp"
namespace LEVEL {
inline void* seeding_new(const Call&, const core::SeedingArgs&) { return nullptr; }
inline void seeding_free(void*) {}
inline Status seeding_start(const Call&, void*, int64_t) { return core::ok; }
inline Status seeding_start_from(const Call&, void*, const double*, int64_t, const int32_t*) { return core::ok; }
inline Status seeding_add(const Call&, void*, const double*, int64_t, int64_t*, int64_t*) { return core::ok; }
}  // namespace LEVEL
