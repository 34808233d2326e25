#pragma once
#include "definition.hpp"
namespace LEVEL {
inline Status label(const Call&, core::LabelJob&) { return core::ok; }
inline void* assigner_new(const Call&, const core::AssignerArgs&) { return nullptr; }
inline void assigner_free(void*) {}
inline Status assign(const Call&, void*, const double*, core::ClusterSums, core::Pass*) { return core::ok; }
}  // namespace LEVEL
