"""A bank debits payment files: whole files, files that it partly refused, and what is nobody's."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.members import service as members
from chalicelib.payouts import sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Instruction
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.reconciling import store as reconciling_store
from chalicelib.runtime import clock
from tests.makers.bank_reports import entry, notification, status, status_report
from tests.makers.ledger import balances
from tests.makers.network import BANK
from tests.makers.nights import begin, close_until
from tests.makers.operating import operate
from tests.makers.paying import (
    PAID_ON,
    PAYING_AT,
    make_account,
    make_payee,
    record_paying,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

NOON = PAYING_AT.replace(hour=12, minute=10)


@pytest.fixture
def payouts_sent(embedded_aws: None) -> list[Instruction]:
    """Two payouts that stand in the file of the day, the smaller first."""
    clock.use(lambda: NOON)
    record_paying(make_account(Rail.ISO20022, account="204060 55779911", holder="Cashback Ltd"))
    found = []
    for number, minor in ((1, 500), (2, 600)):
        member = make_payee(f"p{number}", number, account_number=f"{number:08}")
        order = write_order(member, minor, Rail.ISO20022)
        found.append(sending.send(order.payout_id, now=PAYING_AT))
    return found


def _file(folder: Path) -> str:
    """The id of the file of the day."""
    (folder / "files").mkdir()
    arguments = (f"--connection={BANK}", "--currency=GBP", f"--day={PAID_ON}")
    done = operate("make-payment-files", *arguments, f"--into={folder / 'files'}")
    assert done.exit_code == 0, done.output
    [path] = (folder / "files").iterdir()
    return path.stem


def _debit(file_id: str, amount: str) -> bytes:
    """A notice of one debit for all of a file."""
    said: dict[str, Any] = entry(batch=file_id)
    said["Amt"]["value"] = amount
    return notification(said)


def _report(folder: Path, content: bytes) -> tuple[int, str]:
    path = folder / "report.xml"
    path.write_bytes(content)
    done = operate("read-bank-report", f"--report={path}")
    return done.exit_code, done.output


def _states(found: list[Instruction]) -> list[str]:
    return [payouts.get(one.payout_id, now=NOON).state.value for one in found]


def _unknown() -> list[str]:
    days = PAID_ON, PAID_ON + timedelta(days=30)
    return [one.payout_id for one in reconciling_store.list_unknown(*days, now=NOON)]


def test_a_debit_of_a_whole_file_pays_each_payment_in_it(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    debit = _debit(_file(tmp_path), "11.00")

    codes = [_report(tmp_path, debit)[0] for _ in range(2)]

    assert (codes, _states(payouts_sent)) == ([0, 0], ["executed", "executed"])
    assert _unknown() == []


def test_a_debit_of_a_whole_file_does_not_pay_what_the_bank_refused(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    refused, paid = payouts_sent
    file_id = _file(tmp_path)
    statuses = status_report(
        status(refused.payout_id, "RJCT", reason="AC04"),
        status(paid.payout_id, "ACSP"),
        of=file_id,
        group={"GrpSts": "PART"},
    )

    codes = [_report(tmp_path, one)[0] for one in (statuses, _debit(file_id, "6.00"))]

    assert (codes, _states(payouts_sent)) == ([0, 0], ["failed", "executed"])
    assert balances(refused.member_id, now=NOON) == Balances("GBP", available=500)
    assert balances(paid.member_id, now=NOON) == Balances("GBP", paid=600)


@pytest.mark.parametrize("amount", ["6.00", "11.01", "10.99", "0.00"])
def test_a_debit_that_is_not_the_sum_of_its_file_pays_nothing_and_is_kept(
    tmp_path: Path, payouts_sent: list[Instruction], amount: str
) -> None:
    file_id = _file(tmp_path)

    code, said = _report(tmp_path, _debit(file_id, amount))

    assert (code, _states(payouts_sent)) == (1, ["sent", "sent"])
    assert "other_payment" in said
    assert _unknown() == [file_id]


def test_a_debit_that_came_before_its_refusals_is_taken_when_it_is_read_again(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    refused, _ = payouts_sent
    file_id = _file(tmp_path)
    statuses = status_report(status(refused.payout_id, "RJCT", reason="AC04"), of=file_id)
    debit = _debit(file_id, "6.00")

    codes = [_report(tmp_path, one)[0] for one in (debit, statuses, debit)]

    assert (codes, _states(payouts_sent)) == ([1, 0, 0], ["failed", "executed"])


def test_a_debit_does_not_pay_the_order_of_somebody_who_was_forgotten_before_the_file_was_made(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    forgotten, _ = payouts_sent
    members.shred(forgotten.member_id)
    file_id = _file(tmp_path)

    code, _ = _report(tmp_path, _debit(file_id, "6.00"))

    assert (code, _states(payouts_sent)) == (0, ["sent", "executed"])


def test_a_debit_pays_the_order_of_somebody_who_was_forgotten_after_the_file_was_made(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    file_id = _file(tmp_path)
    members.shred(payouts_sent[0].member_id)

    code, _ = _report(tmp_path, _debit(file_id, "11.00"))

    assert (code, _states(payouts_sent)) == (0, ["executed", "executed"])


def test_a_debit_of_somebody_elses_file_is_shown_and_kept(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    code, said = _report(tmp_path, _debit("SALARIES-11", "900.00"))

    assert (code, _states(payouts_sent)) == (1, ["sent", "sent"])
    assert "not_ours" in said
    assert _unknown() == ["SALARIES-11"]


def test_a_refused_block_fails_the_payments_that_it_does_not_name(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    named, _ = payouts_sent
    report = status_report(
        status(named.payout_id, "ACSC"), of=_file(tmp_path), block={"PmtInfSts": "RJCT"}
    )

    code, _ = _report(tmp_path, report)

    after = [payouts.get(one.payout_id, now=NOON) for one in payouts_sent]
    assert code == 0
    assert [(one.state.value, one.is_disputed) for one in after] == [
        ("executed", False),
        ("failed", False),
    ]


def _booked(payout: Instruction, *, message: bytes = b"NTF-1", reference: str = "") -> bytes:
    """A notice of a debit for one payout."""
    said = entry((payout.payout_id, payout.amount.to_text()))
    if reference:
        said["AcctSvcrRef"] = reference
    return notification(said).replace(b"NTF-1", message)


def _listed() -> list[str]:
    close_until(PAID_ON + timedelta(days=7))
    return [one.difference.name for one in reconciling_store.list_open(now=NOON)]


def _reported() -> int:
    """What the rail reported to have paid of the day, in pence."""
    [day] = reconciling_store.list_reconciled(PAID_ON, PAID_ON, now=NOON)
    return day.sums[0].reported_minor


@pytest.mark.requirement("LOY-03")
def test_a_payout_that_is_debited_twice_in_one_notice_is_listed(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    one, other = payouts_sent
    debits = [entry((one.payout_id, "5.00")), entry((one.payout_id, "5.00"))]
    begin(PAID_ON)

    _report(tmp_path, notification(*debits, entry((other.payout_id, "6.00"))))

    assert _listed() == [f"overpaid {one.payout_id}"]
    assert _reported() == 1_600


@pytest.mark.requirement("LOY-03")
def test_a_payout_that_is_debited_twice_in_two_notices_is_listed(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    one, other = payouts_sent
    begin(PAID_ON)

    for content in (_booked(one), _booked(one, message=b"NTF-2"), _booked(other)):
        _report(tmp_path, content)

    assert _listed() == [f"overpaid {one.payout_id}"]


def test_a_debit_that_two_notices_tell_of_is_one(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    one, other = payouts_sent
    begin(PAID_ON)
    notices = [_booked(one, message=b"NTF-2", reference="B-1"), _booked(one, reference="B-1")]

    for content in (*notices, *notices, _booked(other)):
        _report(tmp_path, content)

    assert _listed() == []
    assert _reported() == 1_100


def test_what_comes_back_of_a_payment_that_left_twice_is_not_paid_to_the_member_again(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    one, other = payouts_sent
    begin(PAID_ON)
    debit = entry((one.payout_id, "5.00"))
    back = entry((one.payout_id, "5.00"), direction="CRDT", returned="AM05")

    for content in (notification(debit, debit, back), _booked(other)):
        _report(tmp_path, content)

    assert balances(one.member_id, now=NOON) == Balances("GBP", paid=500)
    assert _listed() == []


def test_a_return_that_the_bank_undid_is_listed(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    one, other = payouts_sent
    begin(PAID_ON)
    debit = entry((one.payout_id, "5.00"))
    back = entry((one.payout_id, "5.00"), direction="CRDT", returned="AC04")
    undone = entry((one.payout_id, "5.00")) | {"RvslInd": True}

    for content in (notification(debit, back, undone), _booked(other)):
        _report(tmp_path, content)

    assert balances(one.member_id, now=NOON).available == 500
    assert _listed() == [f"overpaid {one.payout_id}"]


def test_a_line_that_cannot_be_read_is_shown_and_the_others_are_taken(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    one, _ = payouts_sent
    odd = entry(("RENT 12", "5.00"))
    odd["NtryDtls"][0]["TxDtls"][0]["Amt"]["Ccy"] = "XXX"

    code, said = _report(tmp_path, notification(odd, entry((one.payout_id, "5.00"))))

    assert (code, _states(payouts_sent)) == (1, ["executed", "sent"])
    assert "malformed" in said
    assert "2 lines, 1 not taken" in said


@pytest.mark.requirement("LOY-03")
@pytest.mark.parametrize("direction", ["DBIT", "CRDT"])
@pytest.mark.parametrize("are_apart", [False, True])
def test_an_entry_of_several_payments_without_their_amounts_ends_none_and_is_listed(
    tmp_path: Path, payouts_sent: list[Instruction], direction: str, are_apart: bool
) -> None:
    old = "camt.054.001.02"
    begin(PAID_ON)
    both: dict[str, Any] = entry(
        *((one.payout_id, "5.00") for one in payouts_sent), direction=direction, message=old
    )
    if are_apart:
        both["NtryDtls"] = [{"TxDtls": [one]} for one in both["NtryDtls"][0]["TxDtls"]]
    both["Amt"]["value"] = "5.00"

    code, said = _report(tmp_path, notification(both, message=old))

    assert (code, _states(payouts_sent)) == (1, ["sent", "sent"])
    assert said.count("without_amount") == 2
    assert [name for name in _listed() if name.startswith("reported_otherwise")] == sorted(
        f"reported_otherwise {one.payout_id}" for one in payouts_sent
    )


def test_a_batch_whose_amount_is_not_said_pays_nothing_and_is_kept(
    tmp_path: Path, payouts_sent: list[Instruction]
) -> None:
    file_id = _file(tmp_path)
    said: dict[str, Any] = entry(batch=file_id)
    said["NtryDtls"] += [{"Btch": {"MsgId": "SALARIES-11"}}]
    said["Amt"]["value"] = "11.00"

    code, _ = _report(tmp_path, notification(said))

    assert (code, _states(payouts_sent)) == (1, ["sent", "sent"])
    assert _unknown() == [file_id, "SALARIES-11"]
