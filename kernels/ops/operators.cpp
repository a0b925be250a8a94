// The operators for the oldest machine, and the choice between all of them.
#define EDGEWARD_OPS_ISA generic
#include "ops/operators-inl.h"

namespace edgeward::ops {

const Operators& operators_for(Isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::kAvx2:
            return avx2::kOperators;
        case Isa::kAvxVnni:
            return avxvnni::kOperators;
        case Isa::kAvx512:
            return avx512::kOperators;
#elif defined(__aarch64__)
        case Isa::kNeon:
            return neon::kOperators;
        case Isa::kI8mm:
            return i8mm::kOperators;
#endif
        default:
            return generic::kOperators;
    }
}

}  // namespace edgeward::ops
