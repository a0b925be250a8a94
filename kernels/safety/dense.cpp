// dense() for the oldest machine, and the choice between all of them.
#define EDGEWARD_DENSE_ISA generic
#include "safety/dense-inl.h"

namespace edgeward::safety {

Dense dense_for(Isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::kAvx2:
        case Isa::kAvxVnni:
            return avx2::kDense;
        case Isa::kAvx512:
            return avx512::kDense;
#elif defined(__aarch64__)
        case Isa::kNeon:
        case Isa::kI8mm:
            return neon::kDense;
#endif
        default:
            return generic::kDense;
    }
}

}  // namespace edgeward::safety
