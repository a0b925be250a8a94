#define EDGEWARD_PASSES_ISA neon
#include "sampling/passes-inl.h"
