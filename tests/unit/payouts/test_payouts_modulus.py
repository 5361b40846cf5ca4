"""The modulus check: each method and each of the fourteen exceptions, on a table that is invented.

Numbers were found by hand from the published rules; the weights of ranges are ours.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.refusals import Malformed
from chalicelib.payouts.destinations.modulus import ModulusTable, is_possible, parse_table

TABLE = """
010000 010099 MOD10    0    0    0    0    0    0    7    1    3    7    1    3    7    1
020000 020099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1
030000 030099 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1
040000 040099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1
040000 040099 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1
110000 110099 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1   1
120000 120099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1   2
120000 120099 MOD11    0    0    0    0    0    1    8    7    6    5    4    3    2    1   9
130000 130099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1
130000 130099 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1   3
140000 140099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    0    0   4
150000 150099 MOD11    7    6    5    4    3    2    7    6    5    4    3    2    0    0   5
150000 150099 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    0   5
160000 160099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1   6
160000 160099 DBLAL    2    1    2    1    2    1    2    1    2    1    2    1    2    1   6
170000 170099 MOD11    1    1    1    1    1    1    8    7    6    5    4    3    2    1   7
180000 180099 MOD11    1    2    3    4    5    6    8    7    6    5    4    3    2    1   8
200000 200099 MOD11    1    1    1    1    1    1    8    7    6    5    4    3    2    1  10
200000 200099 MOD10    0    0    0    0    0    0    7    1    3    7    1    3    7    1  11
220000 220099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1  12
220000 220099 MOD10    0    0    0    0    0    0    7    1    3    7    1    3    7    1  13
240000 240099 MOD11    0    0    0    0    0    0    8    7    6    5    4    3    2    1  14
"""
SUBSTITUTES = "150001 150050\n"


@pytest.fixture(scope="module")
def table() -> ModulusTable:
    return parse_table(TABLE, SUBSTITUTES)


@pytest.mark.parametrize(
    ("sort_code", "account", "possible", "why"),
    [
        ("990000", "12345678", True, "no range covers the sort code"),
        # 7+2+9+28+5+18+49 = 118 before the last digit
        ("010050", "12345672", True, "MOD10: 118 and 2 are 120"),
        ("010050", "12345673", False, "MOD10: 121"),
        ("020050", "12345679", True, "MOD11: 112 and 9 are 121"),
        ("020050", "12345670", False, "MOD11: 112"),
        # 3 and 1+0 of the sort code, then 2+2+6+4+(1+0)+6+(1+4): 30 before the last digit
        ("030050", "12345670", True, "DBLAL: 30"),
        ("030050", "12345671", False, "DBLAL: 31"),
        ("040050", "12345679", True, "both checks: 121 by MOD11 and 40 by DBLAL"),
        ("040051", "12345679", False, "MOD11 passes, DBLAL does not: 41"),
        ("040051", "12345678", False, "DBLAL passes, MOD11 does not: 120"),
    ],
)
def test_checks_by_each_method(
    table: ModulusTable, sort_code: str, account: str, possible: bool, why: str
) -> None:
    assert is_possible(sort_code, account, table) is possible, why


def _dblal(sort_code: str, account: str) -> int:
    """Double alternate by hand: products by 2 and 1 in turn, their digits added."""
    total = 0
    for place, digit in enumerate(sort_code + account):
        total += sum(map(int, str(int(digit) * (1 if place % 2 else 2))))
    return total


def _eight_to_one(account: str) -> int:
    return sum((8 - place) * int(digit) for place, digit in enumerate(account))


numbers = st.integers(0, 99_999_999).map(lambda number: f"{number:08}")


@given(numbers)
def test_passes_both_checks_or_neither_counts(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)

    expected = _eight_to_one(account) % 11 == 0 and _dblal("040050", account) % 10 == 0

    assert is_possible("040050", account, table) is expected


@given(numbers)
def test_exception_1_adds_27(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)

    assert is_possible("110050", account, table) is ((_dblal("110050", account) + 27) % 10 == 0)


@given(numbers)
def test_exceptions_2_and_9_are_alternatives_with_weights_and_sort_code_of_their_own(
    account: str,
) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    a, g = account[0], account[6]
    digits = [int(digit) for digit in "120050" + account]
    weights = [0] * 6 + [8, 7, 6, 5, 4, 3, 2, 1]
    if a != "0":
        weights = [0, 0, 1, 2, 5, 3, 6, 4, 8, 7, 10, 9, 3, 1]
        if g == "9":
            weights = [0] * 8 + [8, 7, 10, 9, 3, 1]
    first = sum(w * d for w, d in zip(weights, digits, strict=True)) % 11 == 0
    # 309634 ends in 4, which the second line weighs with 1.
    second = (4 + _eight_to_one(account)) % 11 == 0

    assert is_possible("120050", account, table) is (first or second)


@given(numbers)
def test_exception_3_leaves_the_second_check_out_for_some_accounts(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    passes = _eight_to_one(account) % 11 == 0
    if account[2] not in "69":
        passes = passes and _dblal("130050", account) % 10 == 0

    assert is_possible("130050", account, table) is passes


@given(numbers)
def test_exception_4_holds_the_remainder_against_the_last_two_digits(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    weights = (8, 7, 6, 5, 4, 3, 0, 0)
    remainder = sum(w * int(d) for w, d in zip(weights, account, strict=True)) % 11

    assert is_possible("140050", account, table) is (remainder == int(account[6:]))


@given(numbers, st.sampled_from(["150050", "150001", "150002"]))
def test_exception_5_holds_each_remainder_against_a_digit_of_its_own(
    account: str, sort_code: str
) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    used = {"150001": "150050"}.get(sort_code, sort_code)
    digits = [int(digit) for digit in used + account]
    weights = [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 0, 0]
    eleven = sum(w * d for w, d in zip(weights, digits, strict=True)) % 11
    first = {0: 0, 1: None}.get(eleven, 11 - eleven) == digits[12]
    ten = (
        sum(sum(map(int, str(d * w))) for d, w in zip(digits, [2, 1] * 6 + [2, 0], strict=True))
        % 10
    )
    second = (0 if ten == 0 else 10 - ten) == digits[13]

    assert is_possible(sort_code, account, table) is (first and second)


@pytest.mark.parametrize(
    ("account", "is_foreign"),
    [("41011166", True), ("80000099", True), ("31011166", False), ("91011166", False)],
)
def test_exception_6_lets_accounts_in_foreign_currency_pass(
    table: ModulusTable, account: str, is_foreign: bool
) -> None:
    fails = _eight_to_one(account) % 11 != 0

    assert fails
    assert is_possible("160050", account, table) is is_foreign


@given(numbers)
def test_exception_7_leaves_sort_code_and_branch_out_for_some_accounts(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    branch = sum(map(int, "170050")) + 8 * int(account[0]) + 7 * int(account[1])
    rest = _eight_to_one("00" + account[2:])
    total = rest if account[6] == "9" else branch + rest

    assert is_possible("170050", account, table) is (total % 11 == 0)


@given(numbers)
def test_exception_8_checks_with_the_sort_code_090126(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    branch = sum(w * int(d) for w, d in zip(range(1, 7), "090126", strict=True))

    assert is_possible("180050", account, table) is ((branch + _eight_to_one(account)) % 11 == 0)


@given(
    st.one_of(numbers, numbers.map(lambda n: f"{n[0] if n[0] in '09' else '0'}9{n[2:6]}9{n[7]}"))
)
def test_exceptions_10_and_11_are_alternatives(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    branch = sum(map(int, "200050")) + 8 * int(account[0]) + 7 * int(account[1])
    without = account[:2] in ("09", "99") and account[6] == "9"
    first = (_eight_to_one("00" + account[2:]) + (0 if without else branch)) % 11 == 0
    weights = (7, 1, 3, 7, 1, 3, 7, 1)
    second = sum(w * int(d) for w, d in zip(weights, account, strict=True)) % 10 == 0

    assert is_possible("200050", account, table) is (first or second)


@given(numbers)
def test_exceptions_12_and_13_are_alternatives(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    weights = (7, 1, 3, 7, 1, 3, 7, 1)
    ten = sum(w * int(d) for w, d in zip(weights, account, strict=True)) % 10 == 0

    assert is_possible("220050", account, table) is (_eight_to_one(account) % 11 == 0 or ten)


@given(numbers)
def test_exception_14_tries_again_with_the_number_moved_to_the_right(account: str) -> None:
    table = parse_table(TABLE, SUBSTITUTES)
    passes = _eight_to_one(account) % 11 == 0
    if account[7] in "019":
        passes = passes or _eight_to_one("0" + account[:7]) % 11 == 0

    assert is_possible("240050", account, table) is passes


def test_reads_the_published_form_with_its_end_of_file_mark_and_odd_spaces() -> None:
    table = parse_table("  010000\t010099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1 \r\n\n\x1a", "")

    assert [(row.first, row.last, row.exception) for row in table.rows] == [("010000", "010099", 0)]


@pytest.mark.parametrize(
    ("weights", "substitutes", "place"),
    [
        ("", "", "weights"),
        ("010000 010099 MOD12 0 0 0 0 0 0 8 7 6 5 4 3 2 1", "", "weights line 1"),
        ("\n010000 010099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2", "", "weights line 2"),
        ("010000 010099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1 15", "", "weights line 1"),
        ("010000 010099 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1", "1500", "substitutes line 1"),
    ],
)
def test_refuses_what_is_not_the_published_form(weights: str, substitutes: str, place: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_table(weights, substitutes)

    assert refused.value.field == place


@pytest.mark.parametrize(
    ("sort_code", "account", "possible"),
    [
        ("089999", "66374958", True),
        ("089999", "66374959", False),
        ("107999", "88837491", True),
        ("107999", "88837493", False),
        ("938611", "07806039", True),
        ("180002", "00000190", True),
    ],
)
def test_agrees_with_worked_examples_of_the_paper(
    sort_code: str, account: str, possible: bool
) -> None:
    """The paper gives the account and the answer; the weights are those that its lines carry."""
    lines = """
    089000 089999 MOD10 0 0 0 0 0 0 7 1 3 7 1 3 7 1
    107999 107999 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1
    180002 180002 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1 14
    938600 938611 MOD11 7 6 5 4 3 2 7 6 5 4 3 2 0 0 5
    938600 938611 DBLAL 2 1 2 1 2 1 2 1 2 1 2 1 2 0 5
    """

    assert is_possible(sort_code, account, parse_table(lines)) is possible
