#include "tokenizer/encoding.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace edgeward {
namespace {

template <class T>
void extend(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

template <class T>
std::vector<T> slice(const std::vector<T>& from, size_t begin, size_t end) {
    const auto first = from.begin();
    return {first + static_cast<std::ptrdiff_t>(begin), first + static_cast<std::ptrdiff_t>(end)};
}

template <class T>
void fill(std::vector<T>& values, size_t count, const T& value, Side side) {
    values.insert(side == Side::kLeft ? values.begin() : values.end(), count, value);
}

using Range = std::pair<size_t, size_t>;

// The parts that truncation cuts, the one that is kept first.
std::vector<Range> cut(size_t size, size_t most, size_t step, Side side) {
    std::vector<Range> parts;
    if (side == Side::kRight) {
        for (size_t begin = 0;; begin += step) {
            const size_t end = std::min(begin + most, size);
            parts.emplace_back(begin, end);
            if (end == size) return parts;
        }
    }
    for (size_t end = size;; end -= step) {
        const size_t begin = end > most ? end - most : 0;
        parts.emplace_back(begin, end);
        if (begin == 0) return parts;
    }
}

}  // namespace

std::vector<int32_t> FullEncoding::sequence_ids() const {
    std::vector<int32_t> numbers(size(), -1);
    const size_t count = std::max<size_t>(sequences.size(), 1);
    for (uint32_t number = 0; number < count; ++number) {
        const auto found = sequences.find(number);
        const Range range = found == sequences.end() ? Range{0, size()} : found->second;
        std::fill(numbers.begin() + static_cast<std::ptrdiff_t>(range.first),
                  numbers.begin() + static_cast<std::ptrdiff_t>(range.second),
                  static_cast<int32_t>(number));
    }
    return numbers;
}

void FullEncoding::append_special(uint32_t id, uint32_t type) {
    ids.push_back(id);
    offsets.emplace_back(0, 0);
    blanks.emplace_back(0, 0);
    type_ids.push_back(type);
    words.push_back(-1);
    special_mask.push_back(1);
    attention_mask.push_back(1);
}

void FullEncoding::append(const FullEncoding& other) {
    std::vector<FullEncoding> parts;
    const auto join = [&](const FullEncoding& left, const FullEncoding& right) {
        parts.push_back(left);
        parts.back().append(right);
    };
    for (const FullEncoding& left : overflowing) {
        // Overflowing parts have none of their own, so this is not deep.
        join(left, other);
        for (const FullEncoding& right : other.overflowing) join(left, right);
    }
    for (const FullEncoding& right : other.overflowing) join(*this, right);
    for (const auto& [number, range] : other.sequences) {
        sequences[number] = {range.first + size(), range.second + size()};
    }
    extend(ids, other.ids);
    extend(offsets, other.offsets);
    extend(blanks, other.blanks);
    extend(type_ids, other.type_ids);
    extend(words, other.words);
    extend(special_mask, other.special_mask);
    extend(attention_mask, other.attention_mask);
    overflowing = std::move(parts);
}

FullEncoding FullEncoding::part(size_t begin, size_t end) const {
    FullEncoding result;
    result.ids = slice(ids, begin, end);
    result.offsets = slice(offsets, begin, end);
    result.blanks = slice(blanks, begin, end);
    result.type_ids = slice(type_ids, begin, end);
    result.words = slice(words, begin, end);
    result.special_mask = slice(special_mask, begin, end);
    result.attention_mask = slice(attention_mask, begin, end);
    return result;
}

void FullEncoding::truncate(size_t most, size_t stride, Side side) {
    if (most >= size()) return;
    if (most == 0) {
        FullEncoding all = std::move(*this);
        *this = FullEncoding();
        overflowing.push_back(std::move(all));
        return;
    }
    if (stride >= most) {
        throw std::invalid_argument("truncation.stride is " + std::to_string(stride) +
                                    "; it must be less than the " + std::to_string(most) +
                                    " tokens that are kept of a text");
    }
    const std::vector<Range> parts = cut(size(), most, most - stride, side);
    FullEncoding kept = part(parts[0].first, parts[0].second);
    for (size_t i = 1; i < parts.size(); ++i) {
        kept.overflowing.push_back(part(parts[i].first, parts[i].second));
    }
    *this = std::move(kept);
}

void FullEncoding::pad(size_t length, Filling filling, Side side) {
    for (FullEncoding& part : overflowing) part.pad(length, filling, side);
    if (size() >= length) return;
    const size_t count = length - size();
    if (side == Side::kLeft) {
        for (auto& [number, range] : sequences) {
            range = {range.first + count, range.second + count};
        }
    }
    fill(ids, count, filling.id, side);
    fill(offsets, count, {0, 0}, side);
    fill(blanks, count, {0, 0}, side);
    fill(type_ids, count, filling.type, side);
    fill(words, count, -1, side);
    fill(special_mask, count, uint8_t{1}, side);
    fill(attention_mask, count, uint8_t{0}, side);
}

}  // namespace edgeward
