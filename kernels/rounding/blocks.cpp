#include "rounding/blocks.h"

#include <algorithm>
#include <cmath>

namespace edgeward::rounding {
namespace {

// Rows worked on together: the loops over them are what compilers make vectors of.
constexpr std::size_t kTile = 16;
using Lane = float[kTile];
using Tile = float[kBlock][kTile];

constexpr float kTiny = 1e-30F;

// Adding and subtracting it rounds a small float to the nearest whole number, ties to even.
constexpr float kWhole = 12582912.0F;

inline float whole(float x, float low, float high) {
    const float bounded = std::min(std::max(x, low), high);
    return (bounded + kWhole) - kWhole;
}

// The nearest float16, as a float: 11 bits, or multiples of 2^-24 below 2^-14.
inline float to_half(float x) {
    const float bounded = std::min(std::max(x, -65504.0F), 65504.0F);
    const float split = bounded * 8193.0F;
    const float normal = split - (split - bounded);
    const float small = (bounded + 0.75F) - 0.75F;
    return std::fabs(bounded) < 6.103515625e-5F ? small : normal;
}

inline float kept(float x, const Range& range) { return range.half ? to_half(x) : x; }

inline float inverse(float x) { return std::fabs(x) > kTiny ? 1.0F / x : 0.0F; }

// Rows [begin, begin + count) of a block; lanes beyond are zero.
void load(Tile& tile, const float* from, std::size_t rows, std::size_t begin, std::size_t count) {
    for (std::size_t i = 0; i < kBlock; ++i) {
        for (std::size_t r = 0; r < kTile; ++r) {
            tile[i][r] = r < count ? from[i * rows + begin + r] : 0.0F;
        }
    }
}

void store(const Tile& tile, float* to, std::size_t rows, std::size_t begin, std::size_t count) {
    for (std::size_t i = 0; i < kBlock; ++i) {
        std::copy_n(tile[i], count, to + i * rows + begin);
    }
}

void load(Lane& lane, const float* from, std::size_t count) {
    for (std::size_t r = 0; r < kTile; ++r) lane[r] = r < count ? from[r] : 0.0F;
}

// The weighted squared error of a block rounded with scale s and minimum m.
void error_of(const Tile& x, const float* w, const Range& range, const Lane& s, const Lane& m,
              Lane& error) {
    for (std::size_t r = 0; r < kTile; ++r) error[r] = 0;
    Lane by;
    for (std::size_t r = 0; r < kTile; ++r) by[r] = inverse(s[r]);
    for (std::size_t i = 0; i < kBlock; ++i) {
        for (std::size_t r = 0; r < kTile; ++r) {
            const float code = whole((x[i][r] - m[r]) * by[r], range.low, range.high);
            const float off = x[i][r] - code * s[r] - m[r];
            error[r] += w[i] * off * off;
        }
    }
}

// Least squares scale and minimum for the codes that s and m give; into s and m.
void least_squares(const Tile& x, const float* w, const Range& range, Lane& s, Lane& m) {
    Lane by, cc{}, cx{}, c1{}, x1{};
    float total = 0;
    for (std::size_t r = 0; r < kTile; ++r) by[r] = inverse(s[r]);
    for (std::size_t i = 0; i < kBlock; ++i) {
        total += w[i];
        for (std::size_t r = 0; r < kTile; ++r) {
            const float code = whole((x[i][r] - m[r]) * by[r], range.low, range.high);
            cc[r] += w[i] * code * code;
            cx[r] += w[i] * code * x[i][r];
            c1[r] += w[i] * code;
            x1[r] += w[i] * x[i][r];
        }
    }
    for (std::size_t r = 0; r < kTile; ++r) {
        if (range.minimum) {
            const float spread = cc[r] * total - c1[r] * c1[r];
            const float scale = (cx[r] * total - c1[r] * x1[r]) / std::max(spread, kTiny);
            s[r] = kept(scale, range);
            m[r] = kept((x1[r] - s[r] * c1[r]) / total, range);
        } else {
            s[r] = kept(cx[r] / std::max(cc[r], kTiny), range);
        }
    }
}

void fit_tile(const Tile& x, const float* w, const Range& range, Lane& s, Lane& m) {
    Lane lowest, highest, best_error, s_try, m_try, error;
    for (std::size_t r = 0; r < kTile; ++r) lowest[r] = highest[r] = x[0][r];
    for (std::size_t i = 1; i < kBlock; ++i) {
        for (std::size_t r = 0; r < kTile; ++r) {
            lowest[r] = std::min(lowest[r], x[i][r]);
            highest[r] = std::max(highest[r], x[i][r]);
        }
    }
    const float codes = range.high - range.low;
    // Number 0 is plain rounding; the others put the block's end at 0.8 to 1.1 of the last code.
    for (int number = 0; number < 12; ++number) {
        const float share = number == 0 ? 1.0F : 0.77F + 0.03F * static_cast<float>(number);
        for (std::size_t r = 0; r < kTile; ++r) {
            if (range.minimum) {
                s_try[r] = kept((highest[r] - lowest[r]) / (codes * share), range);
                m_try[r] = kept(lowest[r] - range.low * s_try[r], range);
            } else {
                // The largest magnitude goes to the longer end of the range.
                const float end = -lowest[r] > highest[r] ? lowest[r] : highest[r];
                s_try[r] = kept(end / (range.low * share), range);
                m_try[r] = 0;
            }
        }
        if (number != 0) least_squares(x, w, range, s_try, m_try);
        error_of(x, w, range, s_try, m_try, error);
        for (std::size_t r = 0; r < kTile; ++r) {
            const bool better = number == 0 || error[r] < best_error[r];
            s[r] = better ? s_try[r] : s[r];
            m[r] = better ? m_try[r] : m[r];
            best_error[r] = better ? error[r] : best_error[r];
        }
    }
}

void feed_tile(Tile& x, const float* upper, const Range& range, const Lane& s, const Lane& m,
               Tile& codes, Tile& errors) {
    Lane by;
    for (std::size_t r = 0; r < kTile; ++r) by[r] = inverse(s[r]);
    for (std::size_t j = 0; j < kBlock; ++j) {
        const float* row = upper + j * kBlock;
        const float over = 1.0F / row[j];
        for (std::size_t r = 0; r < kTile; ++r) {
            const float code = whole((x[j][r] - m[r]) * by[r], range.low, range.high);
            codes[j][r] = code;
            errors[j][r] = (x[j][r] - code * s[r] - m[r]) * over;
        }
        for (std::size_t k = j + 1; k < kBlock; ++k) {
            for (std::size_t r = 0; r < kTile; ++r) x[k][r] -= row[k] * errors[j][r];
        }
    }
}

// The scale and minimum that are best for the codes, all else staying as it is.
void rescale(const Tile& codes, const float* h, const Range& range, Tile& slope, Lane& s, Lane& m) {
    Tile along;  // h codes
    Lane ones[kBlock];
    Lane cc{}, gc{}, c1{}, g1{}, ds, dm;
    float total = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
        const float* row = h + i * kBlock;
        float sum = 0;
        for (std::size_t r = 0; r < kTile; ++r) along[i][r] = 0;
        for (std::size_t k = 0; k < kBlock; ++k) {
            sum += row[k];
            for (std::size_t r = 0; r < kTile; ++r) along[i][r] += row[k] * codes[k][r];
        }
        total += sum;
        for (std::size_t r = 0; r < kTile; ++r) {
            ones[i][r] = sum;
            cc[r] += codes[i][r] * along[i][r];
            gc[r] += codes[i][r] * slope[i][r];
            c1[r] += along[i][r];
            g1[r] += slope[i][r];
        }
    }
    for (std::size_t r = 0; r < kTile; ++r) {
        float scale_by = cc[r] > kTiny ? gc[r] / cc[r] : 0.0F;
        float minimum_by = 0;
        if (range.minimum) {
            const float whole_of = cc[r] * total - c1[r] * c1[r];
            const bool good = whole_of > 1e-6F * cc[r] * total;
            scale_by = good ? (gc[r] * total - g1[r] * c1[r]) / whole_of : 0.0F;
            minimum_by = good ? (g1[r] - scale_by * c1[r]) / total : 0.0F;
        }
        const float scale = kept(s[r] + scale_by, range);
        const float minimum = range.minimum ? kept(m[r] + minimum_by, range) : 0.0F;
        ds[r] = scale - s[r];
        dm[r] = minimum - m[r];
        s[r] = scale;
        m[r] = minimum;
    }
    for (std::size_t i = 0; i < kBlock; ++i) {
        for (std::size_t r = 0; r < kTile; ++r) {
            slope[i][r] -= ds[r] * along[i][r] + dm[r] * ones[i][r];
        }
    }
}

void recode(Tile& codes, const float* h, const Range& range, Tile& slope, const Lane& s) {
    Lane by, change;
    for (std::size_t r = 0; r < kTile; ++r) by[r] = inverse(s[r]);
    for (std::size_t j = 0; j < kBlock; ++j) {
        const float* row = h + j * kBlock;
        const float over = 1.0F / row[j];
        for (std::size_t r = 0; r < kTile; ++r) {
            const float moved =
                whole(codes[j][r] + slope[j][r] * by[r] * over, range.low, range.high);
            change[r] = (moved - codes[j][r]) * s[r];
            codes[j][r] = moved;
        }
        for (std::size_t k = 0; k < kBlock; ++k) {
            for (std::size_t r = 0; r < kTile; ++r) slope[k][r] -= row[k] * change[r];
        }
    }
}

}  // namespace

