// What a step must be before a kernel may trust its pointers; for the device and its stand-in.
#pragma once

#include "cuda/row.h"

namespace edgeward::cuda {

inline bool in_range(std::uint32_t rows, std::uint32_t vocabulary) {
    return rows >= 1 && rows <= 65535 && vocabulary >= 1 && vocabulary <= (1u << 24);
}

inline std::size_t workspace_bytes(std::uint32_t rows, std::uint32_t vocabulary, bool copies) {
    Workspace parts;
    return in_range(rows, vocabulary) ? lay_out(nullptr, rows, vocabulary, copies, parts) : 0;
}

inline int check(const edgeward_step* step, const void* workspace, std::size_t bytes) {
    if (step == nullptr || workspace == nullptr || step->logits == nullptr ||
        step->plan == nullptr || step->draws == nullptr ||
        !in_range(step->rows, step->vocabulary) || step->type > EDGEWARD_BFLOAT16 ||
        step->stride < step->vocabulary || reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0 ||
        ((step->flags & EDGEWARD_EDITED) != 0 && step->edits == nullptr)) {
        return EDGEWARD_BAD_ARGUMENT;
    }
    const bool copies = step->allowed != nullptr || (step->flags & EDGEWARD_EDITED) != 0;
    if (bytes < workspace_bytes(step->rows, step->vocabulary, copies)) {
        return EDGEWARD_SMALL_WORKSPACE;
    }
    return EDGEWARD_OK;
}

}  // namespace edgeward::cuda
