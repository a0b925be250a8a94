// An allocator that asks for huge pages where an array is large: tables that a search jumps about
// in then cost no misses of the TLB, and filling them a page fault for every 2 MiB.
//
// Knows: sizes. Does not know: what is stored. Where the system gives no huge pages, nothing but
// the alignment is different.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace edgeward {

template <class T>
struct HugePages {
    using value_type = T;

    HugePages() = default;
    template <class U>
    HugePages(const HugePages<U>&) {}

    T* allocate(size_t count) {
        if (count > PTRDIFF_MAX / sizeof(T) - kPage) throw std::bad_alloc();
        const size_t bytes = count * sizeof(T);
        if (bytes < kLarge) return static_cast<T*>(::operator new(bytes));
        const size_t pages = (bytes + kPage - 1) / kPage * kPage;
        void* const found = std::aligned_alloc(kPage, pages);
        if (found == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
        // A hint: where it is refused, the pages are small.
        static_cast<void>(madvise(found, pages, MADV_HUGEPAGE));
#endif
        return static_cast<T*>(found);
    }
    void deallocate(T* at, size_t count) {
        if (count * sizeof(T) < kLarge) return ::operator delete(at);
        std::free(at);
    }
    bool operator==(const HugePages&) const = default;

 private:
    static constexpr size_t kPage = size_t{2} << 20;
    static constexpr size_t kLarge = 2 * kPage;  // below, half a page may be lost
};

}  // namespace edgeward
