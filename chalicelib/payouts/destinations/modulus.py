"""Whether a UK account number can exist at its sort code: the published modulus check.

The method is VocaLink's "Validating Account Numbers" (the scheme that Bacs and Faster Payments
refer to): up to two weighted sums per range of sort codes, with fourteen numbered exceptions. The
weights are published as two text files that change some times a year and are not ours to ship; an
operator supplies them. A sort code that no range covers cannot be checked and passes.

Positions are named as in the paper: `u v w x y z` are the sort code's digits, `a` to `h` the
account number's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from chalicelib.kernel.refusals import Malformed

POSITIONS = 14
ROWS_MAX = 5_000  # The published table has some 1,100.
CHECKS_PER_SORT_CODE_MAX = 2

_A, _B, _C, _G, _H = 6, 7, 8, 12, 13
_ROW = re.compile(r"([0-9]{6})\s+([0-9]{6})\s+(MOD10|MOD11|DBLAL)((?:\s+-?[0-9]{1,3}){14})\s*(\d*)")
_SUBSTITUTE = re.compile(r"([0-9]{6})\s+([0-9]{6})")
# Exceptions whose two checks are alternatives: passing one is enough.
_EITHER = {(2, 9), (10, 11), (12, 13)}
_SORT_CODE_OF_EXCEPTION = {8: "090126", 9: "309634"}
_WEIGHTS_OF_EXCEPTION_2 = (0, 0, 1, 2, 5, 3, 6, 4, 8, 7, 10, 9, 3, 1)
_WEIGHTS_OF_EXCEPTION_2_AT_9 = (0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 10, 9, 3, 1)
_EXCEPTION_MAX = 14


class Method(Enum):
    """How products of digits and weights become a sum, and what divides it."""

    MOD10 = "MOD10"
    MOD11 = "MOD11"
    DBLAL = "DBLAL"  # double alternate: the digits of the products are added, and ten divides


@dataclass(frozen=True, slots=True)
class Weights:
    """One line of the weights table: sort codes `first` to `last`, and what is done with them."""

    first: str
    last: str
    method: Method
    weights: tuple[int, ...]
    exception: int = 0


@dataclass(frozen=True, slots=True)
class ModulusTable:
    """The two published tables. `substitutes` maps sort codes for exception 5."""

    rows: tuple[Weights, ...]
    substitutes: Mapping[str, str]

    def checks_of(self, sort_code: str) -> tuple[Weights, ...]:
        """The checks of `sort_code` in their order, at most two."""
        found = (row for row in self.rows if row.first <= sort_code <= row.last)
        return tuple(found)[:CHECKS_PER_SORT_CODE_MAX]


def parse_table(weights: str, substitutes: str = "") -> ModulusTable:
    """The table of the two published text files (`valacdos` and `scsubtab`).

    :raises Malformed: a line is none of theirs; `field` says which.
    """
    rows = tuple(
        _parse_row(line, f"weights line {number}") for number, line in _numbered_lines(weights)
    )
    if not 0 < len(rows) <= ROWS_MAX:
        raise Malformed("the table of weights has no lines, or too many", field="weights")
    pairs = (
        _parse_substitute(line, f"substitutes line {number}")
        for number, line in _numbered_lines(substitutes)
    )
    return ModulusTable(rows, dict(pairs))


def is_possible(sort_code: str, account_number: str, table: ModulusTable) -> bool:
    """Whether an account of these numbers (six and eight digits) can exist, as far as is known."""
    checks = table.checks_of(sort_code)
    digits = tuple(int(digit) for digit in sort_code + account_number)
    if not checks or _is_foreign(checks, digits):
        return True
    passed = _passes(checks[0], digits, table)
    if len(checks) == 1:
        return passed
    second = checks[1]
    if (checks[0].exception, second.exception) in _EITHER:
        return passed or _passes(second, digits, table)
    if not passed or (second.exception == 3 and digits[_C] in (6, 9)):
        return passed
    return _passes(second, digits, table)


def _is_foreign(checks: tuple[Weights, ...], digits: tuple[int, ...]) -> bool:
    """Exception 6: accounts in foreign currency, which cannot be checked."""
    marked = any(check.exception == 6 for check in checks)
    return marked and 4 <= digits[_A] <= 8 and digits[_G] == digits[_H]


def _passes(check: Weights, digits: tuple[int, ...], table: ModulusTable) -> bool:
    digits = _with_sort_code(check, digits, table)
    total = _total(_weighted(check, digits), digits)
    if check.exception == 1:
        total += 27
    remainder = total % (11 if check.method is Method.MOD11 else 10)
    match check.exception:
        case 4:
            return remainder == 10 * digits[_G] + digits[_H]
        case 5:
            return _passes_exception_5(check.method, remainder, digits)
        case 14:
            return remainder == 0 or _passes_exception_14(check, digits)
    return remainder == 0


def _with_sort_code(
    check: Weights, digits: tuple[int, ...], table: ModulusTable
) -> tuple[int, ...]:
    """The digits with the sort code that exceptions 5, 8 and 9 put in place of the account's."""
    own = "".join(str(digit) for digit in digits[:_A])
    wanted = _SORT_CODE_OF_EXCEPTION.get(check.exception, own)
    if check.exception == 5:
        wanted = table.substitutes.get(own, own)
    return (*(int(digit) for digit in wanted), *digits[_A:])


