#define EDGEWARD_OPS_ISA avx512
#include "ops/operators-inl.h"
