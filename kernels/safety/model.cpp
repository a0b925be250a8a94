#include "safety/model.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace edgeward::safety {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

constexpr std::string_view kMagic = "EWSAFETY";
constexpr std::uint32_t kOldest = 1, kVersion = 2;
constexpr std::uint32_t kMaxBuckets = 1u << 22, kMaxRows = 1u << 20;
constexpr float kLargest = 1e6f;

class Reader {
 public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    [[noreturn]] void fail(const std::string& what) const {
        throw std::invalid_argument("safety model, byte " + std::to_string(at_) + ": " + what +
                                    "; fetch the file again or rebuild it");
    }

    const char* take(std::size_t size, const char* what) {
        if (size > bytes_.size() - at_) {
            fail(std::string(what) + " needs " + std::to_string(size) + " bytes, " +
                 std::to_string(bytes_.size() - at_) + " are left");
        }
        const char* p = bytes_.data() + at_;
        at_ += size;
        return p;
    }

    template <typename T>
    std::vector<T> array(std::size_t count, const char* what) {
        const char* p = take(count * sizeof(T), what);
        std::vector<T> values(count);
        if (count != 0) std::memcpy(values.data(), p, count * sizeof(T));
        return values;
    }

    std::uint32_t number(const char* what, std::uint32_t low, std::uint32_t high) {
        std::uint32_t value;
        std::memcpy(&value, take(4, what), 4);
        if (value < low || value > high) {
            fail(std::string(what) + " is " + std::to_string(value) + ", legal are " +
                 std::to_string(low) + " to " + std::to_string(high));
        }
        return value;
    }

    float real(const char* what, float low, float high) {
        float value;
        std::memcpy(&value, take(4, what), 4);
        check(value, what, low, high);
        return value;
    }

    std::vector<float> reals(std::size_t count, const char* what) {
        auto values = array<float>(count, what);
        for (float value : values) check(value, what, -kLargest, kLargest);
        return values;
    }

    // int8 [inputs][outputs] with a scale for each output, then their biases.
    std::vector<float> matrix(std::size_t inputs, std::size_t outputs, const char* what) {
        const auto scales = reals(outputs, what);
        const auto values = array<std::int8_t>(inputs * outputs, what);
        std::vector<float> floats(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            floats[i] = static_cast<float>(values[i]) * scales[i % outputs];
        }
        return floats;
    }

    void end() const {
        if (at_ != bytes_.size()) {
            fail(std::to_string(bytes_.size() - at_) + " bytes are left over");
        }
    }

 private:
    void check(float value, const char* what, float low, float high) const {
        if (!(value >= low && value <= high)) {
            fail(std::string(what) + " is " + std::to_string(value) + ", legal are " +
                 std::to_string(low) + " to " + std::to_string(high));
        }
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
};

Head read_head(Reader& in, std::uint32_t version) {
    Head head;
    const std::uint32_t length = in.number("the length of a head's name", 1, 64);
    head.name.assign(in.take(length, "a head's name"), length);
    for (char c : head.name) {
        if (!((c >= 'a' && c <= 'z') || c == '_')) in.fail("a head's name is not a-z and _");
    }
    Calibration& c = head.calibration;
    for (float* value : {&c.by_linear, &c.by_encoder, &c.by_length, &c.bias}) {
        *value = in.real("a calibration", -kLargest, kLargest);
    }
    Alone& a = head.alone;
    a = {0, 0, -std::numeric_limits<float>::infinity()};
    for (float* value : {&a.by_linear, &a.bias, &a.from}) {
        if (version > 1) *value = in.real("a calibration without encoder", -kLargest, kLargest);
    }
    for (Threshold& threshold : head.thresholds) {
        threshold.false_positive_rate = in.real("a false-positive rate", 0, 1);
        threshold.probability = in.real("a threshold", 0, 1);
    }
    return head;
}

Linear read_linear(Reader& in, std::size_t heads) {
    Linear linear;
    linear.buckets = in.number("the number of buckets", 256, kMaxBuckets);
    if (!std::has_single_bit(linear.buckets)) in.fail("the number of buckets is no power of two");
    for (std::size_t h = 0; h < heads; ++h) {
        linear.scale[h] = in.real("a scale", 0, kLargest);
        linear.bias[h] = in.real("a bias", -kLargest, kLargest);
    }
    linear.weights = in.array<std::int8_t>(linear.buckets * heads, "the linear weights");
    return linear;
}

Encoder read_encoder(Reader& in, std::size_t heads) {
    Encoder e;
    e.words = in.number("the number of words", 0, kMaxRows);
    if (e.words == 0) return e;
    e.pieces = in.number("the number of pieces", 256, kMaxRows);
    if (!std::has_single_bit(e.pieces)) in.fail("the number of pieces is no power of two");
    e.width = in.number("the width", 4, kMaxChannels);
    e.channels = in.number("the number of channels", 16, kMaxChannels);
    if (e.channels % 16 != 0) in.fail("the number of channels is no multiple of 16");
    e.hidden = in.number("the hidden width", 16, kMaxChannels);
    if (e.hidden % 16 != 0) in.fail("the hidden width is no multiple of 16");
    e.window = in.number("the window", 8, 4096);
    if (e.window % 2 != 0) in.fail("the window is odd");
    e.hashes = in.array<std::uint32_t>(e.words, "the words");
    for (std::size_t i = 1; i < e.words; ++i) {
        if (e.hashes[i] <= e.hashes[i - 1]) in.fail("the words are not in ascending order");
    }
    e.row_scale = in.real("the scale of the rows", 0, kLargest);
    e.word_rows = in.array<std::int8_t>(e.words * e.width, "the rows of words");
    e.piece_rows = in.array<std::int8_t>(e.pieces * e.width, "the rows of pieces");
    e.first = in.matrix(kTaps * e.width, e.channels, "the first layer");
    e.first_bias = in.reals(e.channels, "the first bias");
    e.second = in.matrix(kTaps * e.channels, e.channels, "the second layer");
    e.second_bias = in.reals(e.channels, "the second bias");
    e.third = in.matrix(2 * e.channels, e.hidden, "the third layer");
    e.third_bias = in.reals(e.hidden, "the third bias");
    e.last = in.matrix(e.hidden, heads, "the last layer");
    e.last_bias = in.reals(heads, "the last bias");
    return e;
}

}  // namespace

Model read_model(std::string_view bytes) {
    Reader in(bytes);
    if (bytes.substr(0, kMagic.size()) != kMagic) in.fail("this is not a safety model");
    in.take(kMagic.size(), "the magic");
    const std::uint32_t version = in.number("the version", kOldest, kVersion);
    Model model;
    const std::uint32_t heads = in.number("the number of heads", 1, kMaxHeads);
    for (std::uint32_t h = 0; h < heads; ++h) {
        model.heads.push_back(read_head(in, version));
        for (std::uint32_t i = 0; i < h; ++i) {
            if (model.heads[i].name == model.heads[h].name) in.fail("two heads have one name");
        }
    }
    model.linear = read_linear(in, heads);
    model.encoder = read_encoder(in, heads);
    in.end();
    return model;
}

}  // namespace edgeward::safety
