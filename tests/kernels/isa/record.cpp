// A million choices of the sampler, as one digest a setting: what every instruction set must
// repeat.
//
// Knows: made logits, settings, the sampler. Does not know: Python, so that it can be compiled for
// another processor and run under an emulator. Logits come from Philox and exact arithmetic; no
// library's normal distribution or exponential takes part. Prints a line a setting and size:
// name, vocabulary, steps, 64-bit FNV-1a of the tokens in their order.
//
//   record ISA                (one of generic, avx2, avx512, neon)
//   record ISA allocations    instead: how often each setting took memory once it was warm
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "cpu.h"
#include "sampling/philox.h"
#include "sampling/sampler.h"

using namespace edgeward;
using sampling::Options;

namespace {

std::uint64_t allocations = 0;

}  // namespace

// Every allocation of the kernels comes through here: they hold their memory in containers.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

struct Size {
    std::int64_t vocabulary;
    std::uint64_t steps;
    std::uint64_t rows;
};
// 50,000 steps a setting, and twenty settings.
constexpr Size kSizes[] = {{331, 48'980, 64}, {4'099, 1'000, 32}, {128'256, 20, 4}};

const std::vector<std::pair<const char*, std::function<void(Options&)>>> kSettings = {
    {"greedy", [](Options& o) { o.temperature = 0; }},
    {"plain", [](Options&) {}},
    {"cold", [](Options& o) { o.temperature = 0.3; }},
    {"hot", [](Options& o) { o.temperature = 5; }},
    {"top_k", [](Options& o) { o.top_k = 40; }},
    {"top_k_wide", [](Options& o) { o.top_k = 700; }},
    {"top_p", [](Options& o) { o.top_p = 0.9; }},
    {"top_p_small", [](Options& o) { o.top_p = 0.2; }},
    {"min_p", [](Options& o) { o.min_p = 0.03; }},
    {"top_k_top_p", [](Options& o) { o.top_k = 50, o.top_p = 0.95; }},
    {"top_p_min_p", [](Options& o) { o.top_p = 0.8, o.min_p = 0.01, o.temperature = 1.5; }},
    {"typical", [](Options& o) { o.typical_p = 0.8; }},
    {"typical_top_p", [](Options& o) { o.typical_p = 0.95, o.top_p = 0.9; }},
    {"sigma", [](Options& o) { o.top_n_sigma = 1.2; }},
    {"xtc", [](Options& o) { o.xtc_probability = 0.5, o.xtc_threshold = 0.05; }},
    {"xtc_top_p", [](Options& o) { o.xtc_probability = 0.5, o.min_p = 0.01, o.top_p = 0.9; }},
    {"mirostat", [](Options& o) { o.mirostat_tau = 4, o.mirostat_eta = 0.3; }},
    {"penalties",
     [](Options& o) {
         o.repetition_penalty = 1.2, o.frequency_penalty = 0.3, o.presence_penalty = 0.2;
         o.penalty_window = 20, o.logit_bias = {{3, 1.5}, {5, -2.0}}, o.banned_ids = {7};
     }},
    {"repeats",
     [](Options& o) {
         o.dry_multiplier = 0.8, o.dry_allowed_length = 1, o.no_repeat_ngram_size = 4;
     }},
    {"everything",
     [](Options& o) {
         o.temperature = 1.3, o.min_p = 0.005, o.top_n_sigma = 3, o.top_k = 100, o.typical_p = 0.95;
         o.top_p = 0.9, o.xtc_probability = 0.3, o.repetition_penalty = 1.1;
     }},
};

// Near a normal distribution: four 16-bit numbers added, less their mean, in 2^-14.
float bell(std::uint64_t row, std::uint64_t i) {
    const std::uint64_t bits = sampling::random_bits(row, i, 0, sampling::Stream::kToken);
    std::int32_t sum = -131'070;
    for (int part = 0; part < 4; ++part) {
        sum += static_cast<std::int32_t>(bits >> (16 * part) & 0xffff);
    }
    return static_cast<float>(sum) * 0x1p-14f;
}

