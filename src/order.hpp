#pragma once
#include "definition.hpp"
namespace LEVEL {
inline Status draw(const Call&, const double*, const double*, int64_t, const double*, int64_t, int64_t*) { return core::ok; }
}  // namespace LEVEL
