"""Which parts of receipts a payment is set against: those that could change a decision. Pure.

Anything of the right amount within reach has some weight, nearly always next to none. Who holds a
part that does not matter is not read, and a payment that new receipts cannot decide is not woken.
"""

from chalicelib.matching.decision import Beliefs
from chalicelib.matching.scene import PartKey, Scene, charge_of
from chalicelib.matching.signals import PaymentSignals
from chalicelib.matching.weighing import Pair, Scales

# Of a hundred such parts together, a tenth of what a decision may err by.
SHARE_MIN = 1e-6
# Against none of them. To be accepted it takes a million times as much.
ODDS_MIN = 1e-3


def weighty_keys(payment: PaymentSignals, scene: Scene, beliefs: Beliefs) -> list[PartKey]:
    """The parts with a share in the explanation of `payment` that is worth asking about."""
    pairs = _weigh(payment, scene, beliefs)
    total = 1.0 + sum(pair.weight for pair in pairs)
    kept = [scene.part_at(pair.place) for pair in pairs if pair.weight >= SHARE_MIN * total]
    return [(part.receipt_id, part.index) for part in kept]


def is_of_interest(payment: PaymentSignals, scene: Scene, beliefs: Beliefs) -> bool:
    """Whether what is new in `scene` may decide `payment`."""
    return any(pair.weight >= ODDS_MIN for pair in _weigh(payment, scene, beliefs))


def _weigh(payment: PaymentSignals, scene: Scene, beliefs: Beliefs) -> list[Pair]:
    scales = Scales(scene.shelf, scene.said, beliefs.clocks, beliefs.rates)
    return scales.weigh(charge_of(payment))
