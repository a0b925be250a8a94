// The operator library as ONNX Runtime would drive it: random decoders, ragged batches from several
// threads on shared teams, stops in the middle, calls that must be refused, activations that are
// not finite or denormal. One program without Python or ONNX Runtime, so that sanitizers see all of
// it (`make sanitize-operators`):
//
//     decoder_stress SECONDS [SEED]
//
// Every logit must have the bits that the same ids give alone on one thread. Ends with status 1 at
// the first that has not, naming the seed; a leak of statuses or shapes is one too.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>

#include "fake_onnxruntime.h"
#include "ops/decoder/decoder.h"
#include "ops/ort/kernel.h"

using namespace edgeward::ops;
using namespace edgeward::ops::ort;

extern "C" {
OrtStatus* RegisterCustomOps(OrtSessionOptions*, const OrtApiBase*);
std::int64_t edgeward_team_open(std::int32_t, std::int32_t, std::int32_t, char*, std::size_t);
void edgeward_team_close(std::int64_t);
std::int64_t edgeward_stop_open();
void edgeward_stop_set(std::int64_t);
void edgeward_stop_close(std::int64_t);
}

namespace {

std::uint64_t g_seed = 0;

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "decoder_stress: seed %llu: %s\n", static_cast<unsigned long long>(g_seed),
                 what.c_str());
    std::_Exit(1);
}

struct Random {
    std::mt19937_64 engine;
    std::size_t below(std::size_t n) { return engine() % n; }
    std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }
    bool chance(double p) { return std::uniform_real_distribution<>()(engine) < p; }
    float normal() { return std::normal_distribution<float>()(engine); }
};

// Exactly as many bytes as asked for, so that a sanitizer sees the first one behind them.
struct Block {
    void* data = nullptr;
    explicit Block(std::size_t bytes) {
        if (posix_memalign(&data, 64, bytes + (bytes == 0)) != 0) throw std::bad_alloc();
        std::memset(data, 0, bytes);
    }
    Block(Block&& other) noexcept : data(std::exchange(other.data, nullptr)) {}
    ~Block() { std::free(data); }
};

// Tokens with activations that no model has: the first overflows, the second is denormal.
constexpr std::int64_t kBomb = 0, kDust = 1;
const char* const kNames[] = {"q4_0", "q4_1", "q8_0", "q8_1", "q4_k", "q5_k", "q6_k"};

// A decoder of random sizes and weights, as a node's attributes and constants.
class Model {
 public:
    std::size_t vocabulary, layers, kv_heads, head_dim, context = 256;
    OrtKernelInfo info;

    explicit Model(Random& random) : random_(random) {
        vocabulary = random.between(5, 70);
        layers = random.between(1, 3);
        kv_heads = random.between(1, 2);
        head_dim = 16 * random.between(1, 6);
        std::size_t heads = kv_heads * random.between(1, 3);
        if (heads * head_dim % 32 != 0) heads *= 2;
        const std::size_t hidden = 32 * random.between(1, 4), middle = 32 * random.between(1, 6);
        const std::size_t ropes = random.between(0, 2);
        const auto norms = random.below(3), qk_norm = random.below(3);
        const bool bias = random.chance(0.3), tied = random.chance(0.5);
        const bool o_bias = random.chance(0.3);
        const std::size_t rotated =
            random.chance(0.5) ? head_dim : 2 * random.between(1, head_dim / 2);
        info.integers = {{"layout", kDecoderLayout},
                         {"hidden", hidden},
                         {"intermediate", middle},
                         {"heads", heads},
                         {"kv_heads", kv_heads},
                         {"head_dim", head_dim},
                         {"vocabulary", vocabulary},
                         {"rotated", rotated},
                         {"ropes", ropes},
                         {"context", context},
                         {"norms", norms},
                         {"qk_norm", qk_norm},
                         {"activation", random.below(2)},
                         {"qkv_bias", bias},
                         {"output_bias", o_bias},
                         {"tied_head", tied}};
        info.floats = {{"epsilon", 1e-5f},
                       {"attention_scale", 0.2f},
                       {"attention_cap", random.chance(0.3) ? 20.0f : 0.0f},
                       {"logit_cap", random.chance(0.3) ? 30.0f : 0.0f},
                       {"embedding_scale", 1.0f}};
        info.inputs.resize(kInputs);
        const std::size_t query = heads * head_dim, kv = kv_heads * head_dim;
        for (std::size_t i = 0; i < 2 * ropes; ++i) floats(context * (rotated / 2));
        info.strings["embedding"] = embedding(hidden);
        std::string words;
        for (std::size_t layer = 0; layer < layers; ++layer) {
            if (norms != 2) floats(hidden);
            std::string qkv;
            if (random.chance(0.5)) {
                qkv = matrix(query + 2 * kv, hidden);
            } else {
                qkv = matrix(query, hidden);
                for (int i = 0; i < 2; ++i) qkv += "+" + matrix(kv, hidden);
            }
            if (bias) floats(query + 2 * kv);
            if (qk_norm != 0) floats(qk_norm == 1 ? head_dim : query);
            if (qk_norm != 0) floats(qk_norm == 1 ? head_dim : kv);
            const std::string o = matrix(hidden, query);
            if (o_bias) floats(hidden);
            if (norms != 0) floats(hidden);
            if (norms != 2) floats(hidden);
            const std::string gate = matrix(middle, hidden), up = matrix(middle, hidden);
            const std::string down = matrix(hidden, middle);
            if (norms != 0) floats(hidden);
            const std::size_t window = random.chance(0.5) ? 0 : random.between(1, 100);
            const int rope = static_cast<int>(random.below(ropes + 1)) - 1;
            words += (layer == 0 ? "" : " ") + std::to_string(window) + "/" + std::to_string(rope) +
                     "/" + qkv + "/" + o + "/" + gate + "/" + up + "/" + down;
        }
        info.strings["layers"] = words;
        floats(hidden);
        info.strings["head"] = tied ? info.strings["embedding"] : matrix(vocabulary, hidden);
    }

