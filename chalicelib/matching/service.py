"""Finding receipts among what stands in the platform's tables. See `finding`."""

from chalicelib.matching import store
from chalicelib.matching.finding import Finder
from chalicelib.matching.timekeeping import service as timekeeping
from chalicelib.tills import service as tills

_finder = Finder(pages=tills, lists=store, timekeeping=timekeeping)

look = _finder.look
find_match = _finder.find_match
claim_part = _finder.claim_part
list_waiting = _finder.list_waiting
are_awaited = _finder.are_awaited
of_interest = _finder.of_interest
window_around = _finder.window_around
settle_awaited = _finder.settle_awaited
