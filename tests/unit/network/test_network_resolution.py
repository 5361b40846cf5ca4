"""From identifiers to stores."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import StoreId
from chalicelib.network.identifiers import (
    VALUE_LENGTH_MAX,
    Identifier,
    IdentifierKind,
    tidy_narrative,
)
from chalicelib.network.resolution import IDENTIFIERS_MAX, resolve, worth_asking
from tests.makers.network import mid, narrative, tid

GROUP = Identifier(IdentifierKind.MONZO_GROUP, "grp_1")

identifiers = st.builds(
    Identifier, st.sampled_from(IdentifierKind), st.sampled_from(["1", "2", "3", "4"])
)
store_sets = st.frozensets(st.sampled_from([StoreId(one) for one in "abcdef"]))


def stores(*names: str) -> frozenset[StoreId]:
    return frozenset(StoreId(name) for name in names)


def test_a_terminal_narrows_the_stores_of_its_merchant() -> None:
    known = {mid("m"): stores("a", "b"), tid("t"): stores("b", "elsewhere")}

    assert resolve([tid("t"), mid("m")], known) == stores("b")


def test_a_terminal_alone_finds_nothing_and_is_not_even_asked_for() -> None:
    assert worth_asking([tid("t")]) == ()
    assert resolve([tid("t")], {tid("t"): stores("a")}) == stores()


def test_a_terminal_beside_an_unknown_merchant_finds_nothing() -> None:
    assert resolve([mid("unknown"), tid("t")], {tid("t"): stores("a")}) == stores()


def test_a_merchant_id_beats_a_group_that_contradicts_it() -> None:
    known = {mid("m"): stores("a"), GROUP: stores("b", "c")}

    assert resolve([GROUP, mid("m")], known) == stores("a")


def test_a_general_name_narrows_a_specific_one_that_serves_many_stores() -> None:
    known = {mid("m"): stores("a", "b", "c"), narrative("KETTLE"): stores("c", "d")}

    assert resolve([narrative("KETTLE"), mid("m")], known) == stores("c")


def test_an_unknown_specific_name_leaves_the_general_one() -> None:
    assert resolve([mid("unknown"), GROUP], {GROUP: stores("a", "b")}) == stores("a", "b")


def test_two_names_of_one_rank_that_contradict_both_stand() -> None:
    known = {mid("m"): stores("a"), mid("n"): stores("b")}

    assert resolve([mid("m"), mid("n")], known) == stores("a", "b")


def test_nothing_known_means_not_in_the_network() -> None:
    assert resolve([mid("m"), narrative("X")], {}) == stores()


@given(st.lists(identifiers, max_size=30))
def test_asks_for_each_identifier_once_and_for_few(merchant: list[Identifier]) -> None:
    asked = worth_asking(merchant)

    assert len(asked) == len(set(asked)) <= IDENTIFIERS_MAX
    assert set(asked) <= set(merchant)


@given(st.lists(identifiers, max_size=10), st.dictionaries(identifiers, store_sets), st.randoms())
def test_the_order_of_the_names_changes_nothing(
    merchant: list[Identifier], known: dict[Identifier, frozenset[StoreId]], random: object
) -> None:
    shuffled = list(merchant)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert resolve(shuffled, known) == resolve(merchant, known)


@given(st.lists(identifiers, max_size=10), st.dictionaries(identifiers, store_sets))
def test_finds_only_stores_that_a_name_points_to(
    merchant: list[Identifier], known: dict[Identifier, frozenset[StoreId]]
) -> None:
    pointed_to = frozenset().union(*(known.get(one, frozenset()) for one in merchant))

    assert resolve(merchant, known) <= pointed_to


@given(st.text(max_size=400))
def test_tidying_a_narrative_again_changes_nothing(text: str) -> None:
    tidied = tidy_narrative(text)

    assert tidy_narrative(tidied) == tidied
    assert len(tidied) <= VALUE_LENGTH_MAX
