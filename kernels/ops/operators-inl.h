// Body of the operators, compiled once per instruction set: define EDGEWARD_OPS_ISA, then include.
//
// Knows: which functions make a set. Does not know: any of them.
#include "ops/attention-inl.h"
#include "ops/limits-inl.h"
#include "ops/matmul-inl.h"
#include "ops/rows-inl.h"

namespace edgeward::ops::EDGEWARD_OPS_ISA {

extern const Operators kOperators = {
    .multiply = &multiply,
    .multiply_gated = &multiply_gated,
    .quantize_row = &quantize_row,
    .rms_norm = &rms_norm,
    .rotate = &rotate,
    .gate = &gate,
    .add = &add,
    .append = &append,
    .attend = &attend,
    .attend_split = &attend_split,
    .attend_merge = &attend_merge,
    .top = &top,
};

}  // namespace edgeward::ops::EDGEWARD_OPS_ISA
