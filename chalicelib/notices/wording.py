"""Notices in plain words: one place for every sentence, by language and kind. Pure.

A title says what happened, a text what it means. Both are short: a feed shows some forty characters
of a title. Reasons are stable codes; each that a member may see has its half-sentence here, and one
that has none is left unsaid, never shown as a code. A language that lacks a sentence falls back to
English.
"""

from dataclasses import dataclass
from datetime import date

from chalicelib.kernel.money import Money
from chalicelib.loyalty.terms import Unit
from chalicelib.members.announcing import Announcement
from chalicelib.members.notice_kinds import NoticeKind

_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Words:
    """What is shown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Language:
    """The sentences of one language.

    `sentences` are title and text by kind; `{units}`, `{stamps}`, `{points}`, `{amount}`, `{at}`
    (` at <retailer>`, or nothing), `{on}` and `{why}` (a sentence, or nothing) are filled in.
    `reasons` are sentences by reason code.
    """

    sentences: dict[NoticeKind, tuple[str, str]]
    reasons: dict[str, str]
    stamps: tuple[str, str]
    points: tuple[str, str]
    months: tuple[str, ...]
    at: str


ENGLISH = Language(
    sentences={
        NoticeKind.STAMP_EARNED: ("{stamps} earned{at}", "{stamps} went onto your card{at}.{why}"),
        NoticeKind.CARD_COMPLETE: ("Your card{at} is full", "Your reward{at} is on its way.{why}"),
        NoticeKind.POINTS_EARNED: ("{points} earned{at}", "You earned {points}{at}.{why}"),
        NoticeKind.REWARD_AVAILABLE: (
            "{amount} cashback is yours",
            "Your cashback{at} is confirmed and will be paid to your account.{why}",
        ),
        NoticeKind.REWARD_PAID: (
            "{amount} cashback paid",
            "We sent {amount} to your bank account{on}.{why}",
        ),
        NoticeKind.REWARD_RETURNED: (
            "{amount} came back",
            "Your bank account did not take {amount}. Please check the account we pay to.{why}",
        ),
        NoticeKind.ADJUSTED: ("Your rewards{at} changed", "{change}.{why}"),
        NoticeKind.EXPIRING: (
            "{units_or_amount} will expire",
            "Use them by the end of {day}.{why}",
        ),
        NoticeKind.OFFER_ACTIVATED: ("Your offer{at} is on", "Pay with your card to use it.{why}"),
        NoticeKind.OFFER_REDEEMED: (
            "{amount} cashback{at}",
            "You used your offer{at} and get {amount} back.{why}",
        ),
        NoticeKind.TIER_CHANGED: ("Your level{at} changed", "You have a new level{at}.{why}"),
        NoticeKind.CLAIM_DECIDED: ("We looked into your reward", "{why_alone}"),
        NoticeKind.OFFER_ANNOUNCED: ("A new offer{at}", "Have a look at it in your offers.{why}"),
        NoticeKind.PARTNER_JOINED: (
            "New: receipts{at}",
            "Pay with your card{at} and find the receipt here.{why}",
        ),
    },
    reasons={
        "returned": "Something you bought was returned.",
        "refunded": "Some of what you paid was given back.",
        "offer_instead": "An offer that you got for it takes its place.",
        "withdrawn": "The receipt was taken away from this payment.",
        "cleared": "The amount that was really taken is another.",
        "held": "We are looking at it first; it does not count yet.",
        "no_budget": "Your reward waits until the shop's budget has enough for it.",
        "left_scheme": "It gives units of a scheme that you left, so they were not added.",
        "released": "We looked at it, and it counts now.",
        "refused": "We looked at it, and it does not count.",
        "expired": "It was not used in time.",
        "set_off": "It was set off against what you had too much before.",
        "granted": "You were right: what was missing has been added.",
        "found_by_itself": "Your receipt has arrived, and the reward with it.",
        "earned_already": "Nothing is missing: what this purchase earned is there.",
        "no_receipt": "We found no receipt for this payment, so it earns nothing.",
        "not_eligible": "This purchase does not qualify.",
        "account_closed": "The account is closed.",
        "details_wrong": "Its number or sort code is not right.",
        "corrected": "We had it wrong before.",
        "given_twice": "It had been given twice.",
        "goodwill": "With our apologies.",
        "card_of_another_member": "This bank card is registered with another member, who "
        "registered it first. We are looking at it.",
    },
    stamps=("1 stamp", "{n} stamps"),
    points=("1 point", "{n} points"),
    months=tuple(
        "January February March April May June July August September October November "
        "December".split()
    ),
    at=" at {name}",
)
LANGUAGES = {"en": ENGLISH}
_NO_REASON = "Have a look at your rewards."
_WITHHELD = frozenset({"left_scheme", "no_budget"})  # Nothing is on its way, only a reason.
_OF_GOODS = "returned"  # A payment rail says it too, of a payout, which is told in full without.


def words_of(
    announcement: Announcement, *, retailer: str, language: str, unit: Unit | None = None
) -> Words:
    """`announcement` in plain words. `retailer` is the brand's name, or empty; `unit` says what its
    units are, where the kind of notice does not; None where that is not known.
    """
    chosen = LANGUAGES.get(language, ENGLISH)
    title, text = chosen.sentences.get(announcement.kind, ENGLISH.sentences[announcement.kind])
    filled = _fill(announcement, retailer, chosen, unit)
    if announcement.reason in _WITHHELD:
        text = "{why_alone}"
    return Words(title.format(**filled), text.format(**filled))


def _fill(
    announcement: Announcement, retailer: str, language: Language, unit: Unit | None
) -> dict[str, str]:
    units = abs(announcement.units)
    told = _counted(units, language.stamps if unit is Unit.STAMPS else language.points)
    amount = money_text(announcement.amount) if announcement.amount else ""
    is_of_rail = announcement.kind is NoticeKind.REWARD_RETURNED
    is_unsaid = is_of_rail and announcement.reason == _OF_GOODS
    reason = "" if is_unsaid else language.reasons.get(announcement.reason, "")
    on = announcement.on
    return {
        "units": str(units),
        "stamps": _counted(units, language.stamps),
        "points": _counted(units, language.points),
        "amount": amount.removeprefix(_MINUS),
        "units_or_amount": amount or told,
        "at": language.at.format(name=retailer) if retailer else "",
        "on": f" on {_day(on, language)}" if on else "",
        "day": _day(on, language) if on else "",
        "change": _change(announcement, amount, told if unit else str(units)),
        "why": f" {reason}" if reason else "",
        "why_alone": reason or _NO_REASON,
    }


def _change(announcement: Announcement, amount: str, units: str) -> str:
    """`2 points taken back` or `£1.20 added`: what changed, by its sign. Where it is neither units
    nor money, it is a full card.
    """
    if not announcement.units and not amount:
        return "A card is full no more"
    is_less = announcement.units < 0 or (
        announcement.amount is not None and announcement.amount.minor < 0
    )
    what = amount.removeprefix(_MINUS) or units
    return f"{what} {'taken back' if is_less else 'added'}"


def _counted(units: int, forms: tuple[str, str]) -> str:
    return forms[0] if units == 1 else forms[1].format(n=units)


def _day(day: date, language: Language) -> str:
    return f"{day.day} {language.months[day.month - 1]} {day.year}"


def money_text(amount: Money) -> str:
    """`£12.34`, `−€0.50`; a currency without a sign of its own as `12.34 SEK`."""
    minus = _MINUS if amount.minor < 0 else ""
    plain = Money(abs(amount.minor), amount.currency).to_text()
    sign = _SIGNS.get(amount.currency)
    return f"{minus}{sign}{plain}" if sign else f"{minus}{plain} {amount.currency}"
