#define EDGEWARD_OPS_ISA avxvnni
#include "ops/operators-inl.h"
