// What Python holds of the operators: aligned memory, a matrix, a cache, a team.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "ops/limits.h"
#include "ops/operators.h"
#include "ops/packed_matrix.h"
#include "ops/team.h"

namespace edgeward::bindings {

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

// Zeroed memory aligned to 64 bytes.
class AlignedBytes {
 public:
    explicit AlignedBytes(std::size_t bytes);
    std::uint8_t* data() const { return memory_.get(); }
    std::size_t size() const { return size_; }

 private:
    std::size_t size_;
    std::unique_ptr<std::uint8_t, Free> memory_;
};

struct PyMatrix {
    AlignedBytes memory;
    ops::PackedMatrix view;
};

struct PyKvCache {
    AlignedBytes keys, values, key_scales, value_scales;
    ops::KvCache view;
};

const ops::Operators& operators_named(const std::optional<std::string>& isa);
const ops::Limits& limits_named(const std::optional<std::string>& isa);
ops::Format format_named(const std::string& name);
ops::Activation activation_named(const std::string& name);

// Runs on the team, or on this thread where there is none.
template <typename Work>
void run_on(ops::Team* team, Work&& work) {
    if (team != nullptr) {
        team->run(work);
    } else {
        ops::Team({}).run(work);
    }
}

}  // namespace edgeward::bindings