def _weighted(check: Weights, digits: tuple[int, ...]) -> Weights:
    """The check with the weights that exceptions 2, 7 and 10 put in place of its own."""
    a, b, g = digits[_A], digits[_B], digits[_G]
    if check.exception == 2 and a != 0:
        other = _WEIGHTS_OF_EXCEPTION_2_AT_9 if g == 9 else _WEIGHTS_OF_EXCEPTION_2
        return replace(check, weights=other)
    without_branch = check.exception == 7 or (check.exception == 10 and (a, b) in ((0, 9), (9, 9)))
    if without_branch and g == 9:
        return replace(check, weights=(0,) * (_B + 1) + check.weights[_B + 1 :])
    return check


def _total(check: Weights, digits: tuple[int, ...]) -> int:
    products = [weight * digit for weight, digit in zip(check.weights, digits, strict=True)]
    if check.method is Method.DBLAL:
        return sum(product // 10 + product % 10 for product in products)
    return sum(products)


def _passes_exception_5(method: Method, remainder: int, digits: tuple[int, ...]) -> bool:
    """The remainder is held against one check digit: `g` in the first check, `h` in the second."""
    if method is Method.MOD11:
        return remainder != 1 and (11 - remainder) % 11 == digits[_G]
    return (10 - remainder) % 10 == digits[_H]


def _passes_exception_14(check: Weights, digits: tuple[int, ...]) -> bool:
    """Once more with the account number moved to the right, where `h` is 0, 1 or 9."""
    if digits[_H] not in (0, 1, 9):
        return False
    moved = (*digits[:_A], 0, *digits[_A:_H])
    return _total(check, moved) % 11 == 0


def _numbered_lines(text: str) -> list[tuple[int, str]]:
    numbered = enumerate(text.replace("\x1a", "").splitlines(), start=1)
    return [(number, line.strip()) for number, line in numbered if line.strip()]


def _parse_row(line: str, place: str) -> Weights:
    found = _ROW.fullmatch(line)
    if found is None or int(found[5] or 0) > _EXCEPTION_MAX:
        raise Malformed("a line is not one of the published table", field=place)
    weights = tuple(int(weight) for weight in found[4].split())
    return Weights(found[1], found[2], Method(found[3]), weights, int(found[5] or 0))


def _parse_substitute(line: str, place: str) -> tuple[str, str]:
    found = _SUBSTITUTE.fullmatch(line)
    if found is None:
        raise Malformed("a line is not one of the published table", field=place)
    return found[1], found[2]
