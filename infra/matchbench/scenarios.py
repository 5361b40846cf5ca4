"""The scenarios, in groups, each swept over several values.

Two sets that share no seed and no swept value: `DEV` is what the matcher may be tuned on,
`HELD_OUT` is what is published and what CI plays. Whoever tunes looks at the first only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from infra.matchbench.street import (
    Arrival,
    BankDigits,
    CodeFault,
    Digits,
    Jitter,
    Street,
    SummerTime,
    Tips,
)


class Split(Enum):
    """What a run is for. Its name is part of every seed, so no stream of chance is in both."""

    DEV = "dev"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class Cell:
    """One street to play."""

    name: str
    street: Street


@dataclass(frozen=True, slots=True)
class Group:
    """Cells that sweep one thing."""

    name: str
    title: str
    cells: tuple[Cell, ...]


Cells = Iterator[Cell]
T = TypeVar("T")


class _Values:
    """Chooses the values of one set. Every street starts from the set's own base."""

    def __init__(self, split: Split) -> None:
        self._is_dev = split is Split.DEV
        self.bare = self.of(
            Street(
                sales_per_day=800,
                member_share=0.11,
                price_points=14,
                free_form_share=0.12,
                skew_seconds=65,
                jitter_seconds=7,
                missing_receipt_share=0.013,
            ),
            Street(),
        )
        self.facts = replace(self.bare, till_digits_share=self.of(0.8, 0.85))

    def of(self, dev: T, held_out: T) -> T:
        """The value of this set."""
        return dev if self._is_dev else held_out

    def both(self, name: str, **changes: object) -> Cells:
        """The change on a street without card facts, and on one that prints most cards' digits."""
        yield Cell(name, replace(self.bare, **changes))  # type: ignore[arg-type]
        yield Cell(f"{name}, digits", replace(self.facts, **changes))  # type: ignore[arg-type]

    def one(self, name: str, **changes: object) -> Cell:
        """The change on a street without card facts."""
        return Cell(name, replace(self.bare, **changes))  # type: ignore[arg-type]


def groups(split: Split) -> tuple[Group, ...]:
    """Every group of the set."""
    values = _Values(split)
    return tuple(
        Group(name, title, tuple(cells(values))) for name, (title, cells) in _GROUPS.items()
    )


def _sales(v: _Values) -> Cells:
    for sales in v.of((70, 250, 1_100, 3_500), (50, 150, 600, 1_500, 5_000)):
        yield v.one(f"{sales} a day", sales_per_day=sales)
    yield from v.both(f"{v.of(350, 300)} a day", sales_per_day=v.of(350, 300))


def _members(v: _Values) -> Cells:
    for share in v.of((0.04, 0.18, 0.5), (0.02, 0.06, 0.25, 0.6)):
        yield from v.both(f"{share:.0%} members", member_share=share)


def _digits(v: _Values) -> Cells:
    for share in v.of((0.35, 0.7, 0.98), (0.25, 0.5, 0.75, 1.0)):
        yield v.one(f"on {share:.0%}", till_digits_share=share)
        registered = BankDigits.REGISTERED
        name = f"on {share:.0%}, registered cards"
        yield v.one(name, till_digits_share=share, bank_digits=registered)


def _wallets(v: _Values) -> Cells:
    for kinds in Digits:
        for share in v.of((0.15, 0.5), (0.2, 0.4, 0.6)):
            words = kinds.value.replace("_", " ")
            printed = v.of(0.9, 1.0)
            yield v.one(
                f"{share:.0%}, {words}", till_digits_share=printed, wallet_share=share, digits=kinds
            )
    half = v.of(0.45, 0.5)
    yield v.one(
        f"{v.of(0.3, 0.35):.0%}, digits on {half:.0%}, kinds unknown",
        till_digits_share=half,
        wallet_share=v.of(0.3, 0.35),
        digits=Digits.KINDS_UNKNOWN,
    )


