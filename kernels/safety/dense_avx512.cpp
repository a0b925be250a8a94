#define EDGEWARD_DENSE_ISA avx512
#include "safety/dense-inl.h"