 private:
    void floats(std::size_t count) {
        Block block(count * sizeof(float));
        for (std::size_t i = 0; i < count; ++i)
            static_cast<float*>(block.data)[i] = random_.normal();
        info.inputs.push_back(
            {ElementType::kFloat, {static_cast<std::int64_t>(count)}, block.data});
        blocks_.push_back(std::move(block));
    }

    std::string embedding(std::size_t hidden) {
        const std::size_t blocks = hidden / kBlock;
        std::vector<float> scales(vocabulary * blocks, 0.01f);
        std::fill_n(scales.begin() + kBomb * blocks, blocks, 1e38f);
        std::fill_n(scales.begin() + kDust * blocks, blocks, 1e-40f);
        return packed(Format::kQ5_K, vocabulary, hidden, scales, 0.0f);
    }

    std::string matrix(std::size_t rows, std::size_t cols) {
        const auto format = static_cast<Format>(random_.below(kFormats));
        std::vector<float> scales(rows * (cols / kBlock) * layout_of(format).scales);
        for (float& scale : scales) scale = static_cast<float>(random_.between(1, 64)) * 0x1p-12f;
        return packed(format, rows, cols, scales, -0.25f);
    }

    std::string packed(Format format, std::size_t rows, std::size_t cols,
                       const std::vector<float>& scales, float minimum) {
        const Layout layout = layout_of(format);
        std::vector<std::int8_t> values(rows * cols);
        for (std::int8_t& value : values) {
            const auto span = static_cast<std::size_t>(layout.highest() - layout.lowest());
            value = static_cast<std::int8_t>(layout.lowest() +
                                             static_cast<int>(random_.below(span + 1)));
        }
        std::vector<float> minima(rows * cols / kBlock, minimum);
        Block block(packed_bytes(format, rows, cols));
        pack_matrix(format, rows, cols, values.data(), scales.data(), minima.data(),
                    static_cast<std::uint8_t*>(block.data));
        info.inputs.push_back({ElementType::kUint8,
                               {static_cast<std::int64_t>(packed_bytes(format, rows, cols))},
                               block.data});
        blocks_.push_back(std::move(block));
        return kNames[static_cast<std::size_t>(format)];
    }

    Random& random_;
    std::vector<Block> blocks_;
};

// A session: the kernel as ONNX Runtime makes and ends it.
class Session {
 public:
    explicit Session(const Model& model) : model(model) {
        OrtSessionOptions options;
        check(RegisterCustomOps(&options, &fake::base()));
        op_ = options.domain->op;
        check(op_->create_kernel_v2(op_, nullptr, &model.info, &kernel_));
    }
    ~Session() { op_->kernel_destroy(kernel_); }

