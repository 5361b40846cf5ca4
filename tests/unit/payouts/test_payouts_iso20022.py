"""Payment files that the ISO schema takes, and reports that a maintained library wrote."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import ConnectionId
from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import Malformed, TooLarge
from chalicelib.payouts.destinations.accounts import Destination, IbanAccount, SortCodeAccount
from chalicelib.payouts.model import Accepted, Executed, Failed, Outcome, Reported, Returned
from chalicelib.payouts.rails import iso_reports, iso_text, pain001
from chalicelib.payouts.rails.iso_orders import FileStillOpen, check_closed, file_day
from chalicelib.payouts.rails.iso_reports import FileReported, Unread, read_report
from chalicelib.payouts.rails.model import PayingAccount, Rail
from chalicelib.payouts.rails.pain001 import Transfer, make_files, message_id_of
from tests.makers.bank_reports import entry, notification, read_file, status, status_report

BANK = ConnectionId("harbour-bank")
POUNDS = PayingAccount(
    BANK, "GBP", Rail.ISO20022, account="204060 55779911", holder="Cashback Ltd", bic="MIDLGB22"
)
EUROS = PayingAccount(
    BANK, "EUR", Rail.ISO20022, account="IE29AIBK93115212345678", holder="Cashback Ltd"
)
DAY = date(2026, 12, 2)
MADE_AT = datetime(2026, 12, 2, 15, 30, tzinfo=UTC)
BOOKED_AT = datetime(2026, 12, 3, tzinfo=UTC)
PAYOUT, OTHER = f"20261202{'a' * 18}", f"20261202{'b' * 18}"
FILE = message_id_of(POUNDS, DAY, 1)
OUT, BACK = "DBIT", "CRDT"


def transfer(payout_id: str = PAYOUT, minor: int = 500, currency: str = "GBP") -> Transfer:
    sort_code, iban = SortCodeAccount("102030", "12345678"), IbanAccount("DE89370400440532013000")
    to = Destination(sort_code if currency == "GBP" else iban, "Ada Wren")
    return Transfer(payout_id, Money(minor, currency), to, "CASHBACK AAAAAAAA")


def test_a_file_in_pounds_is_valid_and_says_what_is_paid() -> None:
    [made] = make_files(POUNDS, DAY, [[transfer(OTHER, 1), transfer(PAYOUT, 123_456)]])

    read = read_file(made.content).cstmr_cdt_trf_initn
    head, [block] = read.grp_hdr, read.pmt_inf
    assert (made.message_id, made.name, made.payments) == (FILE, f"{FILE}.xml", 2)
    assert made.total == Money(123_457, "GBP")
    assert (head.msg_id, head.nb_of_txs, head.ctrl_sum) == (FILE, "2", Decimal("1234.57"))
    assert (block.nb_of_txs, block.ctrl_sum) == ("2", Decimal("1234.57"))
    assert str(block.reqd_exctn_dt.dt) == "2026-12-02"
    assert block.dbtr_acct.id.othr.id == "55779911"
    assert block.dbtr_agt.fin_instn_id.bicfi == "MIDLGB22"
    paid = [
        (
            one.pmt_id.end_to_end_id,
            one.amt.instd_amt.value,
            one.amt.instd_amt.ccy,
            one.cdtr.nm,
            one.cdtr_agt.fin_instn_id.clr_sys_mmb_id.mmb_id,
            one.cdtr_acct.id.othr.id,
            one.rmt_inf.ustrd,
        )
        for one in block.cdt_trf_tx_inf
    ]
    common = ("GBP", "Ada Wren", "102030", "12345678", ["CASHBACK AAAAAAAA"])
    assert paid == [
        (PAYOUT, Decimal("1234.56"), *common),
        (OTHER, Decimal("0.01"), *common),
    ]


def test_a_file_in_euros_is_a_sepa_transfer_by_iban() -> None:
    [made] = make_files(EUROS, DAY, [[transfer(currency="EUR")]])

    [block] = read_file(made.content).cstmr_cdt_trf_initn.pmt_inf
    [paid] = block.cdt_trf_tx_inf
    assert block.pmt_tp_inf.svc_lvl[0].cd == "SEPA"
    assert block.chrg_br.value == "SLEV"
    assert block.dbtr_acct.id.iban == "IE29AIBK93115212345678"
    assert block.dbtr_agt.fin_instn_id.othr.id == "NOTPROVIDED"
    assert paid.cdtr_acct.id.iban == "DE89370400440532013000"
    assert paid.cdtr_agt is None


def test_the_same_payments_give_the_same_bytes_in_whatever_order() -> None:
    first = make_files(POUNDS, DAY, [[transfer(PAYOUT), transfer(OTHER)]])
    again = make_files(POUNDS, DAY, [[transfer(OTHER), transfer(PAYOUT)]])

    assert first == again


@given(st.text(max_size=200), st.text(min_size=1, max_size=70).filter(str.strip))
def test_any_name_and_reference_fit_the_characters_of_banks(said: str, name: str) -> None:
    latin = iso_text.to_latin(name, characters_max=70)
    reference = iso_text.to_latin(said, characters_max=140)

    for text in (latin, reference):
        assert 0 < len(text) <= 140
        assert text == text.strip()
        assert set(text) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ "
        )


def test_spells_names_as_near_as_it_can() -> None:
    names = ["Łukasz Żółć", "Søren Æbeltoft", "Müller & Söhne", "Đorđe", "ﬁnn", "李小龍", "O’Neill"]

    assert [iso_text.to_latin(name, characters_max=70) for name in names] == [
        "Lukasz Zolc",
        "Soren AEbeltoft",
        "Muller + Sohne",
        "Dorde",
        "finn",
        "...",
        "O'Neill",
    ]


def test_ten_thousand_payments_make_a_file_and_the_next_another() -> None:
    ids = [f"20261202{n:018}" for n in range(10_001)]

    parts = pain001.parts_of(ids)

    assert [len(part) for part in parts] == [10_000, 1]
    assert pain001.part_of(message_id_of(POUNDS, DAY, 2), ids) == [ids[-1]]
    assert pain001.part_of(message_id_of(POUNDS, DAY, 3), ids) == ()


def test_a_files_id_leads_back_to_account_and_day() -> None:
    assert iso_text.is_identifier(FILE)
    assert len(FILE) <= iso_text.IDENTIFIER_CHARACTERS_MAX
    assert pain001.account_of(FILE, [EUROS, POUNDS]) == POUNDS
    assert pain001.day_of(FILE) == DAY
    for other in ("", "CF20261202--1", "CF2026120X-aaaaaaaaaaaa-1", "somebody-elses-1"):
        assert pain001.account_of(other, [EUROS, POUNDS]) is None


def test_refuses_to_pay_from_what_is_no_account() -> None:
    account = PayingAccount(BANK, "GBP", Rail.ISO20022, account="55779911", holder="Cashback")

    with pytest.raises(pain001.UnusableDebtor):
        make_files(account, DAY, [[transfer()]])


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 12, 2, 11, 59, 59, tzinfo=UTC), date(2026, 12, 2)),
        (datetime(2026, 12, 2, 12, tzinfo=UTC), date(2026, 12, 3)),
        (datetime(2027, 12, 31, 23, tzinfo=UTC), date(2028, 1, 1)),
        (datetime(2028, 2, 29, 13, tzinfo=UTC), date(2028, 3, 1)),
    ],
)
def test_the_file_of_a_day_ends_at_noon(at: datetime, day: date) -> None:
    assert file_day(at) == day


def test_no_file_is_made_before_every_worker_of_its_day_is_over() -> None:
    with pytest.raises(FileStillOpen):
        check_closed(DAY, now=datetime(2026, 12, 2, 12, 9, 59, tzinfo=UTC))

    check_closed(DAY, now=datetime(2026, 12, 2, 12, 10, tzinfo=UTC))


REFUSED = Failed("AC04", is_final=True)


@pytest.mark.parametrize("message", ["pain.002.001.03", "pain.002.001.12"])
@pytest.mark.parametrize(
    ("word", "reason", "outcome"),
    [
        ("RJCT", "AC04", REFUSED),
        ("RJCT", "", Failed("not_said", is_final=True)),
        ("ACSC", "", Executed(PAYOUT, MADE_AT)),
        ("ACSP", "", Accepted(PAYOUT)),
        ("PDNG", "", Accepted(PAYOUT)),
        ("ACTC", "", Accepted(PAYOUT)),
    ],
)
def test_reads_the_status_of_a_payment(
    message: str, word: str, reason: str, outcome: Outcome
) -> None:
    report = status_report(status(PAYOUT, word, reason=reason), message=message)

    assert read_report(report) == (Reported("STS-1", "iso20022", PAYOUT, outcome, None, MADE_AT),)


@pytest.mark.parametrize("word", ["CANC", "BLCK", "ACCC"])
def test_reads_the_words_of_newer_versions(word: str) -> None:
    [line] = read_report(status_report(status(PAYOUT, word)))

    expected = Executed(PAYOUT, MADE_AT) if word == "ACCC" else Failed("not_said", is_final=True)
    assert line.outcome == expected


def test_a_refused_file_is_a_refusal_of_all_its_payments() -> None:
    why = {"StsRsnInf": [{"Rsn": {"Cd": "AM05"}}]}
    whole = status_report(of=FILE, group={"GrpSts": "RJCT", **why})
    block = status_report(of=FILE, block={"PmtInfSts": "RJCT", **why})

    line = FileReported("STS-1", FILE, Failed("AM05", is_final=True), MADE_AT)
    assert read_report(whole) == (line,)
    assert read_report(block) == (line,)


def test_a_refused_block_says_nothing_of_a_payment_that_is_named_by_itself() -> None:
    lines = read_report(status_report(status(PAYOUT, "ACSC"), of=FILE, block={"PmtInfSts": "RJCT"}))

    assert lines == (
        Reported("STS-1", "iso20022", PAYOUT, Executed(PAYOUT, MADE_AT), None, MADE_AT),
        FileReported(
            "STS-1",
            FILE,
            Failed("not_said", is_final=True),
            MADE_AT,
            named=frozenset({PAYOUT}),
        ),
    )


@pytest.mark.parametrize("word", ["ACCP", "ACSP", "PART", "ACTC"])
def test_a_file_that_was_taken_says_nothing_of_a_single_payment(word: str) -> None:
    assert read_report(status_report(of=FILE, group={"GrpSts": word})) == ()


def reported(payout_id: str, outcome: Outcome, minor: int, line: str = "NTF-1") -> Reported:
    amount = Money(minor, "GBP")
    return Reported(line, "iso20022", payout_id, outcome, amount, BOOKED_AT, line)


def test_reads_debits_returns_and_nothing_that_is_only_pending() -> None:
    report = notification(
        entry((PAYOUT, "5.00"), (OTHER, "7.25")),
        entry((PAYOUT, "5.00"), direction=BACK, returned="AC04"),
        entry((OTHER, "7.25"), is_booked=False, direction=BACK, returned="AC04"),
        entry(("NOTPROVIDED", "1.00")),
    )

    assert read_report(report) == (
        reported(PAYOUT, Executed(PAYOUT, BOOKED_AT), 500),
        reported(OTHER, Executed(OTHER, BOOKED_AT), 725),
        reported(PAYOUT, Returned("AC04", BOOKED_AT), 500, "NTF-1/2"),
    )


def test_a_credit_is_a_return_though_nothing_says_why() -> None:
    [line] = read_report(notification(entry((PAYOUT, "5.00"), direction=BACK)))

    assert line == reported(PAYOUT, Returned("not_said", BOOKED_AT), 500)


def test_a_reversal_is_what_its_direction_says() -> None:
    debit, credit, undone = (entry((PAYOUT, "5.00"), direction=to) for to in (OUT, BACK, OUT))
    credit["RvslInd"] = undone["RvslInd"] = True  # The debit was reversed, then that was.

    assert read_report(notification(debit, credit, undone)) == (
        reported(PAYOUT, Executed(PAYOUT, BOOKED_AT), 500),
        reported(PAYOUT, Returned("not_said", BOOKED_AT), 500, "NTF-1/2"),
        reported(PAYOUT, Executed(PAYOUT, BOOKED_AT), 500, "NTF-1/3"),
    )


def test_an_entry_that_does_not_say_which_way_the_money_went_is_not_guessed() -> None:
    report = notification(entry((PAYOUT, "5.00")))

    assert read_report(report.replace(b"DBIT", b"BOTH")) == (Unread("NTF-1", PAYOUT, "CdtDbtInd"),)


def test_a_debit_is_known_by_the_banks_reference_and_without_one_by_its_place() -> None:
    first, again, other = (entry((PAYOUT, "5.00")) for _ in range(3))
    first["AcctSvcrRef"] = again["AcctSvcrRef"] = "B-1"
    other["AcctSvcrRef"] = "B-2"

    lines = read_report(notification(first, again, other, entry((PAYOUT, "5.00"))))

    assert [(line.report_id, line.booking) for line in lines] == [
        ("NTF-1", "B-1"),
        ("NTF-1/2", "B-1/2"),
        ("NTF-1/3", "B-2"),
        ("NTF-1/4", "NTF-1/4"),
    ]


def test_a_reference_of_the_payment_stands_where_its_entry_has_none() -> None:
    debit = entry((PAYOUT, "5.00"))
    debit["NtryDtls"][0]["TxDtls"][0]["Refs"]["AcctSvcrRef"] = "B-7"

    [line] = read_report(notification(debit))

    assert (line.report_id, line.booking) == ("NTF-1", "B-7")


@pytest.mark.parametrize("old", ["camt.054.001.02", "camt.054.001.06"])
def test_reads_the_old_versions_where_a_status_is_a_text(old: str) -> None:
    report = notification(
        entry((PAYOUT, "5.00"), message=old),
        entry((OTHER, "5.00"), is_booked=False, message=old),
        message=old,
    )

    assert read_report(report) == (reported(PAYOUT, Executed(PAYOUT, BOOKED_AT), 500),)


def test_a_debit_of_a_whole_file_is_of_each_of_its_payments() -> None:
    executed, total = Executed("", BOOKED_AT), Money(1_000, "GBP")
    assert read_report(notification(entry(batch=FILE))) == (
        FileReported("NTF-1", FILE, executed, BOOKED_AT, total, booking="NTF-1"),
    )


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"CSV;not;xml",
        b"<Document>",
        b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'/>",
        b"<Document/>",
        BOMB,
        OUTSIDE,
        BOMB.decode().encode("utf-16"),
        b"<?xml version='1.0' encoding='no-such'?><a/>",
        b"\x00\xff",
    ],
)
def test_refuses_what_is_no_report_and_looks_at_no_document_type(content: bytes) -> None:
    with pytest.raises(Malformed):
        read_report(content)


def test_refuses_a_report_of_more_than_fifty_megabytes() -> None:
    with pytest.raises(TooLarge):
        read_report(b" " * (iso_reports.REPORT_BYTES_MAX + 1))


@given(st.binary(max_size=300))
def test_reads_or_refuses_any_bytes(content: bytes) -> None:
    with pytest.raises(Malformed):
        read_report(content)


@pytest.mark.parametrize(("value", "currency"), [("5.001", "GBP"), ("5", "XXX"), ("5.5", "JPY")])
def test_an_amount_that_is_none_of_its_currency_does_not_lose_the_other_lines(
    value: str, currency: str
) -> None:
    odd = entry(("RENT 12", "5.00"))
    odd["NtryDtls"][0]["TxDtls"][0]["Amt"] = {"value": value, "Ccy": currency}

    lines = read_report(notification(odd, entry((PAYOUT, "5.00"))))

    assert lines == (
        Unread("NTF-1", "RENT 12", "Amt"),
        reported(PAYOUT, Executed(PAYOUT, BOOKED_AT), 500),
    )


def test_a_status_that_cannot_be_read_does_not_lose_the_others() -> None:
    odd = status(PAYOUT, "ACSC") | {"AccptncDtTm": "2026-02-28T10:00:00Z"}
    report = status_report(odd, status(OTHER, "ACSP"))

    lines = read_report(report.replace(b"02-28T", b"02-31T"))

    assert [type(line) for line in lines] == [Unread, Reported]
    assert lines[1].outcome == Accepted(OTHER)


def test_an_entry_without_a_date_was_booked_when_its_notice_was_made() -> None:
    undated = entry((PAYOUT, "5.00"))
    del undated["BookgDt"]

    [line] = read_report(notification(undated))

    assert line == replace(
        reported(PAYOUT, Executed(PAYOUT, MADE_AT), 500),
        at=MADE_AT,
    )


def test_reads_the_amounts_of_version_02_among_the_details() -> None:
    old = "camt.054.001.02"
    both = entry((PAYOUT, "5.00"), (OTHER, "7.25"), message=old)
    for said, value in zip(both["NtryDtls"][0]["TxDtls"], ("9.99", "2.26"), strict=True):
        said["AmtDtls"] = {"TxAmt": {"Amt": {"value": value, "Ccy": "GBP"}}}

    lines = read_report(notification(both, message=old))

    assert lines == (
        reported(PAYOUT, Executed(PAYOUT, BOOKED_AT), 999),
        reported(OTHER, Executed(OTHER, BOOKED_AT), 226),
    )
