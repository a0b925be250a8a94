#include "cpu.h"

#include <cstdlib>
#include <stdexcept>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace edgeward {
namespace {

#if defined(__x86_64__)
// Bit 4 of EAX of leaf 7, sub-leaf 1; not every compiler's __builtin_cpu_supports knows its name.
// Needs what AVX2 needs of the system.
bool has_avx_vnni() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}
#endif

std::string join_names(const std::vector<Isa>& isas) {
    std::string names;
    for (Isa isa : isas) {
        if (!names.empty()) names += ", ";
        names += isa_name(isa);
    }
    return names;
}

Isa choose_isa() {
    const std::vector<Isa> supported = supported_isas();
    const char* forced = std::getenv("EDGEWARD_ISA");
    if (forced == nullptr || *forced == '\0') return supported.back();
    for (Isa isa : supported) {
        if (std::string(forced) == isa_name(isa)) return isa;
    }
    throw std::invalid_argument("EDGEWARD_ISA is '" + std::string(forced) +
                                "'; this build on this processor takes " + join_names(supported) +
                                ". Unset it to use the best.");
}

}  // namespace

const char* isa_name(Isa isa) {
    switch (isa) {
        case Isa::kGeneric:
            return "generic";
        case Isa::kAvx2:
            return "avx2";
        case Isa::kAvx512:
            return "avx512";
        case Isa::kNeon:
            return "neon";
        case Isa::kAvxVnni:
            return "avxvnni";
        case Isa::kI8mm:
            return "i8mm";
    }
    return "unknown";
}

std::vector<Isa> supported_isas() {
    std::vector<Isa> found{Isa::kGeneric};
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                      __builtin_cpu_supports("f16c");
    if (avx2) found.push_back(Isa::kAvx2);
    if (avx2 && has_avx_vnni()) found.push_back(Isa::kAvxVnni);
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vnni")) {
        found.push_back(Isa::kAvx512);
    }
#elif defined(__aarch64__)
#if defined(__linux__)
    if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) == 0) return found;
    found.push_back(Isa::kNeon);
    if ((getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0) found.push_back(Isa::kI8mm);
#else
    found.push_back(Isa::kNeon);  // every processor that runs another system here has it
#endif
#endif
    return found;
}

Isa active_isa() {
    static const Isa chosen = choose_isa();
    return chosen;
}

std::vector<std::string> cpu_features() {
    std::vector<std::string> names;
#if defined(__x86_64__)
    __builtin_cpu_init();
#define EDGEWARD_FEATURE(name) \
    if (__builtin_cpu_supports(name)) names.emplace_back(name)
    EDGEWARD_FEATURE("sse4.2");
    EDGEWARD_FEATURE("avx");
    EDGEWARD_FEATURE("avx2");
    EDGEWARD_FEATURE("fma");
    EDGEWARD_FEATURE("avx512f");
    EDGEWARD_FEATURE("avx512bw");
    EDGEWARD_FEATURE("avx512vl");
    EDGEWARD_FEATURE("avx512vnni");
#undef EDGEWARD_FEATURE
    if (has_avx_vnni()) names.emplace_back("avx_vnni");
#elif defined(__aarch64__)
    for (Isa isa : supported_isas()) {
        if (isa != Isa::kGeneric) names.emplace_back(isa_name(isa));
    }
#endif
    return names;
}

}  // namespace edgeward
