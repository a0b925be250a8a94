#include "bindings/ops_objects.h"

#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace edgeward::bindings {
namespace {

template <typename Value, std::size_t N>
Value named(const std::array<std::pair<const char*, Value>, N>& all, const char* what,
            const std::string& name) {
    std::string legal;
    for (const auto& [known, value] : all) {
        if (name == known) return value;
        legal += legal.empty() ? "" : ", ";
        legal += known;
    }
    throw std::invalid_argument(std::string(what) + " is '" + name + "'; give one of " + legal);
}

Isa isa_named(const std::optional<std::string>& name) {
    if (!name) return active_isa();
    std::string legal;
    for (Isa isa : supported_isas()) {
        if (*name == isa_name(isa)) return isa;
        legal += legal.empty() ? "" : ", ";
        legal += isa_name(isa);
    }
    throw std::invalid_argument("isa is '" + *name + "'; this build on this processor takes " +
                                legal);
}

}  // namespace

AlignedBytes::AlignedBytes(std::size_t bytes)
    : size_(bytes),
      memory_(static_cast<std::uint8_t*>(std::aligned_alloc(64, (bytes + 64) / 64 * 64))) {
    if (memory_ == nullptr) throw std::bad_alloc();
    std::memset(memory_.get(), 0, bytes);
}

const ops::Operators& operators_named(const std::optional<std::string>& isa) {
    return ops::operators_for(isa_named(isa));
}

const ops::Limits& limits_named(const std::optional<std::string>& isa) {
    return ops::limits_for(isa_named(isa));
}

ops::Format format_named(const std::string& name) {
    using ops::Format;
    constexpr std::array<std::pair<const char*, Format>, ops::kFormats> kAll = {
        {{"q4_0", Format::kQ4_0},
         {"q4_1", Format::kQ4_1},
         {"q8_0", Format::kQ8_0},
         {"q8_1", Format::kQ8_1},
         {"q4_k", Format::kQ4_K},
         {"q5_k", Format::kQ5_K},
         {"q6_k", Format::kQ6_K}}};
    return named(kAll, "format", name);
}

ops::Activation activation_named(const std::string& name) {
    using ops::Activation;
    constexpr std::array<std::pair<const char*, Activation>, 2> kAll = {
        {{"silu", Activation::kSilu}, {"gelu_tanh", Activation::kGeluTanh}}};
    return named(kAll, "activation", name);
}

}  // namespace edgeward::bindings
