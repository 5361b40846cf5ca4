"""The operator pays by file, reads what the bank reports, and has the last word."""

from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.ledger.model import Balances
from chalicelib.payouts import sending
from chalicelib.payouts import service as payouts
from chalicelib.payouts.model import Instruction, PayoutState
from chalicelib.payouts.orders import store as orders
from chalicelib.payouts.paying import service as paying
from chalicelib.payouts.rails.model import Rail
from chalicelib.payouts.reconciling import store as reconciling_store
from chalicelib.runtime import clock
from infra.local.tl_keys import new_pem
from tests.makers.bank_reports import entry, notification, read_file, status, status_report
from tests.makers.ledger import balances
from tests.makers.network import BANK
from tests.makers.operating import operate
from tests.makers.paying import (
    PAID_ON,
    PAYING_AT,
    SOON,
    make_account,
    make_member,
    make_payee,
    record_paying,
    sandbox_payments,
    write_order,
)

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("embedded_aws")]

NOON = PAYING_AT.replace(hour=12, minute=10)
ACCOUNT = ("--connection", BANK, "--currency", "GBP")


@pytest.fixture(autouse=True)
def _at_noon(embedded_aws: None) -> None:
    clock.use(lambda: NOON)
    record_paying(make_account(Rail.ISO20022, account="204060 55779911", holder="Cashback Ltd"))


def _sent(*minors: int) -> list[Instruction]:
    found = []
    for number, minor in enumerate(minors, start=1):
        member = make_payee(f"p{number}", number, account_number=f"{number:08}")
        order = write_order(member, minor, Rail.ISO20022)
        found.append(sending.send(order.payout_id, now=PAYING_AT))
    return sorted(found, key=lambda one: one.payout_id)


def _make(folder: Path) -> list[Path]:
    done = operate("make-payment-files", *ACCOUNT, f"--day={PAID_ON}", f"--into={folder}")
    assert done.exit_code == 0, done.output
    return sorted(folder.iterdir())


def _report(tmp_path: Path, content: bytes) -> tuple[int, str]:
    path = tmp_path / "report.xml"
    path.write_bytes(content)
    done = operate("read-bank-report", f"--report={path}")
    return done.exit_code, done.output


def _states(found: list[Instruction]) -> list[str]:
    return [payouts.get(one.payout_id, now=NOON).state.value for one in found]


def test_the_file_of_the_day_holds_what_was_sent_and_is_the_owners_alone(tmp_path: Path) -> None:
    found = _sent(500, 725)

    [path] = _make(tmp_path)
    first = path.read_bytes()
    [again] = _make(tmp_path)

    read = read_file(first).cstmr_cdt_trf_initn
    paid = {
        one.pmt_id.end_to_end_id: str(one.amt.instd_amt.value)
        for one in read.pmt_inf[0].cdt_trf_tx_inf
    }
    assert {one.state for one in found} == {PayoutState.SENT}
    assert paid == {one.payout_id: one.amount.to_text() for one in found}
    assert str(read.grp_hdr.ctrl_sum) == "12.25"
    assert path.stat().st_mode & 0o777 == 0o600
    assert again.read_bytes() == first


def test_an_order_that_is_sent_again_later_stays_in_the_file_it_is_in(tmp_path: Path) -> None:
    [one] = _sent(500)
    day_after = PAYING_AT + timedelta(days=1)

    after = sending.look_up(one.payout_id, now=day_after)
    clock.use(lambda: NOON + timedelta(days=1))

    assert after.state is PayoutState.SENT
    in_file = orders.list_in_file(one.connection_id, "GBP", day_after.date(), now=day_after)
    assert in_file == ()
    assert len(_make(tmp_path)) == 1


def test_a_file_that_may_still_grow_is_not_made(tmp_path: Path) -> None:
    _sent(500)
    clock.use(lambda: NOON - timedelta(minutes=1))

    done = operate("make-payment-files", *ACCOUNT, f"--day={PAID_ON}", f"--into={tmp_path}")

    assert done.exit_code == 1
    assert "closes at noon" in done.output
    assert list(tmp_path.iterdir()) == []


def test_what_ended_before_the_file_was_made_is_not_in_it(tmp_path: Path) -> None:
    one, other = _sent(500, 600)
    operate("settle-payout", f"--payout={one.payout_id}", "--as=failed", "--because=a mistake")

    [path] = _make(tmp_path)

    [paid] = read_file(path.read_bytes()).cstmr_cdt_trf_initn.pmt_inf[0].cdt_trf_tx_inf
    assert paid.pmt_id.end_to_end_id == other.payout_id


@pytest.mark.requirement("LOY-02")
def test_reports_bring_each_payout_to_its_end_and_may_be_read_again(tmp_path: Path) -> None:
    found = _sent(500, 600, 700)
    one, two, three = (payout.payout_id for payout in found)
    amounts = {payout.payout_id: payout.amount.to_text() for payout in found}
    statuses = status_report(
        status(one, "ACSP"), status(two, "RJCT", reason="AC04"), status(three, "ACSC")
    )
    booked = notification(
        entry((one, amounts[one])),
        entry((three, amounts[three])),
        entry((three, amounts[three]), direction="CRDT", returned="AC04"),
    )

    codes = [_report(tmp_path, content)[0] for content in (statuses, booked, booked, statuses)]

    assert codes == [0, 0, 0, 0]
    assert _states(found) == ["executed", "failed", "returned"]
    available = [balances(one.member_id, now=NOON).available for one in found]
    assert available == [0, found[1].amount.minor, found[2].amount.minor]


