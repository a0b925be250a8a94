// One request's sampler: logits in, a token id out.
//
// Knows: the order of the steps. Does not know: models, text, threads. See docs/sampling.md for
// what each step means; each lives in a file of its own.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sampling/adjust.h"
#include "sampling/draw.h"
#include "sampling/mass_cut.h"
#include "sampling/mirostat.h"
#include "sampling/options.h"
#include "sampling/passes.h"
#include "sampling/pool.h"

namespace edgeward::sampling {

using TokenLogprob = std::pair<std::uint32_t, float>;

class Sampler {
 public:
    // Throws std::invalid_argument: see validate().
    Sampler(const Options& options, const Passes& passes);

    const Options& options() const { return options_; }

    // Ids must be below vocab_size.
    void observe_prompt(std::uint32_t id) { adjustments_.history().observe_prompt(id); }
    void observe(std::uint32_t id);

    // Draws the token at `position`. `logits` holds vocab_size values; a few may be changed during
    // the call and are put back before it returns. `allowed` is null or a bitmask of vocab_size
    // bits. Throws std::invalid_argument on NaN, on +inf and when no token is left.
    std::uint32_t sample(float* logits, std::uint64_t position, const std::uint32_t* allowed);

    // The same, never writing to `logits`: copies them first where something would change.
    std::uint32_t sample_readonly(const float* logits, std::uint64_t position,
                                  const std::uint32_t* allowed);

    // True when sample() would write to its logits.
    bool writes() const { return !adjustments_.empty(); }

    // What a device needs that draws in this sampler's place, see cuda/plan.h: the forced token, if
    // any; everything that changes single logits; what mirostat remembers.
    bool forced(std::uint32_t& id) const;
    Adjustments& adjustments() { return adjustments_; }
    const Mirostat& mirostat() const { return mirostat_; }
    float scale() const { return scale_; }
    double min_drop() const { return min_drop_; }
    // Tells what it drew: the token, the mass it was drawn from, the token's own weight.
    void drew(std::uint32_t id, std::uint64_t mass, std::uint32_t weight);

    // Natural logarithms of the probabilities that sample() draws from, after every setting, of
    // `id` and of the top_n highest; -inf where sample() cannot draw `id`. Takes sample()'s
    // arguments and throws what it throws.
    float final_logprobs(const float* logits, std::uint64_t position, std::uint32_t id,
                         std::size_t top_n, const std::uint32_t* allowed,
                         std::vector<TokenLogprob>& top);

    // Natural logarithms of the model's own probabilities, before every setting of this sampler, of
    // `id` and of the top_n highest, highest first, equal ones by lower id.
    float logprobs(const float* logits, std::uint32_t id, std::size_t top_n,
                   std::vector<TokenLogprob>& top);

 private:
    std::uint32_t choose(const float* logits, std::uint64_t position);
    std::uint32_t choose_from_pool(std::uint64_t position);
    bool gather_few(const float* logits, const std::uint32_t* allowed);
    void narrow();
    std::size_t draw(const Dice& dice);
    void cut(const Dice& dice);
    float* copied(const float* logits, const std::uint32_t* allowed);
    float lowest_kept() const;
    float* scratch();

    Options options_;
    const Passes& passes_;
    float scale_;      // from logits to powers of two: log2(e) / temperature
    double min_drop_;  // temperature * ln(min_p), at most 0
    Adjustments adjustments_;
    Pool pool_;
    Weights weights_;
    MassCut mass_cut_;
    Mirostat mirostat_;
    std::uint32_t drawn_ = 0;
    std::vector<float> scratch_;
    std::vector<std::uint32_t> few_;  // tokens of a narrow mask
};

}  // namespace edgeward::sampling
