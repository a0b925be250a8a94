// The passes for the oldest machine, and the choice between all of them.
#define EDGEWARD_PASSES_ISA generic
#include "sampling/passes-inl.h"

namespace edgeward::sampling {

const Passes& passes_for(Isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::kAvx2:
        case Isa::kAvxVnni:
            return avx2::kPasses;
        case Isa::kAvx512:
            return avx512::kPasses;
#elif defined(__aarch64__)
        case Isa::kNeon:
        case Isa::kI8mm:
            return neon::kPasses;
#endif
        default:
            return generic::kPasses;
    }
}

}  // namespace edgeward::sampling
