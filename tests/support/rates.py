"""Device profiles with round figures, so that a test can work out what a service must foretell."""

from __future__ import annotations

from edgeward.service.predictor import Predictor
from edgeward.service.profile import FORMAT, DeviceProfile


def profile(
    per_token: float = 1.0, step: float = 10.0, pair: float = 0.0, more_rows: float = 2.0
) -> DeviceProfile:
    """`per_token` ms for each token of a prompt, `step` ms for each of an answer, `more_rows` ms
    for each further request that is stepped together with one."""
    sizes = [2, 64, 512]
    return DeviceProfile(
        format=FORMAT,
        key="0" * 32,
        sizes=sizes,
        run_ms=[per_token * size for size in sizes],
        pair_ms=pair,
        step_ms=step,
        step_position_ms=0.0,
        rows=[2, 8],
        rows_ms=[step + more_rows, step + 7 * more_rows],
    )


def predictor(per_token: float = 1.0, step: float = 10.0, pair: float = 0.0) -> Predictor:
    """A predictor whose device does just what `profile` says, with nothing beside."""
    made = Predictor(profile(per_token, step, pair))
    for _ in range(30):
        made.observe_answer(0.0, 1, 64)
    return made
