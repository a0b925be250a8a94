#define EDGEWARD_DENSE_ISA neon
#include "safety/dense-inl.h"
