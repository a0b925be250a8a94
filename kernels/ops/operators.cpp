// The operators for the oldest machine, and the choice between all of them.
#define EDGEWARD_OPS_ISA generic
#include "ops/operators-inl.h"

namespace edgeward::ops {

const Operators& operators_for(Isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::kAvx512:
            return avx512::kOperators;
#endif
        default:
            return generic::kOperators;
    }
}

}  // namespace edgeward::ops
