"""How extra units are called on the card that they are entered on. Pure.

An entry is called by what it follows from. Of a purchase that is its payment id; of units that
another card of the member gave, it is `<payment id>~<scheme>~<by>`: the purchase that filled that
card, the retailer's name of its scheme, and which full card it was (`f3`). Where a claim gave them
there was no purchase: `~<scheme>~<claim id>`. None of these words has the mark in it.
"""

_MARK = "~"


def name_of(payment_id: str, scheme_id: str, by: str) -> str:
    """What units are called that `by` (a full card, or a claim) of the scheme gives elsewhere."""
    return _MARK.join((payment_id, scheme_id.rpartition(".")[2], by))


def is_extra(name: str) -> bool:
    """Whether an entry of this name is no purchase."""
    return _MARK in name


def payment_of(name: str) -> str:
    """The purchase that an entry follows from; empty where there was none."""
    return name.partition(_MARK)[0]


def giver_of(name: str) -> tuple[str, str]:
    """The retailer's name of the scheme that gave these extra units, and which of it did."""
    _, reference, by = name.split(_MARK)
    return reference, by
