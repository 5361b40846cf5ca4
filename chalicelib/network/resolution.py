"""From what a bank says about a merchant to the stores it can mean. Pure.

Specific evidence beats general evidence, and evidence that agrees narrows: where two identifiers
share stores, only the shared ones remain; where they share none, the more specific one is right and
the other is taken for stale. Two of one rank that share none both stand: nothing says which is
right, and a wider set only makes matching more careful. A terminal id is unique only together with
a merchant id (ISO 8583 fields 41 and 42), so it narrows what others found and never finds alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from chalicelib.kernel.ids import StoreId
from chalicelib.network.identifiers import Identifier, IdentifierKind

_RANKS = {
    IdentifierKind.MID: 1,
    IdentifierKind.FIDEL_LOCATION: 2,
    IdentifierKind.MONZO_MERCHANT: 2,
    IdentifierKind.STORE_REFERENCE: 2,
    IdentifierKind.STARLING_COUNTERPARTY: 3,
    IdentifierKind.MONZO_GROUP: 4,
    IdentifierKind.NARRATIVE: 5,
    IdentifierKind.TID: 6,
}
_NARROWING_ONLY = _RANKS[IdentifierKind.TID]
IDENTIFIERS_MAX = 12  # A payment names its merchant a few times; a longer list is not evidence.


def worth_asking(merchant: Sequence[Identifier]) -> tuple[Identifier, ...]:
    """The identifiers to look up, most specific first, each once, at most `IDENTIFIERS_MAX`.

    None where nothing but terminal ids is given: they find no store by themselves. Places never do.
    """
    named = (one for one in merchant if one.kind is not IdentifierKind.PLACE)
    ranked = sorted(dict.fromkeys(named), key=lambda one: (_rank(one), one.value))
    if not ranked or _rank(ranked[0]) == _NARROWING_ONLY:
        return ()
    return tuple(ranked[:IDENTIFIERS_MAX])


def resolve(
    merchant: Sequence[Identifier], stores_by_identifier: Mapping[Identifier, frozenset[StoreId]]
) -> frozenset[StoreId]:
    """The stores that `merchant` points to; empty where nothing that can find a store does."""
    found: frozenset[StoreId] = frozenset()
    for rank, group in groupby(worth_asking(merchant), key=_rank):
        candidates = _agreed(stores_by_identifier.get(one, frozenset()) for one in group)
        if found:
            found = (found & candidates) or found
        elif rank != _NARROWING_ONLY:
            found = candidates
    return found


def _agreed(candidate_sets: Iterable[frozenset[StoreId]]) -> frozenset[StoreId]:
    """What identifiers of one rank say together; one that is unknown says nothing."""
    known = [candidates for candidates in candidate_sets if candidates]
    if not known:
        return frozenset()
    return frozenset.intersection(*known) or frozenset.union(*known)


def _rank(one: Identifier) -> int:
    return _RANKS[one.kind]
