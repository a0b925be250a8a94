#define EDGEWARD_DENSE_ISA avx2
#include "safety/dense-inl.h"
