"""What really happened, and so what the platform should have found, should not, or could not.

The sandbox knows which receipt belongs to which payment. From what banks and tills said it works
out, on its own and from the documented rule, whether the evidence was enough. So a receipt that was
rightly not given can be told from one that was missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.network.model import Provider
from infra.local.card_payments import GIVES_NO_AUTH_CODE, CardPayment, Kind
from infra.local.highstreet import Day
from infra.local.postings import Paid
from infra.local.sales import Sale
from infra.local.sandbox_bank import Delivered
from infra.local.town import Route

NEAR = timedelta(minutes=5)
WIDE = timedelta(minutes=30)
RIVALS_WITHIN = WIDE + NEAR + NEAR  # Two payments that far apart cannot mean one receipt.
COMPARED_CHARACTERS = 200  # Banks cut long descriptions.


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform says of a transaction: the receipt's reference, or the code of why not."""

    reference: str | None
    code: str = ""
    why: str = ""


@dataclass(slots=True)
class Verdict:
    """The judged run. Lists hold transaction ids, or sentences that begin with one.

    - `right`, `wrong`: matched, to the right receipt or not (a payment that is none of ours counts
      as wrong as soon as it has any receipt);
    - `missed`: the evidence was enough and there is no receipt;
    - `abstained`: the evidence was not enough, and rightly there is none;
    - `beyond`: matched rightly although the rule did not oblige to;
    - `no_receipt`: none was ever sent; `kept_apart`: none of ours, and no trace of it;
    - `at_bank`: what stands in a bank's app and should not, or the reverse.
    """

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    abstained: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    no_receipt: list[str] = field(default_factory=list)
    kept_apart: list[str] = field(default_factory=list)
    at_bank: list[str] = field(default_factory=list)


def judge(day: Day, answers: Mapping[str, Answer], delivered: Sequence[Delivered]) -> Verdict:
    """Set what the platform and the banks say against what happened."""
    verdict = Verdict()
    for paid in day.paid:
        if paid.is_told:
            _judge_one(day, paid, answers[paid.payment.transaction_id], verdict)
    _judge_banks(day, verdict, delivered)
    return verdict


def is_ours(paid: Paid) -> bool:
    """Whether the payment is a member's purchase at a shop of the network."""
    payment = paid.payment
    return paid.sale is not None and payment.person.is_member and payment.kind is Kind.PURCHASE


def _judge_one(day: Day, paid: Paid, answer: Answer, verdict: Verdict) -> None:
    name, sale = paid.payment.transaction_id, paid.sale
    if sale is None or not is_ours(paid):
        kept_apart = answer.reference is None and answer.code == "NOT_SUPPORTED"
        (verdict.kept_apart if kept_apart else verdict.wrong).append(name)
    elif answer.reference is not None and answer.reference != sale.reference:
        verdict.wrong.append(name)
    elif answer.reference is not None:
        verdict.right.append(name)
        if not must_find(day, paid):
            verdict.beyond.append(name)
    elif sale.reference not in day.sent_references:
        verdict.no_receipt.append(name)
    elif must_find(day, paid):
        verdict.missed.append(f"{name} ({answer.code})")
    else:
        verdict.abstained.append(name)


def _judge_banks(day: Day, verdict: Verdict, delivered: Sequence[Delivered]) -> None:
    """Each receipt found stands in its bank's app once, line by line, and nothing else does."""
    paid_by_name = {paid.payment.transaction_id: paid for paid in day.paid}
    for held in delivered:
        paid = paid_by_name.get(held.transaction_id)
        if paid is None or paid.sale is None or not is_ours(paid):
            verdict.at_bank.append(f"{held.transaction_id}: no receipt belongs there")
        elif held.copies != 1:
            verdict.at_bank.append(f"{held.transaction_id}: shown {held.copies} times")
        elif not shows(held, paid.sale):
            verdict.at_bank.append(f"{held.transaction_id}: shows another receipt")
    told = {held.transaction_id for held in delivered}
    verdict.at_bank += [f"{name}: not delivered" for name in verdict.right if name not in told]