void fit_block(const float* x, std::size_t rows, const float* weights, const Range& range,
               float* scales, float* minima) {
    Tile tile;
    Lane s, m;
    for (std::size_t begin = 0; begin < rows; begin += kTile) {
        const std::size_t count = std::min(kTile, rows - begin);
        load(tile, x, rows, begin, count);
        fit_tile(tile, weights, range, s, m);
        std::copy_n(s, count, scales + begin);
        std::copy_n(m, count, minima + begin);
    }
}

void feed_block(float* x, std::size_t rows, const float* upper, const Range& range,
                const float* scales, const float* minima, float* codes, float* errors) {
    Tile tile, code_tile, error_tile;
    Lane s, m;
    for (std::size_t begin = 0; begin < rows; begin += kTile) {
        const std::size_t count = std::min(kTile, rows - begin);
        load(tile, x, rows, begin, count);
        load(s, scales + begin, count);
        load(m, minima + begin, count);
        feed_tile(tile, upper, range, s, m, code_tile, error_tile);
        store(tile, x, rows, begin, count);
        store(code_tile, codes, rows, begin, count);
        store(error_tile, errors, rows, begin, count);
    }
}

void descend_block(float* codes, std::size_t rows, const float* h, const Range& range, float* slope,
                   float* scales, float* minima, float* change) {
    Tile code_tile, slope_tile, before;
    Lane s, m;
    for (std::size_t begin = 0; begin < rows; begin += kTile) {
        const std::size_t count = std::min(kTile, rows - begin);
        load(code_tile, codes, rows, begin, count);
        load(slope_tile, slope, rows, begin, count);
        load(s, scales + begin, count);
        load(m, minima + begin, count);
        for (std::size_t i = 0; i < kBlock; ++i) {
            for (std::size_t r = 0; r < kTile; ++r) before[i][r] = code_tile[i][r] * s[r] + m[r];
        }
        rescale(code_tile, h, range, slope_tile, s, m);
        recode(code_tile, h, range, slope_tile, s);
        for (std::size_t i = 0; i < kBlock; ++i) {
            for (std::size_t r = 0; r < kTile; ++r) {
                before[i][r] = code_tile[i][r] * s[r] + m[r] - before[i][r];
            }
        }
        store(before, change, rows, begin, count);
        store(code_tile, codes, rows, begin, count);
        store(slope_tile, slope, rows, begin, count);
        std::copy_n(s, count, scales + begin);
        std::copy_n(m, count, minima + begin);
    }
}

}  // namespace edgeward::rounding