def _codes(v: _Values) -> Cells:
    for till in v.of((0.3, 0.75, 0.97), (0.2, 0.5, 0.9, 1.0)):
        yield v.one(f"{till:.0%} of slips", till_code_share=till)
    bank, mistyped = v.of(0.7, 0.6), v.of(0.004, 0.01)
    yield v.one(f"and {bank:.0%} of payments", till_code_share=0.95, bank_code_share=bank)
    yield v.one(f"{mistyped:.1%} mistyped", till_code_share=0.95, code_mistyped_share=mistyped)


def _skew(v: _Values) -> Cells:
    for seconds in v.of((30, 150, 400), (0, 20, 200, 600)):
        yield from v.both(f"{seconds} s", skew_seconds=seconds)
    share = v.of(0.15, 0.1)
    yield from v.both(f"{share:.0%} of tills wrong by hours", hours_wrong_share=share)


def _drift(v: _Values) -> Cells:
    for seconds in v.of((15, 80), (10, 40, 120)):
        yield from v.both(f"{seconds} s a day", drift_seconds_a_day=seconds)


def _set_wrong(v: _Values) -> Cells:
    for chance, seconds in v.of(((0.08, 900), (0.15, 200)), ((0.05, 300), (0.1, 3_600), (0.3, 90))):
        name = f"{chance:.0%} a day, by {seconds} s"
        yield from v.both(name, set_wrong_a_day=chance, set_wrong_by_seconds=seconds)


def _summer_time(v: _Values) -> Cells:
    for told in (SummerTime.RIGHT, SummerTime.FORGOTTEN, SummerTime.FOLDED):
        for by_night in (True, False):
            name = f"{told.value}, open by {'night' if by_night else 'day'}"
            days = v.of(15, 14)
            if by_night:
                yield from v.both(name, summer_time=told, by_night=True, days=days)
            else:
                yield v.one(name, summer_time=told, days=days)


def _local_time(v: _Values) -> Cells:
    for share in v.of((0.25, 0.9), (0.1, 0.5, 1.0)):
        yield from v.both(f"{share:.0%} of tills", local_as_utc_share=share)
    name = "until summer time ends"
    share = v.of(0.4, 0.6)
    yield v.one(name, local_as_utc_share=share, summer_time=SummerTime.RIGHT)


def _jitter(v: _Values) -> Cells:
    for seconds in v.of((2, 14, 30, 50), (1, 4, 10, 20, 40, 60)):
        yield v.one(f"{seconds} s", jitter_seconds=seconds)
    worst = v.of(50, 60)
    yield from v.both(f"{worst} s, {v.of(180, 200)} a day", jitter_seconds=worst, sales_per_day=200)


def _shapes(v: _Values) -> Cells:
    for shape, seconds in (
        (Jitter.LAPLACE, v.of(9, 12)),
        (Jitter.EXPONENTIAL, v.of(25, 18)),
        (Jitter.BURSTS, v.of(5, 8)),
        (Jitter.MINUTES, v.of(4, 6)),
    ):
        yield from v.both(shape.value, jitter=shape, jitter_seconds=seconds)


def _tails(v: _Values) -> Cells:
    for share, mean in v.of(((0.2, 90), (0.5, 500)), ((0.15, 60), (0.1, 300), (0.4, 1_200))):
        name = f"{share:.0%} late, mean {mean} s"
        yield from v.both(name, tail_share=share, tail_seconds=mean)
    share, mean = v.of((0.7, 150), (0.9, 200))
    yield from v.both(
        "fuel: reserved first", tail_share=share, tail_seconds=mean, preauthorised=True
    )


def _popular(v: _Values) -> Cells:
    for points, free in v.of(((2, 0.05), (5, 0.0)), ((1, 0.02), (3, 0.05), (8, 0.0))):
        name = f"{points} price{'s' if points > 1 else ''}"
        yield from v.both(name, price_points=points, free_form_share=free, items_max=1)


def _tips(v: _Values) -> Cells:
    for tips in Tips:
        share = v.of(0.35, 0.5)
        yield from v.both(f"{tips.value}, {share:.0%}", tips=tips, tip_share=share)
    share = v.of(0.08, 0.12)
    yield v.one(f"untold, {share:.0%}", tips=Tips.UNTOLD, tip_share=share)


