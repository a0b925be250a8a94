#define EDGEWARD_PASSES_ISA avx512
#include "sampling/passes-inl.h"
