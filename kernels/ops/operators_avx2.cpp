#define EDGEWARD_OPS_ISA avx2
#include "ops/operators-inl.h"
