// The operators for the oldest machine, and the choice between all of them.
#define EDGEWARD_OPS_ISA generic
#include "ops/operators-inl.h"

namespace edgeward::ops {

const Operators& operators_for(Isa) { return generic::kOperators; }

}  // namespace edgeward::ops
