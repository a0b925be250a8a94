// Huge pages for the many small objects that one call makes.
//
// Knows: Python's arenas, the megabytes that its small objects are cut from. Does not know: what
// the objects are. A page fault for every 4 KiB costs as much as making the objects in it, so the
// arenas are taken a batch at a time, which puts them side by side, and huge pages are asked for.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <vector>

namespace edgeward::bindings {

// While one lives, which must be under the GIL and no longer than it takes to make the objects,
// Python's arenas come from here. They are taken with the allocator that was there before and will
// be given back to it, and those not used are given back at the end.
class ObjectPages {
 public:
    // `bytes`: about what the objects will take. Few are left to Python.
    explicit ObjectPages(size_t bytes);
    ~ObjectPages();
    ObjectPages(const ObjectPages&) = delete;
    ObjectPages& operator=(const ObjectPages&) = delete;

 private:
    static void* take(void* self, size_t size);
    static void give(void* self, void* arena, size_t size);
    void fetch(size_t size);

    PyObjectArenaAllocator before_{};
    bool installed_ = false;
    size_t bytes_;             // still to be expected
    std::vector<char*> kept_;  // arenas in hand, the lowest last
    size_t size_ = 0;          // of each
};

}  // namespace edgeward::bindings