def shows(held: Delivered, sale: Sale) -> bool:
    """Whether the bank's receipt has the lines and the total of the sale."""
    lines = sale.receipt["lines"]
    return (
        held.total_minor == sale.receipt["total_minor"]
        and len(held.lines) >= len(lines)
        and all(
            line["description"][:COMPARED_CHARACTERS] in description
            and line["amount_minor"] == amount
            for line, (description, amount) in zip(lines, held.lines, strict=False)
        )
    )


def must_find(day: Day, paid: Paid) -> bool:
    """Whether the documented rule finds the receipt of this payment.

    It does where card facts agree with one receipt only and no other payment claims them, or else
    where receipt and payment are within five minutes, no other receipt of the shop has the amount
    within half an hour, and no other member's payment could mean it.
    """
    payment, own = paid.payment, paid.sale
    if own is None or own.reference not in day.sent_references or not is_ours(paid):
        return False
    near = [s for s in day.sales if _fits(payment, s) and s.reference in day.sent_references]
    if own not in near:
        return False
    rivals = [
        other.payment
        for other in day.paid
        if other is not paid
        and other.is_told
        and is_ours(other)
        and _could_mean(other.payment, own)
    ]
    if _agrees(payment, own):
        agreeing = [sale for sale in near if _agrees(payment, sale)]
        return agreeing == [own] and not any(_agrees(rival, own) for rival in rivals)
    return near == [own] and not rivals and _apart(payment, own) <= NEAR


def _could_mean(payment: CardPayment, sale: Sale) -> bool:
    return _same_amount(payment, sale) and _apart(payment, sale) <= RIVALS_WITHIN


def _fits(payment: CardPayment, sale: Sale) -> bool:
    is_near = _same_amount(payment, sale) and _apart(payment, sale) <= WIDE
    return is_near and not _contradicts(payment, sale)


def _same_amount(payment: CardPayment, sale: Sale) -> bool:
    return (payment.shop.reference, payment.shop.mid, payment.local_minor) == (
        sale.shop.reference,
        sale.shop.mid,
        sale.card_minor,
    )


def _apart(payment: CardPayment, sale: Sale) -> timedelta:
    return abs(datetime.fromisoformat(sale.receipt["issued_at"]) - payment.made_at)


def _digits(payment: CardPayment) -> tuple[str, str]:
    """What the bank says, or was told at activation, of the card's end, and of which number."""
    match payment.person.provider:
        case Provider.STANDARD if payment.by_phone:
            return payment.person.device_digits, "device"
        case Provider.STARLING if payment.by_phone:
            return payment.person.card_digits, "unknown"
        case _:
            return payment.person.card_digits, "card"


def _printed(sale: Sale) -> tuple[str, str, str, str]:
    """Digits, their kind, auth code and scheme on the receipt; Flux's format names no kind."""
    tender = sale.receipt["tenders"][0]
    kind = "unknown" if sale.brand.route is Route.FLUX else tender.get("last_four_kind", "")
    scheme = tender.get("scheme", "")
    return tender.get("last_four", ""), kind, tender.get("auth_code", ""), scheme


def _agrees(payment: CardPayment, sale: Sale) -> bool:
    digits, kind = _digits(payment)
    theirs, their_kind, auth_code, _ = _printed(sale)
    gives_code = payment.person.provider not in GIVES_NO_AUTH_CODE
    if gives_code and auth_code and auth_code == payment.auth_code:
        return True
    comparable = kind == their_kind or "unknown" in (kind, their_kind)
    return bool(theirs) and comparable and theirs == digits


def _contradicts(payment: CardPayment, sale: Sale) -> bool:
    digits, kind = _digits(payment)
    theirs, their_kind, auth_code, scheme = _printed(sale)
    gives_code = payment.person.provider not in GIVES_NO_AUTH_CODE
    return (
        (gives_code and bool(auth_code) and auth_code != payment.auth_code)
        or (bool(theirs) and kind == their_kind != "unknown" and theirs != digits)
        or (bool(scheme) and scheme != payment.person.scheme)
    )