def _splits(v: _Values) -> Cells:
    for share in v.of((0.08, 0.3), (0.05, 0.2, 0.5)):
        yield from v.both(f"{share:.0%} of bills", split_share=share)


def _missing(v: _Values) -> Cells:
    for share in v.of((0.08, 0.25), (0.05, 0.15, 0.4)):
        yield from v.both(f"{share:.0%} of receipts", missing_receipt_share=share)
    for share in v.of((0.15,), (0.1, 0.3)):
        yield v.one(f"{share:.0%} of payments", missing_payment_share=share)


def _narrative(v: _Values) -> Cells:
    for stores in v.of((3, 6), (2, 4, 8)):
        yield from v.both(f"{stores} stores", stores_together=stores)
    stores = v.of(6, 8)
    yield v.one(f"{stores} stores, both name the MID", stores_together=stores, has_mids=True)


def _day_end(v: _Values) -> Cells:
    changes = {"arrival": Arrival.END_OF_DAY, "sales_per_day": v.of(500, 450)}
    yield from v.both("whole seconds", **changes)
    yield from v.both("whole minutes", jitter=Jitter.MINUTES, **changes)


def _returns(v: _Values) -> Cells:
    share = v.of(0.15, 0.1)
    for linked in v.of((0.0, 0.9), (0.0, 0.5, 1.0)):
        name = f"{linked:.0%} linked"
        yield from v.both(name, return_share=share, linked_return_share=linked)
    later = v.of(2_400, 3_600)
    yield v.one(
        f"linked, refunded {later} s later",
        return_share=share,
        linked_return_share=1.0,
        refund_later_seconds=later,
    )


def _reused(v: _Values) -> Cells:
    for fault, share in (
        (CodeFault.COUNTER, v.of(0.4, 0.25)),
        (CodeFault.STALE, v.of(0.08, 0.05)),
        (CodeFault.STALE, v.of(0.4, 0.3)),
        (CodeFault.FEW, 1.0),
    ):
        name = f"{fault.value}, {share:.0%}"
        yield v.one(name, till_code_share=v.of(0.9, 1.0), code_fault=fault, code_fault_share=share)


def _twice(v: _Values) -> Cells:
    for share, apart in v.of(((0.1, 0), (0.1, 30)), ((0.05, 0), (0.2, 0), (0.2, 90))):
        name = f"{share:.0%}, {apart} s apart"
        yield from v.both(name, sent_twice_share=share, sent_twice_apart_seconds=apart)


def _foreign(v: _Values) -> Cells:
    yield from v.both(f"{v.of(0.2, 0.3):.0%} of cards", foreign_share=v.of(0.2, 0.3))


_GROUPS: dict[str, tuple[str, Callable[[_Values], Cells]]] = {
    "sales": ("Sales per store and day", _sales),
    "members": ("Share of members", _members),
    "digits": ("Last four digits on slips", _digits),
    "wallets": ("Phones whose digits the till prints", _wallets),
    "codes": ("Auth codes", _codes),
    "skew": ("Clocks that are off", _skew),
    "drift": ("Clocks that drift", _drift),
    "set_wrong": ("Clocks set wrong for hours of a day", _set_wrong),
    "summer_time": ("The night in which summer time ends", _summer_time),
    "local_time": ("Tills that call local time UTC", _local_time),
    "jitter": ("Jitter", _jitter),
    "shapes": ("Jitter of a shape that the matcher does not assume", _shapes),
    "tails": ("Slips long after the card", _tails),
    "popular": ("One item at one price", _popular),
    "tips": ("Tips", _tips),
    "splits": ("Bills split between two cards", _splits),
    "missing": ("Missing receipts and payments", _missing),
    "narrative": ("Stores that the bank cannot tell apart", _narrative),
    "day_end": ("Files at the end of the day", _day_end),
    "returns": ("Returns and refunds", _returns),
    "reused": ("Auth codes that are not unique", _reused),
    "twice": ("One sale under two ids", _twice),
    "foreign": ("Cards in another currency", _foreign),
}