    // Empty, or what the operator said.
    std::string run(OrtKernelContext& context) const {
        OrtStatus* status = op_->kernel_compute_v2(kernel_, &context);
        if (status == nullptr) return "";
        const std::string said = status->message;
        ReleaseStatus{fake::base().get_api(20)}(status);
        return said;
    }

    static void check(OrtStatus* status) {
        if (status != nullptr) fail(status->message);
    }

    const Model& model;

 private:
    const OrtCustomOp* op_ = nullptr;
    void* kernel_ = nullptr;
};

using Ids = std::vector<std::int64_t>;

// Caches of some sequences, and one call after the other on them.
class Client {
 public:
    Client(const Session& session, std::size_t slots, std::size_t positions)
        : session_(session), slots_(slots), positions_(positions) {
        const Model& m = session.model;
        cache_.emplace_back(slots * m.layers * 2 * m.kv_heads * positions * m.head_dim * 2);
    }

    struct Row {
        std::size_t slot;
        std::size_t position;
        Ids ids;
    };

    // Logits of all new tokens, or what the operator said.
    std::string run(const std::vector<Row>& rows, std::int64_t team, std::int64_t stop,
                    std::vector<float>& logits) {
        Ids ids;
        std::vector<std::int32_t> starts = {0}, positions, slots, wanted;
        for (const Row& row : rows) {
            ids.insert(ids.end(), row.ids.begin(), row.ids.end());
            starts.push_back(static_cast<std::int32_t>(ids.size()));
            positions.push_back(static_cast<std::int32_t>(row.position));
            slots.push_back(static_cast<std::int32_t>(row.slot));
        }
        for (std::size_t i = 0; i < ids.size(); ++i) wanted.push_back(static_cast<std::int32_t>(i));
        std::int64_t control[2] = {team, stop};
        const Model& m = session_.model;
        logits.assign(ids.size() * m.vocabulary, 0.0f);
        const auto tensor = [](ElementType type, auto& values) {
            return OrtValue{
                type, {static_cast<std::int64_t>(std::size(values))}, std::data(values)};
        };
        const auto whole = [](std::size_t n) { return static_cast<std::int64_t>(n); };
        OrtKernelContext context;
        const OrtValue past = {ElementType::kFloat16,
                               {whole(slots_), whole(m.layers), 2, whole(m.kv_heads),
                                whole(positions_), whole(m.head_dim)},
                               cache_.front().data};
        context.inputs = {tensor(ElementType::kInt64, ids),
                          tensor(ElementType::kInt32, starts),
                          tensor(ElementType::kInt32, positions),
                          tensor(ElementType::kInt32, slots),
                          tensor(ElementType::kInt32, wanted),
                          tensor(ElementType::kInt64, control),
                          past};
        context.outputs = {
            {ElementType::kFloat, {whole(ids.size()), whole(m.vocabulary)}, logits.data()}, past};
        return session_.run(context);
    }

 private:
    const Session& session_;
    std::size_t slots_, positions_;
    std::vector<Block> cache_;
};

struct Text {
    Ids ids;
    std::vector<float> logits;  // of every position, computed alone
    bool hostile = false;       // holds the bomb: only neighbours are compared
};

constexpr std::size_t kPositions = 192;

std::vector<Text> texts_for(const Session& session, Random& random) {
    std::vector<Text> texts(4);
    for (Text& text : texts) {
        text.hostile = random.chance(0.2);
        text.ids.resize(random.between(1, random.chance(0.5) ? kPositions : 20));
        for (std::int64_t& id : text.ids) {
            id = static_cast<std::int64_t>(random.between(1, session.model.vocabulary - 1));
        }
        if (text.hostile) text.ids[random.below(text.ids.size())] = kBomb;
        Client client(session, 1, kPositions);
        const std::string said = client.run({{0, 0, text.ids}}, 0, 0, text.logits);
        if (!said.empty()) fail("alone: " + said);
    }
    return texts;
}

void compare(const std::vector<float>& found, std::size_t from, const Text& text,
             std::size_t position, std::size_t count, std::size_t vocabulary) {
    for (std::size_t i = 0; i < count * vocabulary; ++i) {
        const float a = found[from * vocabulary + i], b = text.logits[position * vocabulary + i];
        if (std::memcmp(&a, &b, sizeof a) != 0 && !(a != a && b != b)) {
            fail("position " + std::to_string(position + i / vocabulary) + ", logit " +
                 std::to_string(i % vocabulary) + " is " + std::to_string(a) + ", alone it was " +
                 std::to_string(b));
        }
    }
}

