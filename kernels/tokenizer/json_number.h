// Decimal numbers as Rust's serde_json reads them, which decides ties between Unigram scores.
//
// Knows: that reader keeps the digits that fit 64 bits and scales them once by a power of ten, so
// its result is up to one unit in the last place away from the nearest double. Does not know:
// the JSON grammar; the text must be a number by it.
#pragma once

#include <optional>
#include <string_view>

namespace edgeward::json {

// Nothing if the number is too large for a double.
std::optional<double> reference_double(std::string_view digits);

}  // namespace edgeward::json
