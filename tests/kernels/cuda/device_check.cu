// The CUDA sampler against the CPU's on a device, with nothing but this program: no Python, no
// torch.
//
// Knows: the C interface, plans, the settings and logits of ../isa/choices.h. Prints what was
// compared and microseconds a step; exit code 0: all tokens alike, 1: not, 77: no device here.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "choices.h"
#include "cpu.h"
#include "cuda/api.h"
#include "cuda/plan.h"
#include "sampling/sampler.h"

using namespace edgeward;

namespace {

void require(cudaError_t code) {
    if (code == cudaSuccess) return;
    std::printf("CUDA: %s\n", cudaGetErrorString(code));
    std::exit(1);
}

class Buffer {
 public:
    explicit Buffer(std::size_t bytes) { require(cudaMalloc(&memory_, bytes)); }
    ~Buffer() { cudaFree(memory_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    void* get() const { return memory_; }

 private:
    void* memory_ = nullptr;
};

using Samplers = std::vector<std::unique_ptr<sampling::Sampler>>;

// Row r has setting r % 20, or the one that is named.
Samplers made_samplers(std::uint32_t rows, std::int64_t vocabulary, int only) {
    Samplers made;
    for (std::uint32_t r = 0; r < rows; ++r) {
        sampling::Options options;
        options.vocab_size = vocabulary;
        options.seed = r;
        tests::kSettings[only >= 0 ? static_cast<std::size_t>(only) : r % 20].second(options);
        made.push_back(
            std::make_unique<sampling::Sampler>(options, sampling::passes_for(active_isa())));
    }
    return made;
}

struct Batch {
    std::uint32_t rows;
    std::int64_t vocabulary;
    std::vector<float> logits;
    Buffer there, workspace, draws, plan;
    std::size_t room;

    Batch(std::uint32_t count, std::int64_t size)
        : rows(count),
          vocabulary(size),
          there(count * static_cast<std::size_t>(size) * sizeof(float)),
          workspace(edgeward_cuda_workspace(count, static_cast<std::uint32_t>(size), 1)),
          draws(count * sizeof(edgeward_draw)),
          plan(count * (sizeof(edgeward_row) + 4096 * sizeof(edgeward_edit))),
          room(edgeward_cuda_workspace(count, static_cast<std::uint32_t>(size), 1)) {
        for (std::uint32_t r = 0; r < rows; ++r) {
            const std::vector<float> row = tests::made_logits(size, r);
            logits.insert(logits.end(), row.begin(), row.end());
        }
        require(cudaMemcpy(there.get(), logits.data(), logits.size() * sizeof(float),
                           cudaMemcpyHostToDevice));
    }

    edgeward_step step(const cuda::Plan& made) const {
        edgeward_step s{};
        s.logits = there.get();
        s.stride = static_cast<std::uint64_t>(vocabulary);
        s.type = EDGEWARD_FLOAT32;
        s.vocabulary = static_cast<std::uint32_t>(vocabulary);
        s.rows = rows;
        s.flags = made.flags();
        s.plan = static_cast<const edgeward_row*>(plan.get());
        s.edits = reinterpret_cast<const edgeward_edit*>(s.plan + rows);
        s.draws = static_cast<edgeward_draw*>(draws.get());
        return s;
    }

    void send(const cuda::Plan& made) const {
        std::vector<unsigned char> bytes(made.bytes());
        made.write(bytes.data());
        require(cudaMemcpy(plan.get(), bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
    }

    void queue(const edgeward_step& s) const {
        const int code = edgeward_cuda_sample(&s, workspace.get(), room, nullptr);
        if (code == EDGEWARD_OK) return;
        std::printf("%s\n", edgeward_cuda_error(code));
        std::exit(1);
    }
};

cuda::Plan planned(Samplers& samplers, std::uint64_t position) {
    cuda::Plan plan;
    for (auto& sampler : samplers) plan.add(*sampler, position, false);
    return plan;
}

// Returns how many tokens differ.
int compare(std::uint32_t rows, std::int64_t vocabulary, int steps) {
    Batch batch(rows, vocabulary);
    Samplers ours = made_samplers(rows, vocabulary, -1),
             theirs = made_samplers(rows, vocabulary, -1);
    int wrong = 0;
    std::vector<edgeward_draw> draws(rows);
    for (int position = 0; position < steps; ++position) {
        const auto at = static_cast<std::uint64_t>(position);
        const cuda::Plan plan = planned(ours, at);
        batch.send(plan);
        batch.queue(batch.step(plan));
        require(cudaMemcpy(draws.data(), batch.draws.get(), rows * sizeof(edgeward_draw),
                           cudaMemcpyDeviceToHost));
        for (std::uint32_t r = 0; r < rows; ++r) {
            float* row = batch.logits.data() + r * static_cast<std::size_t>(vocabulary);
            const std::uint32_t expected = theirs[r]->sample(row, at, nullptr);
            const std::uint32_t drawn = cuda::settle(*ours[r], draws[r]);
            if (drawn != expected && wrong++ < 10) {
                std::printf("  %s, row %u, position %d: %u, the CPU draws %u\n",
                            tests::kSettings[r % 20].first, r, position, drawn, expected);
            }
            ours[r]->observe(expected);
            theirs[r]->observe(expected);
        }
    }
    std::printf("%u rows of %lld, %d steps: %d of %u tokens differ\n", rows,
                static_cast<long long>(vocabulary), steps, wrong, rows * steps);
    return wrong;
}

void time_setting(const Batch& batch, int setting) {
    Samplers samplers = made_samplers(batch.rows, batch.vocabulary, setting);
    const cuda::Plan plan = planned(samplers, 0);
    batch.send(plan);
    const edgeward_step step = batch.step(plan);
    cudaEvent_t began, ended;
    require(cudaEventCreate(&began));
    require(cudaEventCreate(&ended));
    constexpr int kSteps = 100;
    for (int i = 0; i < 2 * kSteps; ++i) {
        if (i == kSteps) require(cudaEventRecord(began));
        batch.queue(step);
    }
    require(cudaEventRecord(ended));
    require(cudaEventSynchronize(ended));
    float milliseconds = 0;
    require(cudaEventElapsedTime(&milliseconds, began, ended));
    std::printf("  %-12s %8.1f us\n", tests::kSettings[static_cast<std::size_t>(setting)].first,
                milliseconds * 1000 / kSteps);
    require(cudaEventDestroy(began));
    require(cudaEventDestroy(ended));
}

}  // namespace

int main() {
    int count = 0;
    const cudaError_t found = cudaGetDeviceCount(&count);
    if (found != cudaSuccess || count == 0) {
        std::printf("no CUDA device: %s\n", cudaGetErrorString(found));
        return 77;
    }
    int wrong = compare(20, 331, 300);
    wrong += compare(512, 4'099, 5);
    wrong += compare(60, 128'256, 5);
    wrong += compare(20, 262'444, 3);
    if (wrong > 0) return 1;
    for (const std::uint32_t rows : {1u, 64u}) {
        std::printf("%u rows of 128256, without copies and waiting:\n", rows);
        const Batch batch(rows, 128'256);
        for (int setting = 0; setting < 20; ++setting) time_setting(batch, setting);
    }
    return 0;
}
