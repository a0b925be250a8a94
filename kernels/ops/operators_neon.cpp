#define EDGEWARD_OPS_ISA neon
#include "ops/operators-inl.h"
