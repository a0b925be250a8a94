// Memory for intermediate results, kept from call to call.
//
// Knows: aligned bytes, handing them out piece by piece. Does not know: what they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace edgeward::ops {

// Grows, never shrinks. Not thread-safe: its owner lends it to one call at a time.
class Workspace {
 public:
    static constexpr std::size_t kAlignment = 64;

    // At least `bytes` bytes; what was in there before is lost. Throws std::bad_alloc.
    std::uint8_t* require(std::size_t bytes) {
        if (bytes > size_) {
            memory_.reset();  // first, so that both are never held at once
            size_ = 0;
            memory_.reset(
                static_cast<std::uint8_t*>(::operator new(bytes, std::align_val_t{kAlignment})));
            size_ = bytes;
        }
        return memory_.get();
    }

    std::size_t size() const { return size_; }

 private:
    struct Free {
        void operator()(std::uint8_t* memory) const {
            ::operator delete(memory, std::align_val_t{kAlignment});
        }
    };
    std::unique_ptr<std::uint8_t, Free> memory_;
    std::size_t size_ = 0;
};

// Deals out one block of memory. With a null start it only adds up what will be needed.
class Arena {
 public:
    explicit Arena(std::uint8_t* start) : start_(start) {}

    template <typename T>
    T* take(std::size_t count) {
        const std::size_t at = used_;
        used_ += (count * sizeof(T) + Workspace::kAlignment - 1) / Workspace::kAlignment *
                 Workspace::kAlignment;
        return start_ == nullptr ? nullptr : reinterpret_cast<T*>(start_ + at);
    }

    std::size_t used() const { return used_; }

 private:
    std::uint8_t* start_;
    std::size_t used_ = 0;
};

}  // namespace edgeward::ops
