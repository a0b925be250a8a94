#include "cuda/plan.h"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

namespace edgeward::cuda {

static_assert(sizeof(edgeward_row) % 8 == 0 && sizeof(edgeward_edit) == sizeof(sampling::Edit));

void Plan::clear() {
    rows_.clear();
    edits_.clear();
    flags_ = 0;
}

void Plan::add(sampling::Sampler& sampler, std::uint64_t position, bool logprob) {
    const sampling::Options& options = sampler.options();
    edgeward_row row{};
    if (logprob) row.flags |= EDGEWARD_LOGPROB;
    if (sampler.forced(row.forced_id)) {
        row.flags |= EDGEWARD_FORCED;
        flags_ |= row.flags;
        rows_.push_back(row);
        return;
    }
    row.seed = options.seed;
    row.position = position;
    row.min_drop = sampler.min_drop();
    row.top_n_sigma = options.top_n_sigma;
    row.typical_p = options.typical_p;
    row.top_p = options.top_p;
    row.xtc_probability = options.xtc_probability;
    row.xtc_threshold = options.xtc_threshold;
    row.scale = sampler.scale();
    // As Pool::cut: a k of the whole vocabulary limits nothing.
    if (options.top_k > 0 && options.top_k < options.vocab_size) {
        row.top_k = static_cast<std::uint32_t>(options.top_k);
    }
    if (options.greedy()) row.flags |= EDGEWARD_GREEDY;
    if (options.min_p > 0) row.flags |= EDGEWARD_MIN_P;
    if (options.top_n_sigma > 0) row.flags |= EDGEWARD_SIGMA;
    const bool cuts = row.top_k > 0 || options.min_p > 0 || options.top_n_sigma > 0;
    if (!options.greedy() && !cuts) row.flags |= EDGEWARD_WEIGHS;
    if (sampler.mirostat().on()) {
        row.flags |= EDGEWARD_MIROSTAT;
        row.mirostat_share = sampler.mirostat().share();
    }
    if (sampler.writes()) {
        const sampling::History::Penalty penalty = sampler.adjustments().history().penalty();
        row.factors[0] = penalty.factors[0];
        row.factors[1] = penalty.factors[1];
        row.first_edit = static_cast<std::uint32_t>(edits_.size());
        const sampling::EditCounts counts = sampler.adjustments().list(edits_);
        row.bans = counts.bans;
        row.biases = counts.biases;
        row.penalties = counts.penalties;
        row.charges = counts.charges;
        if (edits_.size() > row.first_edit) row.flags |= EDGEWARD_EDITED;
    }
    flags_ |= row.flags;
    rows_.push_back(row);
}

std::size_t Plan::bytes() const {
    return rows_.size() * sizeof(edgeward_row) + edits_.size() * sizeof(edgeward_edit);
}

void Plan::write(void* to) const {
    auto* bytes = static_cast<unsigned char*>(to);
    const std::size_t rows = rows_.size() * sizeof(edgeward_row);
    if (rows > 0) std::memcpy(bytes, rows_.data(), rows);
    if (!edits_.empty()) {
        std::memcpy(bytes + rows, edits_.data(), edits_.size() * sizeof(edgeward_edit));
    }
}

std::uint32_t settle(sampling::Sampler& sampler, const edgeward_draw& draw) {
    const std::string place = "logits[" + std::to_string(draw.place) + "] is ";
    const char* damaged = "; the model's output is damaged, nothing was drawn";
    switch (draw.status) {
        case EDGEWARD_DREW:
            break;
        case EDGEWARD_NAN:
            throw std::invalid_argument(place + "NaN" + damaged);
        case EDGEWARD_INFINITE:
            throw std::invalid_argument(place + "+inf" + damaged);
        case EDGEWARD_NONE_ALLOWED:
            throw std::invalid_argument("no token is allowed: all " +
                                        std::to_string(sampler.options().vocab_size) +
                                        " logits are -inf or masked");
        default:
            throw std::runtime_error("the device answered with status " +
                                     std::to_string(draw.status) + ", which no kernel gives");
    }
    if (draw.id >= sampler.options().tokens()) {
        throw std::runtime_error("the device drew token " + std::to_string(draw.id) +
                                 " of a vocabulary of " +
                                 std::to_string(sampler.options().vocab_size));
    }
    std::uint32_t forced;
    if (!sampler.options().greedy() && !sampler.forced(forced)) {
        sampler.drew(draw.id, draw.mass, draw.weight);
    }
    return draw.id;
}

float logprob_of(const edgeward_draw& draw) {
    const double sum = static_cast<double>(draw.raw_mass) / sampling::kUnitWeight;
    return static_cast<float>(draw.raw_logit - static_cast<double>(draw.raw_highest) -
                              std::log(sum));
}

}  // namespace edgeward::cuda
