// The operators for the oldest machine, and the choice between all of them.
#define EDGEWARD_OPS_ISA generic
#include "ops/operators-inl.h"

namespace edgeward::ops {

namespace {

struct Set {
    const Operators& operators;
    const Limits& limits;
};

Set set_for(Isa isa) {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::kAvx2:
            return {avx2::kOperators, avx2::kLimits};
        case Isa::kAvxVnni:
            return {avxvnni::kOperators, avxvnni::kLimits};
        case Isa::kAvx512:
            return {avx512::kOperators, avx512::kLimits};
#elif defined(__aarch64__)
        case Isa::kNeon:
            return {neon::kOperators, neon::kLimits};
        case Isa::kI8mm:
            return {i8mm::kOperators, i8mm::kLimits};
#endif
        default:
            return {generic::kOperators, generic::kLimits};
    }
}

}  // namespace

const Operators& operators_for(Isa isa) { return set_for(isa).operators; }
const Limits& limits_for(Isa isa) { return set_for(isa).limits; }

}  // namespace edgeward::ops