// All texts, in ragged batches, some of them stopped and begun again.
void ragged(const Session& session, const std::vector<Text>& texts, std::int64_t team,
            std::uint64_t seed) {
    Random random{std::mt19937_64(seed)};
    Client client(session, texts.size(), kPositions);
    std::vector<std::size_t> done(texts.size());
    for (;;) {
        std::vector<Client::Row> rows;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::size_t left = texts[i].ids.size() - done[i];
            if (left == 0 || (!rows.empty() && random.chance(0.3))) continue;
            const std::size_t count = random.chance(0.5) ? 1 : random.between(1, left);
            const auto begin = texts[i].ids.begin() + static_cast<std::ptrdiff_t>(done[i]);
            rows.push_back({i, done[i], Ids(begin, begin + static_cast<std::ptrdiff_t>(count))});
        }
        if (rows.empty()) return;
        const std::int64_t flag = random.chance(0.3) ? edgeward_stop_open() : 0;
        std::thread stopper;
        if (flag != 0) {
            const auto after = std::chrono::microseconds(random.below(400));
            stopper = std::thread([flag, after] {
                std::this_thread::sleep_for(after);
                edgeward_stop_set(flag);
            });
        }
        std::vector<float> logits;
        const std::string said = client.run(rows, team, flag, logits);
        if (flag != 0) stopper.join();
        edgeward_stop_close(flag);
        if (!said.empty()) {
            if (flag == 0 || said.find("stopped") == std::string::npos) fail(said);
            continue;  // the same tokens again: what was written of them must not matter
        }
        std::size_t from = 0;
        for (const Client::Row& row : rows) {
            const Text& text = texts[row.slot];
            if (!text.hostile) {
                compare(logits, from, text, row.position, row.ids.size(), session.model.vocabulary);
            }
            from += row.ids.size();
            done[row.slot] += row.ids.size();
        }
    }
}

// What the operator must refuse without touching anything.
void refused(const Session& session, Random& random) {
    Client client(session, 2, kPositions);
    const auto most = static_cast<std::int64_t>(session.model.vocabulary);
    const std::vector<std::vector<Client::Row>> wrong = {
        {{0, 0, {most}}},
        {{0, 0, {-1 - static_cast<std::int64_t>(random.below(1000))}}},
        {{2, 0, {1}}},
        {{1, 0, {1}}, {1, 1, {1}}},
        {{0, kPositions, {1}}},
        {{0, 0, Ids(kPositions + 1, 1)}},
        {{0, 0, {1}}, {1, 0, {}}},
    };
    std::vector<float> logits;
    for (const auto& rows : wrong) {
        if (client.run(rows, 0, 0, logits).empty()) fail("a wrong call was computed");
    }
    if (client.run({{0, 0, {1}}}, 1'000'000'000, 0, logits).empty()) fail("an unknown team");
    if (client.run({{0, 0, {1}}}, 0, 1'000'000'000, logits).empty()) fail("an unknown flag");
    if (!client.run({}, 0, 0, logits).empty()) fail("an empty batch was refused");
}

std::size_t one_case(Random& random) {
    const Model model(random);
    const Session session(model);
    const std::vector<Text> texts = texts_for(session, random);
    refused(session, random);
    char error[200];
    const std::int64_t team =
        edgeward_team_open(static_cast<std::int32_t>(random.between(1, 3)),
                           random.chance(0.3) ? 0 : 50, 0, error, sizeof error);
    if (team == 0) fail(error);
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back([&, seed = random.engine()] { ragged(session, texts, team, seed); });
    }
    for (std::thread& client : clients) client.join();
    edgeward_team_close(team);
    return texts.size() * clients.size();
}

}  // namespace

int main(int count, char** arguments) {
    const double seconds = count > 1 ? std::atof(arguments[1]) : 10;
    const std::uint64_t first = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::size_t cases = 0, texts = 0;
    for (g_seed = first; std::chrono::steady_clock::now() < until; ++g_seed, ++cases) {
        Random random{std::mt19937_64(g_seed)};
        texts += one_case(random);
    }
    if (fake::g_open != 0) fail("statuses or shapes were not released");
    std::printf("%zu decoders, %zu texts in ragged batches: the bits of each alone\n", cases,
                texts);
}
