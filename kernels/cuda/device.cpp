#include "cuda/device.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace edgeward::cuda {
namespace {

constexpr std::size_t kEditsForeseen = 64;  // a row; more make the buffer grow once

void require_ours(int code) {
    if (code == EDGEWARD_OK) return;
    const std::string text = edgeward_cuda_error(code);
    if (code < EDGEWARD_CUDA_ERROR) throw std::invalid_argument(text);
    throw std::runtime_error("the CUDA sampler failed: " + text);
}

void* device_memory(std::size_t bytes) {
    void* memory = nullptr;
    const std::string what = "taking " + std::to_string(bytes) + " bytes of device memory";
    require(cudaMalloc(&memory, bytes), what.c_str());
    return memory;
}

void* pinned_memory(std::size_t bytes) {
    void* memory = nullptr;
    const std::string what = "taking " + std::to_string(bytes) + " bytes of pinned memory";
    require(cudaMallocHost(&memory, bytes), what.c_str());
    return memory;
}

}  // namespace

void require(cudaError_t code, const char* what) {
    if (code == cudaSuccess) return;
    throw std::runtime_error(std::string(what) + " failed: " + cudaGetErrorString(code));
}

CurrentDevice::CurrentDevice(int device) {
    require(cudaGetDevice(&before_), "asking for the current CUDA device");
    require(cudaSetDevice(device), "choosing a CUDA device");
}

unsigned char* Device::Pair::reserve(std::size_t wanted) {
    if (bytes < wanted) {
        const std::size_t more = wanted + wanted / 2;
        bytes = 0;
        host.reset();
        device.reset();
        host.reset(pinned_memory(more));
        device.reset(device_memory(more));
        bytes = more;
    }
    return static_cast<unsigned char*>(host.get());
}

Device::Device(int device, std::uint32_t rows, std::uint32_t vocabulary, bool copies)
    : device_(device),
      rows_(rows),
      vocabulary_(vocabulary),
      copies_(copies),
      workspace_bytes_(edgeward_cuda_workspace(rows, vocabulary, copies ? 1 : 0)) {
    if (workspace_bytes_ == 0) {
        throw std::invalid_argument("max_rows is " + std::to_string(rows) + " and vocab_size " +
                                    std::to_string(vocabulary) +
                                    "; they must be 1 to 65535 and 1 to 16777216");
    }
    const CurrentDevice current(device_);
    workspace_.reset(device_memory(workspace_bytes_));
    draws_.reserve(rows * sizeof(edgeward_draw));
    plan_.reserve(rows * (sizeof(edgeward_row) + kEditsForeseen * sizeof(edgeward_edit)));
}

unsigned char* Device::plan(std::size_t bytes) {
    const CurrentDevice current(device_);
    return plan_.reserve(bytes);
}

unsigned char* Device::masks(std::size_t bytes) {
    const CurrentDevice current(device_);
    return masks_.reserve(bytes);
}

const edgeward_draw* Device::run(edgeward_step step, std::size_t plan_bytes, std::size_t mask_bytes,
                                 cudaStream_t stream) {
    const CurrentDevice current(device_);
    require(cudaMemcpyAsync(plan_.device.get(), plan_.host.get(), plan_bytes,
                            cudaMemcpyHostToDevice, stream),
            "sending the plan");
    if (mask_bytes > 0) {
        require(cudaMemcpyAsync(masks_.device.get(), masks_.host.get(), mask_bytes,
                                cudaMemcpyHostToDevice, stream),
                "sending the masks");
        step.allowed = static_cast<const std::uint32_t*>(masks_.device.get());
    }
    step.plan = static_cast<const edgeward_row*>(plan_.device.get());
    step.edits = reinterpret_cast<const edgeward_edit*>(step.plan + step.rows);
    step.draws = static_cast<edgeward_draw*>(draws_.device.get());
    require_ours(edgeward_cuda_sample(&step, workspace_.get(), workspace_bytes_, stream));
    require(cudaMemcpyAsync(draws_.host.get(), step.draws, step.rows * sizeof(edgeward_draw),
                            cudaMemcpyDeviceToHost, stream),
            "fetching the draws");
    require(cudaStreamSynchronize(stream), "drawing on the device");
    return static_cast<const edgeward_draw*>(draws_.host.get());
}

}  // namespace edgeward::cuda
