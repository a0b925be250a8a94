#include "bindings/object_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <functional>

namespace edgeward::bindings {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
// Below, half of a batch may lie outside whole huge pages.
constexpr size_t kFewest = 2 * kHugePage;
// Taken at a time, so that a wrong guess costs little.
constexpr size_t kMost = 16 * kHugePage;

}  // namespace

ObjectPages::ObjectPages(size_t bytes) : bytes_(bytes) {
    if (bytes < kFewest) return;
    kept_.reserve(kMost / 4096);  // nothing may throw once Python calls
    PyObject_GetArenaAllocator(&before_);
    PyObjectArenaAllocator ours{this, take, give};
    PyObject_SetArenaAllocator(&ours);
    installed_ = true;
}

ObjectPages::~ObjectPages() {
    if (!installed_) return;
    PyObject_SetArenaAllocator(&before_);
    for (char* const arena : kept_) before_.free(before_.ctx, arena, size_);
}

void* ObjectPages::take(void* self, size_t size) {
    auto& pages = *static_cast<ObjectPages*>(self);
    if (pages.kept_.empty()) pages.fetch(size);
    if (pages.kept_.empty() || pages.size_ != size) {
        return pages.before_.alloc(pages.before_.ctx, size);
    }
    char* const arena = pages.kept_.back();
    pages.kept_.pop_back();
    return arena;
}

void ObjectPages::give(void* self, void* arena, size_t size) {
    const PyObjectArenaAllocator& before = static_cast<ObjectPages*>(self)->before_;
    before.free(before.ctx, arena, size);
}

void ObjectPages::fetch(size_t size) {
    const size_t wanted = std::min(bytes_, kMost);
    if (wanted < kFewest || size < 4096) return;
    bytes_ -= wanted;
    size_ = size;
    for (size_t got = 0; got < wanted; got += size) {
        void* const arena = before_.alloc(before_.ctx, size);
        if (arena == nullptr) break;  // Python will say so when it needs one
        kept_.push_back(static_cast<char*>(arena));
    }
    std::sort(kept_.begin(), kept_.end(), std::greater<>());
#if defined(MADV_HUGEPAGE)
    // A hint: where it is refused, the pages are small. Neighbours are told of together.
    for (size_t i = 0; i < kept_.size();) {
        size_t end = i + 1;
        while (end < kept_.size() && kept_[end] + size == kept_[end - 1]) ++end;
        static_cast<void>(madvise(kept_[end - 1], (end - i) * size, MADV_HUGEPAGE));
        i = end;
    }
#endif
}

}  // namespace edgeward::bindings
