#define EDGEWARD_OPS_ISA i8mm
#include "ops/operators-inl.h"
