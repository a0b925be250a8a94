// The C interface on a CUDA device: five kernels, each a few lines around the shared algorithms.
//
// Knows: launches, streams, shared memory. Does not know: who owns the memory. A kernel that no row
// of the step needs is not launched.
#include <cuda_runtime.h>

#include "cuda/check.h"
#include "cuda/choose-inl.h"
#include "cuda/team.cuh"

namespace edgeward::cuda {
namespace {

constexpr unsigned kRowThreads = 1024;
using ChunkTeam = DeviceTeam<kChunkThreads>;
using RowTeam = DeviceTeam<kRowThreads>;

// Shared memory for types that have constructors.
template <typename T>
struct alignas(T) Raw {
    unsigned char bytes[sizeof(T)];
    __device__ T& get() { return *reinterpret_cast<T*>(bytes); }
};

__global__ void __launch_bounds__(kChunkThreads) copy_kernel(edgeward_step step, Workspace parts) {
    __shared__ ChunkTeam::Scratch scratch;
    ChunkTeam team(scratch);
    copy_chunk(team, row_of(step, parts, blockIdx.y), blockIdx.x);
}

__global__ void __launch_bounds__(kRowThreads) edit_kernel(edgeward_step step, Workspace parts) {
    __shared__ RowTeam::Scratch scratch;
    RowTeam team(scratch);
    edit_row(team, row_of(step, parts, blockIdx.x), step.edits);
}

__global__ void __launch_bounds__(kChunkThreads) scan_kernel(edgeward_step step, Workspace parts) {
    __shared__ ChunkTeam::Scratch scratch;
    ChunkTeam team(scratch);
    scan_chunk(team, row_of(step, parts, blockIdx.y), blockIdx.x);
}

__global__ void __launch_bounds__(kChunkThreads) weigh_kernel(edgeward_step step, Workspace parts) {
    __shared__ ChunkTeam::Scratch scratch;
    __shared__ Raw<Moments[kChunkBlocks][kColumns]> columns;
    ChunkTeam team(scratch);
    const Row row = row_of(step, parts, blockIdx.y);
    weigh_chunk(team, row, blockIdx.x);
    measure_chunk(team, row, blockIdx.x, columns.get());
}

__global__ void __launch_bounds__(kRowThreads) choose_kernel(edgeward_step step, Workspace parts) {
    __shared__ RowTeam::Scratch scratch;
    __shared__ Raw<Shared> shared;
    RowTeam team(scratch);
    const Row row = row_of(step, parts, blockIdx.x);
    const edgeward_draw draw = Chooser<RowTeam>(team, shared.get(), row).run();
    if (threadIdx.x == 0) step.draws[blockIdx.x] = draw;
}

int launch(const edgeward_step& step, const Workspace& parts, cudaStream_t stream) {
    const auto blocks = static_cast<unsigned>(blocks_of(step.vocabulary));
    const dim3 chunks((blocks + kChunkBlocks - 1) / kChunkBlocks, step.rows);
    const cudaError_t cleared =
        cudaMemsetAsync(parts.first_nan, 0xff, step.rows * sizeof(std::uint32_t), stream);
    if (cleared != cudaSuccess) return EDGEWARD_CUDA_ERROR + static_cast<int>(cleared);
    const bool edited = (step.flags & EDGEWARD_EDITED) != 0;
    if (edited || step.allowed != nullptr) {
        copy_kernel<<<chunks, kChunkThreads, 0, stream>>>(step, parts);
    }
    if (edited) edit_kernel<<<step.rows, kRowThreads, 0, stream>>>(step, parts);
    scan_kernel<<<chunks, kChunkThreads, 0, stream>>>(step, parts);
    if ((step.flags & (EDGEWARD_WEIGHS | EDGEWARD_SIGMA)) != 0) {
        weigh_kernel<<<chunks, kChunkThreads, 0, stream>>>(step, parts);
    }
    choose_kernel<<<step.rows, kRowThreads, 0, stream>>>(step, parts);
    const cudaError_t launched = cudaGetLastError();
    return launched == cudaSuccess ? EDGEWARD_OK : EDGEWARD_CUDA_ERROR + static_cast<int>(launched);
}

}  // namespace
}  // namespace edgeward::cuda

int edgeward_cuda_abi(void) { return EDGEWARD_CUDA_ABI; }

size_t edgeward_cuda_workspace(uint32_t rows, uint32_t vocabulary, int copies) {
    return edgeward::cuda::workspace_bytes(rows, vocabulary, copies != 0);
}

int edgeward_cuda_sample(const edgeward_step* step, void* workspace, size_t bytes, void* stream) {
    using namespace edgeward::cuda;
    const int wrong = check(step, workspace, bytes);
    if (wrong != EDGEWARD_OK) return wrong;
    Workspace parts;
    const bool copies = step->allowed != nullptr || (step->flags & EDGEWARD_EDITED) != 0;
    lay_out(workspace, step->rows, step->vocabulary, copies, parts);
    return launch(*step, parts, static_cast<cudaStream_t>(stream));
}

const char* edgeward_cuda_error(int code) {
    switch (code) {
        case EDGEWARD_OK:
            return "no error";
        case EDGEWARD_BAD_ARGUMENT:
            return "an argument of the step is null or out of range";
        case EDGEWARD_SMALL_WORKSPACE:
            return "the workspace is too small for this step";
        default:
            return code >= EDGEWARD_CUDA_ERROR
                       ? cudaGetErrorString(static_cast<cudaError_t>(code - EDGEWARD_CUDA_ERROR))
                       : "unknown code";
    }
}
