// Passes that look for a cut by mass: sums of weights over intervals, and what lies between two.
//
// Included by passes-inl.h once per instruction set, inside of its namespaces. A *line* is an array
// by whose values tokens are told apart: the logits, or the weights themselves.

inline Floats line_vector(const float* line, std::size_t i, std::size_t n) {
    return n - i >= kLanes ? load(line + i) : load_part(line + i, n - i, kMinusInf);
}
// Weights are filled up to whole blocks.
inline Ints line_vector(const std::uint32_t* line, std::size_t i, std::size_t) {
    return load(line + i);
}

// PowerSum::add() for two vectors: parts = round(-power * 2^24), power = (x - highest) * scale. The
// factor -2^24 is in `by`, which changes nothing but the exponent. A product is below 2^60.
inline Longs products(Floats x, Ints weights, Floats highest, Floats lowest, Floats by) {
    const auto parts = reinterpret_cast<Longs>(round_to_int(max(x - highest, lowest) * by));
    const auto w = reinterpret_cast<Longs>(weights);
    return multiply_low(w, parts) + multiply_low(w >> 32, parts >> 32);
}

PowerSum power_sum(const float* x, std::size_t n, float highest, float scale,
                   const std::uint32_t* weights, const std::uint64_t* block_mass) {
    const Floats top = Floats{} + highest, by = Floats{} + scale * -0x1p24f;
    const Floats lowest = Floats{} + lowest_drop(scale);
    Longs high{}, low{};
    const auto add = [&](Longs sum) {
        high += sum >> 32;
        low += sum & 0xffffffffu;
    };
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
        if (block_mass[begin / kBlock] == 0) continue;
        const std::size_t end = lesser(begin + kBlock, n);
        std::size_t i = begin;
        for (; i + 2 * kLanes <= end; i += 2 * kLanes) {
            const Longs a = products(load(x + i), load(weights + i), top, lowest, by);
            add(a + products(load(x + i + kLanes), load(weights + i + kLanes), top, lowest, by));
        }
        for (; i < end; i += kLanes) {
            add(products(line_vector(x, i, n), load(weights + i), top, lowest, by));
        }
    }
    PowerSum sum;
    sum.high = reduce_add(high);
    sum.low = reduce_add(low);
    return sum;
}

template <typename Value, typename Vector>
struct Bounds {
    explicit Bounds(Interval<Value> interval)
        : low(Vector{} + static_cast<Lane>(interval.low)),
          high(Vector{} + static_cast<Lane>(interval.high)) {}
    // The weights whose values are inside, zero elsewhere.
    Ints held(Vector v, Ints weights) const {
        const Ints some = v >= low ? weights : Ints{};
        return v <= high ? some : Ints{};
    }
    using Lane = decltype(Vector{}[0] + 0);
    Vector low, high;
};

template <typename Value>
std::uint64_t mass_within(const Value* line, const std::uint32_t* weights, std::size_t n,
                          Interval<Value> interval) {
    using Vector = decltype(line_vector(line, 0, n));
    const Bounds<Value, Vector> in(interval);
    Longs even{}, odd{};
    std::size_t i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
        const Ints a = in.held(line_vector(line, i, n), load(weights + i));
        add_pair(a, in.held(line_vector(line, i + kLanes, n), load(weights + i + kLanes)), even,
                 odd);
    }
    for (; i < n; i += kLanes) {
        add_pair(in.held(line_vector(line, i, n), load(weights + i)), Ints{}, even, odd);
    }
    return reduce_add(even + odd);
}

template <typename Value>
Between narrow(const Value* line, std::size_t n, Interval<Value> outer, Interval<Value> inner,
               std::uint32_t* weights, std::uint64_t* block_mass, std::uint32_t* ids) {
    using Vector = decltype(line_vector(line, 0, n));
    const Bounds<Value, Vector> out(outer), in(inner);
    Between found;
    Longs inner_even{}, inner_odd{};
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
        if (block_mass[begin / kBlock] == 0) continue;
        Longs even{}, odd{};
        const auto one = [&](std::size_t i, Ints& kept, Ints& held) {
            const Vector v = line_vector(line, i, n);
            kept = out.held(v, load(weights + i));
            held = in.held(v, kept);
            store(weights + i, kept);
            for (unsigned left = bits_of(kept != held); left != 0; left &= left - 1) {
                ids[found.count++] =
                    static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(__builtin_ctz(left));
            }
        };
        const std::size_t end = lesser(begin + kBlock, n);
        for (std::size_t i = begin; i < end; i += 2 * kLanes) {
            Ints kept[2]{}, held[2]{};
            one(i, kept[0], held[0]);
            if (i + kLanes < end) one(i + kLanes, kept[1], held[1]);
            add_pair(kept[0], kept[1], even, odd);
            add_pair(held[0], held[1], inner_even, inner_odd);
        }
        block_mass[begin / kBlock] = reduce_add(even + odd);
    }
    found.inner_mass = reduce_add(inner_even + inner_odd);
    return found;
}