// Real, peaked, flat, tied, with holes, spread wide, in turns.
std::vector<float> made_logits(std::int64_t vocabulary, std::uint64_t row) {
    std::vector<float> x(static_cast<std::size_t>(vocabulary));
    const auto scale = static_cast<float>(1 + row % 5);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float value = bell(row, i);
        switch (row % 6) {
            case 0:
                x[i] = value * scale;
                break;
            case 1:
                x[i] = value + (i % 97 == row % 97 ? 9.0f : 0.0f);
                break;
            case 2:
                x[i] = value * 0x1p-10f;
                break;
            case 3:
                x[i] = static_cast<float>(static_cast<int>(value * 4));
                break;
            case 4:
                x[i] = i % 3 == 0 ? value * scale : -std::numeric_limits<float>::infinity();
                break;
            default:
                x[i] = value * 500.0f;
        }
    }
    return x;
}

std::uint64_t digest(const Options& options, const sampling::Passes& passes, const Size& size,
                     std::vector<std::vector<float>>& rows) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    std::unique_ptr<sampling::Sampler> sampler;
    for (std::uint64_t step = 0; step < size.steps; ++step) {
        if (step % 2'000 == 0) {  // a short history
            sampler = std::make_unique<sampling::Sampler>(options, passes);
        }
        std::vector<float>& row = rows[step % rows.size()];
        const std::uint32_t id = sampler->sample(row.data(), step, nullptr);
        if (step % 50 == 0 || options.mirostat_tau > 0) sampler->observe(id);
        for (int byte = 0; byte < 4; ++byte) {
            hash = (hash ^ (id >> (8 * byte) & 0xff)) * 0x100000001b3u;
        }
    }
    return hash;
}

// Allocations of 500 steps after 500 others over the same rows.
void count_allocations(const sampling::Passes& passes) {
    std::vector<std::vector<float>> rows;
    for (std::uint64_t row = 0; row < 12; ++row) rows.push_back(made_logits(4'099, row));
    for (const auto& [setting, set] : kSettings) {
        Options options;
        options.vocab_size = 4'099;
        set(options);
        sampling::Sampler sampler(options, passes);
        for (std::uint32_t id = 0; id < 300; ++id) sampler.observe_prompt(id * id % 97);
        std::uint64_t before = 0;
        for (std::uint64_t step = 0; step < 1'000; ++step) {
            if (step == 500) before = allocations;
            sampler.sample(rows[step % rows.size()].data(), step % 500, nullptr);
        }
        std::printf("%s %" PRIu64 "\n", setting, allocations - before);
    }
}

int run(const std::string& name, bool counting) {
    for (const Isa isa : supported_isas()) {
        if (name != isa_name(isa)) continue;
        const sampling::Passes& passes = sampling::passes_for(isa);
        if (counting) {
            count_allocations(passes);
            return 0;
        }
        for (const Size& size : kSizes) {
            std::vector<std::vector<float>> rows;
            for (std::uint64_t row = 0; row < size.rows; ++row) {
                rows.push_back(made_logits(size.vocabulary, row));
            }
            for (const auto& [setting, set] : kSettings) {
                Options options;
                options.vocab_size = size.vocabulary;
                options.seed = 20'261'122;
                set(options);
                std::printf("%s %" PRId64 " %" PRIu64 " %016" PRIx64 "\n", setting, size.vocabulary,
                            size.steps, digest(options, passes, size, rows));
            }
        }
        return 0;
    }
    std::fprintf(stderr, "this machine does not run %s\n", name.c_str());
    return 3;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const bool counting = count == 3 && std::strcmp(arguments[2], "allocations") == 0;
        if (count == 2 || counting) return run(arguments[1], counting);
        std::fprintf(stderr, "usage: record ISA [allocations]\n");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    return 2;
}
