#include "ops/packed_matrix.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

#include "ops/half.h"

namespace edgeward::ops {
namespace {

std::string at(std::size_t row, std::size_t index) {
    return "[" + std::to_string(row) + "][" + std::to_string(index) + "]";
}

// Writes a scale or minimum as the format stores it, or says why it cannot.
void store_number(float number, std::size_t bytes, const char* name, std::size_t row,
                  std::size_t index, std::uint8_t* out) {
    if (!std::isfinite(number)) {
        throw std::invalid_argument(std::string(name) + at(row, index) + " is " +
                                    std::to_string(number) + "; it must be finite");
    }
    if (bytes == 4) {
        std::memcpy(out, &number, 4);
        return;
    }
    const std::uint16_t half = half_of(number);
    if (float_of(half) != number) {
        throw std::invalid_argument(std::string(name) + at(row, index) + " is " +
                                    std::to_string(number) +
                                    ", which no float16 is exactly; this format stores float16. "
                                    "Take a format with float32 scales (kQ4_K, kQ5_K, kQ6_K)");
    }
    std::memcpy(out, &half, 2);
}

float load_number(const std::uint8_t* from, std::size_t bytes) {
    if (bytes == 4) {
        float number;
        std::memcpy(&number, from, 4);
        return number;
    }
    std::uint16_t half;
    std::memcpy(&half, from, 2);
    return float_of(half);
}

// Where input `i` of a block's row lies among its codes, and whether in the high nibble.
struct Place {
    std::size_t byte;
    bool high;
};

Place place_of(const Layout& layout, std::size_t row, std::size_t i) {
    const bool high = layout.bits == 4 && i >= kBlock / 2;
    if (high) i -= kBlock / 2;
    return {i / kQuad * (kGroup * kQuad) + row * kQuad + i % kQuad, high};
}

}  // namespace

std::size_t packed_bytes(Format format, std::size_t rows, std::size_t cols) {
    if (static_cast<std::uint32_t>(format) >= kFormats) {
        throw std::invalid_argument("format is " +
                                    std::to_string(static_cast<std::uint32_t>(format)) +
                                    "; known are 0 to " + std::to_string(kFormats - 1));
    }
    if (rows == 0) throw std::invalid_argument("rows is 0; a matrix has at least one");
    if (cols == 0 || cols % kBlock != 0) {
        throw std::invalid_argument("cols is " + std::to_string(cols) +
                                    "; it must be a positive multiple of 32");
    }
    std::size_t bytes = 0;
    if (rows > std::numeric_limits<std::size_t>::max() - kGroup ||
        __builtin_mul_overflow(cols / kBlock, layout_of(format).block_bytes(), &bytes) ||
        __builtin_mul_overflow(bytes, groups_of(rows), &bytes) ||
        bytes > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max())) {
        throw std::invalid_argument("a matrix of " + std::to_string(rows) + " x " +
                                    std::to_string(cols) + " does not fit into memory");
    }
    return bytes;
}

void pack_matrix(Format format, std::size_t rows, std::size_t cols, const std::int8_t* values,
                 const float* scales, const float* minima, std::uint8_t* out) {
    std::memset(out, 0, packed_bytes(format, rows, cols));
    const Layout layout = layout_of(format);
    const std::size_t blocks = cols / kBlock, scale_count = blocks * layout.scales;
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t in_group = row % kGroup;
        std::uint8_t* block = out + row / kGroup * blocks * layout.block_bytes();
        for (std::size_t b = 0; b < blocks; ++b, block += layout.block_bytes()) {
            for (std::size_t i = 0; i < kBlock; ++i) {
                const int value = values[row * cols + b * kBlock + i];
                if (value < layout.lowest() || value > layout.highest()) {
                    throw std::invalid_argument("values" + at(row, b * kBlock + i) + " is " +
                                                std::to_string(value) + "; this format holds " +
                                                std::to_string(layout.lowest()) + " to " +
                                                std::to_string(layout.highest()));
                }
                const Place place = place_of(layout, in_group, i);
                const int code = value + layout.offset;
                block[place.byte] |= static_cast<std::uint8_t>(place.high ? code << 4 : code);
            }
            std::uint8_t* number = block + layout.code_bytes() + in_group * layout.scale_bytes;
            for (std::size_t s = 0; s < layout.scales; ++s) {
                const std::size_t index = b * layout.scales + s;
                store_number(scales[row * scale_count + index], layout.scale_bytes, "scales", row,
                             index, number);
                number += kGroup * layout.scale_bytes;
            }
            if (layout.minimum) {
                store_number(minima[row * blocks + b], layout.scale_bytes, "minima", row, b,
                             number);
            }
        }
    }
}

void unpack_row(const PackedMatrix& matrix, std::size_t row, float* out) {
    const Layout layout = layout_of(matrix.format);
    const std::size_t in_group = row % kGroup;
    const std::uint8_t* block = matrix.group(row / kGroup);
    for (std::size_t b = 0; b < matrix.blocks(); ++b, block += layout.block_bytes()) {
        const std::uint8_t* number = block + layout.code_bytes() + in_group * layout.scale_bytes;
        const std::size_t step = kGroup * layout.scale_bytes;
        const float scale[2] = {
            load_number(number, layout.scale_bytes),
            load_number(number + step * (layout.scales - 1), layout.scale_bytes)};
        const float minimum =
            layout.minimum ? load_number(number + step * layout.scales, layout.scale_bytes) : 0.0f;
        for (std::size_t i = 0; i < kBlock; ++i) {
            const Place place = place_of(layout, in_group, i);
            int code = block[place.byte];
            if (layout.bits == 4) code = place.high ? code >> 4 : code & 15;
            const float value = static_cast<float>(code - layout.offset) * scale[i / (kBlock / 2)];
            out[b * kBlock + i] = value + minimum;
        }
    }
}

}  // namespace edgeward::ops
