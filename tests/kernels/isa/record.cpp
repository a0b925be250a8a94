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
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "choices.h"
#include "cpu.h"
#include "sampling/sampler.h"

using namespace edgeward;
using sampling::Options;
using tests::kSettings;
using tests::made_logits;

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
