// The C interface of the CUDA sampler on a grid of simulated threads: "device memory" is the
// host's.
//
// Knows: which kernel runs over which grid, in which order. Does not know: CUDA. Compiled by the
// tests (test_cuda_sampling.py), never part of the product.
#include <algorithm>
#include <cstring>

#include "cuda/check.h"
#include "cuda/choose-inl.h"
#include "host_team.h"

namespace edgeward::cuda {
namespace {

Order order = Order::kForward;

using ChunkTeam = HostTeam<kChunkThreads>;
using RowTeam = HostTeam<1024>;

// Every chunk of every row, the last first when the order is turned around.
template <typename Kernel>
void over_grid(const edgeward_step& step, const Workspace& parts, Kernel kernel) {
    const auto blocks = static_cast<std::uint32_t>(blocks_of(step.vocabulary));
    const std::uint32_t chunks = (blocks + kChunkBlocks - 1) / kChunkBlocks;
    const std::uint32_t all = chunks * step.rows;
    ChunkTeam team(order);
    for (std::uint32_t i = 0; i < all; ++i) {
        const std::uint32_t at = order == Order::kForward ? i : all - 1 - i;
        kernel(team, row_of(step, parts, at / chunks), at % chunks);
    }
}

void run(const edgeward_step& step, const Workspace& parts) {
    std::fill_n(parts.first_nan, step.rows, kNone);
    over_grid(step, parts, [](auto& team, const Row& row, std::uint32_t chunk) {
        copy_chunk(team, row, chunk);
    });
    RowTeam team(order);
    for (std::uint32_t r = 0; r < step.rows; ++r) {
        edit_row(team, row_of(step, parts, r), step.edits);
    }
    over_grid(step, parts, [](auto& team, const Row& row, std::uint32_t chunk) {
        scan_chunk(team, row, chunk);
    });
    over_grid(step, parts, [](auto& team, const Row& row, std::uint32_t chunk) {
        weigh_chunk(team, row, chunk);
        Moments columns[kChunkBlocks][kColumns];
        measure_chunk(team, row, chunk, columns);
    });
    Shared shared;
    for (std::uint32_t r = 0; r < step.rows; ++r) {
        std::memset(&shared, 0xa5, sizeof shared);  // what a thread block finds there
        const Row row = row_of(step, parts, r);
        step.draws[r] = Chooser<RowTeam>(team, shared, row).run();
    }
}

}  // namespace
}  // namespace edgeward::cuda

extern "C" {

// The order of simulated threads from now on: 0 forward, 1 backward, 2 mixed.
EDGEWARD_API void edgeward_simulated_order(int order) {
    edgeward::cuda::order = static_cast<edgeward::cuda::Order>(order);
}

// For tests of the arithmetic alone.
EDGEWARD_API void edgeward_simulated_weights(const float* drops, size_t count, float scale,
                                             uint32_t* weights) {
    using namespace edgeward::sampling;
    for (size_t i = 0; i < count; ++i) {
        weights[i] = weight_of(drops[i], scale, lowest_drop(scale));
    }
}

EDGEWARD_API void edgeward_simulated_floats(const uint16_t* bits, size_t count, uint32_t type,
                                            float* values) {
    const edgeward::cuda::Logits logits{bits, type, static_cast<uint32_t>(count)};
    for (uint32_t i = 0; i < count; ++i) values[i] = logits[i];
}

int edgeward_cuda_abi(void) { return EDGEWARD_CUDA_ABI; }

size_t edgeward_cuda_workspace(uint32_t rows, uint32_t vocabulary, int copies) {
    return edgeward::cuda::workspace_bytes(rows, vocabulary, copies != 0);
}

int edgeward_cuda_sample(const edgeward_step* step, void* workspace, size_t bytes, void*) {
    using namespace edgeward::cuda;
    const int wrong = check(step, workspace, bytes);
    if (wrong != EDGEWARD_OK) return wrong;
    Workspace parts;
    const bool copies = step->allowed != nullptr || (step->flags & EDGEWARD_EDITED) != 0;
    lay_out(workspace, step->rows, step->vocabulary, copies, parts);
    run(*step, parts);
    return EDGEWARD_OK;
}

const char* edgeward_cuda_error(int code) { return code == EDGEWARD_OK ? "no error" : "an error"; }
}
