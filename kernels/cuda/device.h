// What one device needs to draw for a batch: its memory, taken once, and the way there and back.
//
// Knows: the CUDA runtime's memory and streams. Does not know: Python, samplers, kernels.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cuda/api.h"

namespace edgeward::cuda {

// Throws std::runtime_error with the runtime's words and what was tried.
void require(cudaError_t code, const char* what);

struct FreeDevice {
    void operator()(void* memory) const { cudaFree(memory); }
};
struct FreePinned {
    void operator()(void* memory) const { cudaFreeHost(memory); }
};

// Makes a device the current one for a while.
class CurrentDevice {
 public:
    explicit CurrentDevice(int device);
    ~CurrentDevice() { cudaSetDevice(before_); }
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
    int before_ = 0;
};

class Device {
 public:
    // Takes the workspace for `rows` rows of `vocabulary` logits; `copies` as in api.h.
    Device(int device, std::uint32_t rows, std::uint32_t vocabulary, bool copies);

    int device() const { return device_; }
    std::uint32_t rows() const { return rows_; }
    std::uint32_t vocabulary() const { return vocabulary_; }
    bool copies() const { return copies_; }

    // Pinned memory of at least so many bytes, to write a plan or masks to; grows, never shrinks.
    unsigned char* plan(std::size_t bytes);
    unsigned char* masks(std::size_t bytes);

    // Sends the plan (and `mask_bytes` of masks, unless the step has its own), runs the step,
    // waits, and returns the draws, which stay valid until the next call.
    const edgeward_draw* run(edgeward_step step, std::size_t plan_bytes, std::size_t mask_bytes,
                             cudaStream_t stream);

 private:
    // A buffer on both sides.
    struct Pair {
        std::unique_ptr<void, FreePinned> host;
        std::unique_ptr<void, FreeDevice> device;
        std::size_t bytes = 0;
        unsigned char* reserve(std::size_t wanted);
    };

    int device_;
    std::uint32_t rows_, vocabulary_;
    bool copies_;
    std::size_t workspace_bytes_;
    std::unique_ptr<void, FreeDevice> workspace_;
    Pair plan_, masks_, draws_;
};

}  // namespace edgeward::cuda
