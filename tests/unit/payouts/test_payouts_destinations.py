"""Accounts to pay to, and the envelopes in which only the paying workers find them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.personal import Personal
from chalicelib.payouts.destinations import envelope as envelopes
from chalicelib.payouts.destinations.accounts import (
    Destination,
    IbanAccount,
    SortCodeAccount,
    UnusableDestination,
    read_iban,
    read_sort_code_account,
)
from chalicelib.payouts.destinations.envelope import Envelope, EnvelopeKey, EnvelopeUnreadable
from infra.template.roles import FOLDER
from tests.architecture.sources import python_files

PRIVATE = Personal(bytes(range(32)))
KEY = EnvelopeKey(1, envelopes.public_of(PRIVATE))
ADA = Destination(SortCodeAccount("102030", "12345678"), "Ada Wren")


@pytest.mark.parametrize("sort_code", ["102030", "10-20-30", "10 20 30"])
@pytest.mark.parametrize(("number", "full"), [("12345678", "12345678"), ("123456", "00123456")])
def test_reads_numbers_as_people_write_them(sort_code: str, number: str, full: str) -> None:
    assert read_sort_code_account(sort_code, number) == SortCodeAccount("102030", full)


@pytest.mark.parametrize(
    ("sort_code", "number", "field"),
    [
        ("10203", "12345678", "sort_code"),
        ("10-2030", "12345678", "sort_code"),
        ("10.20.30", "12345678", "sort_code"),
        ("١٠٢٠٣٠", "12345678", "sort_code"),
        ("102030", "12345", "account_number"),
        ("102030", "1234567890", "account_number"),
        ("102030", "1234 5678", "account_number"),
        ("102030", "12345678\n", "account_number"),
    ],
)
def test_refuses_numbers_of_another_form(sort_code: str, number: str, field: str) -> None:
    with pytest.raises(UnusableDestination) as refused:
        read_sort_code_account(sort_code, number)

    assert refused.value.field == field


# Examples of the IBAN registry (SWIFT), which are nobody's accounts.
@pytest.mark.parametrize(
    "text", ["GB29 NWBK 6016 1331 9268 19", "de89370400440532013000", "IE29AIBK93115212345678"]
)
def test_reads_ibans_with_spaces_and_in_small_letters(text: str) -> None:
    assert read_iban(text) == IbanAccount(text.replace(" ", "").upper())


@pytest.mark.parametrize(
    "text",
    [
        "GB29 NWBK 6016 1331 9268 18",
        "GB29NWBK6016133192681",
        "XX29NWBK60161331926819",
        "GB29NWBK60161331926819GB29NWBK60161331926819",
        "GB29-NWBK-6016-1331-9268-19",
        "",
        "ＧＢ29NWBK60161331926819",
    ],
)
def test_refuses_what_is_no_iban_of_its_country(text: str) -> None:
    with pytest.raises(UnusableDestination) as refused:
        read_iban(text)

    assert refused.value.field == "iban"


@pytest.mark.parametrize("holder", ["", " ", "a" * 71, "Ada\nWren"])
def test_refuses_a_holder_without_a_name(holder: str) -> None:
    with pytest.raises(UnusableDestination) as refused:
        Destination(ADA.account, holder)

    assert refused.value.field == "holder"


@pytest.mark.requirement("LOY-04")
def test_prints_as_dots_and_shows_four_digits_at_most() -> None:
    iban = Destination(IbanAccount("DE89370400440532013000"), "Ada Wren")

    printed = (
        f"{ADA!r} {ADA.account!r} {iban!r} {iban.account} {envelopes._Inside('Ada', '102030')}"
    )

    assert [ADA.shown, iban.shown] == ["5678", "3000"]
    for secret in ("1020", "1234", "Ada", "DE89"):
        assert secret not in printed


holders = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")),
    min_size=1,
    max_size=70,
)
accounts = st.one_of(
    st.builds(
        SortCodeAccount,
        st.from_regex(r"[0-9]{6}", fullmatch=True),
        st.from_regex(r"[0-9]{8}", fullmatch=True),
    ),
    st.just(IbanAccount("MT84MALT011000012345MTLCAST001S")),
)


@given(st.builds(Destination, accounts, holders))
def test_opens_what_was_closed_and_every_envelope_has_one_length(destination: Destination) -> None:
    closed = envelopes.close(destination, KEY, owner="member-1")

    assert envelopes.open_envelope(closed, PRIVATE, owner="member-1") == destination
    assert len(closed.closed) == len(envelopes.close(ADA, KEY, owner="member-1").closed)


def test_opens_for_nobody_else_under_no_other_key_and_not_when_altered() -> None:
    closed = envelopes.close(ADA, KEY, owner="member-1")
    altered = Envelope(1, closed.closed[:-1] + bytes([closed.closed[-1] ^ 1]))
    attempts = (
        (closed, PRIVATE, "member-2"),
        (closed, Personal(bytes(range(1, 33))), "member-1"),
        (altered, PRIVATE, "member-1"),
        (Envelope(1, b""), PRIVATE, "member-1"),
    )

    for envelope, private, owner in attempts:
        with pytest.raises(EnvelopeUnreadable):
            envelopes.open_envelope(envelope, private, owner=owner)


def test_the_same_destination_is_closed_differently_each_time() -> None:
    first, second = (envelopes.close(ADA, KEY, owner="member-1") for _ in range(2))

    assert first != second


@pytest.mark.requirement("LOY-04")
def test_only_the_paying_workers_may_read_the_keys_of_envelopes_and_rails() -> None:
    may_read = {
        path.stem
        for path in FOLDER.glob("*.json")
        for statement in json.loads(path.read_text())["Statement"]
        if any(name in str(statement["Resource"]) for name in ("payout-envelope-keys", "/paying/"))
    }

    assert may_read == {"send_payouts", "look_up_payouts"}


@pytest.mark.requirement("LOY-04")
def test_only_payouts_and_their_own_routes_know_destinations() -> None:
    inside = "chalicelib.payouts.destinations"
    allowed = {
        "chalicelib/api/payouts.py",
        "chalicelib/privacy/leaving.py",
        "chalicelib/privacy/register.py",
    }

    knowing = {
        source.path
        for source in python_files()
        if source.is_in("chalicelib/") and not source.is_in("chalicelib/payouts/")
        for _, name in source.imports()
        if name.startswith(inside)
    }
    opening = {
        source.path
        for source in python_files()
        if source.is_in("chalicelib/", "infra/") and "destinations.open_envelope" in source.text
    }
    naming = {
        source.path
        for source in python_files()
        if source.is_in("chalicelib/", "infra/") and "leavers.open_name" in source.text
    }

    assert knowing <= allowed
    assert opening == {"chalicelib/payouts/filing.py", "chalicelib/payouts/sending.py"}
    assert naming == {"chalicelib/payouts/sending.py"}
