// An array of plain values that is either owned or lies in a file mapped by somebody else.
//
// Knows: where the values are. Does not know: files, or how long a mapping lives.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "tokenizer/huge_pages.h"

namespace edgeward {

template <class T>
class FlatArray {
    static_assert(std::is_trivially_copyable_v<T>);

 public:
    FlatArray() = default;
    FlatArray(FlatArray&& other) noexcept { *this = std::move(other); }
    FlatArray& operator=(FlatArray&& other) noexcept {
        owned_ = std::move(other.owned_);
        view_ = std::exchange(other.view_, {});
        borrowed_ = std::exchange(other.borrowed_, false);
        return *this;
    }

    // `values` must outlive the array and everything moved out of it. Such an array is read only.
    static FlatArray borrow(std::span<const T> values) {
        FlatArray array;
        array.view_ = values;
        array.borrowed_ = true;
        return array;
    }

    bool borrowed() const { return borrowed_; }
    std::span<const T> span() const { return view_; }
    const T* data() const { return view_.data(); }
    size_t size() const { return view_.size(); }
    const T& operator[](size_t i) const { return view_[i]; }

    // Of an owned array only.
    T* own() { return owned_.data(); }
    void reserve(size_t size) {
        owned_.reserve(size);
        view_ = owned_;
    }
    void resize(size_t size, const T& value) {
        owned_.resize(size, value);
        view_ = owned_;
    }
    void append(std::span<const T> values) {
        owned_.insert(owned_.end(), values.begin(), values.end());
        view_ = owned_;
    }

 private:
    std::vector<T, HugePages<T>> owned_;
    std::span<const T> view_;
    bool borrowed_ = false;
};

}  // namespace edgeward
