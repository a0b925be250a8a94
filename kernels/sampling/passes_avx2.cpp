#define EDGEWARD_PASSES_ISA avx2
#include "sampling/passes-inl.h"
