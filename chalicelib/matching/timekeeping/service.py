"""The clocks of stores' tills, as this process knows them and the platform's table keeps them."""

from chalicelib.kernel.ids import StoreId
from chalicelib.matching.timekeeping import store
from chalicelib.matching.timekeeping.keeping import Timekeeper
from chalicelib.runtime import observability


def _tell_far_off(store_id: StoreId, till: str, seconds: float) -> None:
    observability.count("tills_far_off")
    observability.warn(
        "a till's clock is far off", store=store_id, till=till, seconds=round(seconds)
    )


_timekeeper = Timekeeper(store, tell_far_off=_tell_far_off)

forget = _timekeeper.forget
store_clocks = _timekeeper.store_clocks
vote = _timekeeper.vote
count_sums = _timekeeper.count_sums
write_out = _timekeeper.write_out
learn = _timekeeper.learn
count_unmatched = _timekeeper.count_unmatched
