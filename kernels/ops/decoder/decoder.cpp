#include "ops/decoder/decoder.h"

#include "ops/decoder/pass.h"
#include "ops/decoder/worker.h"

namespace edgeward::ops {

bool Decoder::run(Team& team, Workspace& workspace, const Piece& piece,
                  const std::atomic<bool>* stop, std::int64_t* waited) const {
    Pass pass(shape_, piece, team.size(), workspace);
    team.run([&](Member& member) { Worker(weights_, ops_, pass, stop, member).run(); });
    if (waited != nullptr) *waited = pass.waited;
    // A thread that saw the flag left its work where it was, also when the others did not see it.
    return stop == nullptr || !stop->load(std::memory_order_relaxed);
}

}  // namespace edgeward::ops