def test_a_file_that_the_bank_refuses_fails_every_payout_in_it(tmp_path: Path) -> None:
    found = _sent(500, 600)
    [path] = _make(tmp_path)
    why = {"GrpSts": "RJCT", "StsRsnInf": [{"Rsn": {"Cd": "AM05"}}]}

    code, _ = _report(tmp_path, status_report(of=path.stem, group=why))

    assert code == 0
    assert _states(found) == ["failed", "failed"]
    assert {payouts.get(one.payout_id, now=NOON).reason for one in found} == {"AM05"}


def test_lines_that_are_not_ours_or_tell_of_another_amount_are_shown_and_change_nothing(
    tmp_path: Path,
) -> None:
    [one] = _sent(500)
    nobodys = f"20261202{'z' * 18}"
    report = notification(
        entry((nobodys, "5.00")), entry((one.payout_id, "6.00")), entry(("RENT 12", "5.00"))
    )

    code, said = _report(tmp_path, report)

    assert code == 1
    assert "3 lines, 3 not taken" in said
    assert "other_payment" in said
    assert said.count("not_ours") == 2
    assert _states([one]) == ["sent"]
    assert list(reconciling_store.list_reports(PAID_ON, now=NOON)) == [one.payout_id]
    unknown = reconciling_store.list_unknown(PAID_ON, PAID_ON + timedelta(days=30), now=NOON)
    assert sorted(kept.payout_id for kept in unknown) == sorted([nobodys, "RENT 12"])


def test_as_many_cents_are_not_the_pence_that_were_ordered(tmp_path: Path) -> None:
    [one] = _sent(500)
    in_euros = notification(entry((one.payout_id, "5.00"))).replace(b'"GBP"', b'"EUR"')

    code, said = _report(tmp_path, in_euros)

    assert (code, _states([one])) == (1, ["sent"])
    assert "other_payment" in said


def test_says_plainly_that_a_file_is_no_report(tmp_path: Path) -> None:
    code, said = _report(tmp_path, b"<a/>")

    assert code == 1
    assert "neither a pain.002 nor a camt.054" in said


def test_shows_how_a_payout_stands_without_its_member() -> None:
    [one] = _sent(500)

    shown = operate("show-payout", f"--payout={one.payout_id}")

    assert shown.exit_code == 0
    assert "state  sent" in shown.output
    assert "amount  5.00 GBP" in shown.output
    assert one.member_id not in shown.output


@pytest.mark.parametrize(
    ("word", "state", "held"),
    [
        ("executed", "executed", Balances("GBP", paid=500)),
        ("failed", "failed", Balances("GBP", available=500)),
    ],
)
def test_a_person_has_the_last_word(word: str, state: str, held: Balances) -> None:
    [one] = _sent(500)

    done = operate(
        "settle-payout", f"--payout={one.payout_id}", f"--as={word}", "--because=case 12"
    )

    assert (done.exit_code, _states([one])) == (0, [state])
    assert balances(one.member_id, now=NOON) == held


def test_refuses_a_word_that_is_no_end() -> None:
    [one] = _sent(500)

    done = operate("settle-payout", f"--payout={one.payout_id}", "--as=sent", "--because=x")

    assert done.exit_code == 2
    assert _states([one]) == ["sent"]


def test_a_connection_is_set_up_to_be_paid_by_commands_alone(tmp_path: Path) -> None:
    key, token = tmp_path / "signing.pem", tmp_path / "client.txt"
    key.write_text(new_pem())
    token.write_text("a-token-of-the-sandbox-bank\n")
    weights = tmp_path / "valacdos.txt"
    weights.write_text("102000 102999 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1\n")
    with sandbox_payments() as (bank, account):
        said = [
            operate("make-payout-key"),
            operate("load-modulus-tables", f"--weights={weights}"),
            operate(
                "add-paying-account",
                *ACCOUNT,
                "--rail=sandbox",
                f"--api-url={account.api_url}/",
                f"--secret-file=client={token}",
                f"--secret-file=signing={key}",
            ),
            operate("list-paying-accounts"),
        ]
        member = make_payee(account_number="12345679")
        order = write_order(member, 500, Rail.SANDBOX)
        done = operate("look-up-payout", f"--payout={order.payout_id}")
        removed = operate("remove-paying-account", *ACCOUNT)

    assert [one.exit_code for one in (*said, done, removed)] == [0] * 6
    assert "harbour-bank  GBP  sandbox" in said[-1].output
    assert "It is executed." in done.output
    assert len(bank.books.feed) == 1
    assert paying.list_accounts(now=SOON) == ()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rail=truelayer",),
        ("--rail=sandbox",),
        ("--rail=sandbox", "--api-url=ftp://bank.example"),
        ("--rail=iso20022", "--account=GB33BUKB20201555555555"),
    ],
)
def test_refuses_a_paying_account_that_its_rail_cannot_use(arguments: tuple[str, ...]) -> None:
    make_member()

    done = operate("add-paying-account", *ACCOUNT, *arguments)

    assert done.exit_code == 1
    assert [one.rail for one in paying.list_accounts(now=SOON)] == [Rail.ISO20022]
