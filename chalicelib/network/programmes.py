"""Programmes: one operator's set of services and the rules that hold for all of its members.

A rule here is a fact that a notice states and code enforces. FLUX is the first programme: receipts
are the service itself, stamps come with it and may be stopped, offers wait to be asked for.
"""

from dataclasses import dataclass
from enum import Enum

from chalicelib.kernel.money import Money
from chalicelib.kernel.refusals import NotFound


class UnknownProgramme(NotFound):
    """No programme has this name."""

    code = "unknown_programme"


class Service(Enum):
    """What a member may be given."""

    RECEIPTS = "receipts"
    STAMPS = "stamps"
    OFFERS = "offers"


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """Whether a service is on for a new member, and whether the member may change that alone.

    A service that is not `is_changeable` ends only when the member leaves the programme.
    """

    service: Service
    is_on_at_start: bool
    is_changeable: bool


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme.

    `terms_version` is the version that must have been accepted to switch on or stay on;
    `receipts_wait_days` is how long a receipt waits for its payment, and a payment for its receipt,
    before either is forgotten; `match_threshold` is how probable a match has to be, from 0 to 1.
    Cashback is paid from `payout_minimums` on (in a currency without one, any amount); what a
    member owes after returns is set off for `debts_kept_days` and then given up.
    """

    name: str
    title: str
    services: tuple[ServiceRule, ...]
    terms_version: str
    receipts_wait_days: int
    match_threshold: float = 0.999
    payout_minimums: tuple[Money, ...] = ()
    debts_kept_days: int = 180

    def rule_for(self, service: Service) -> ServiceRule:
        """The rule for `service`."""
        return next(rule for rule in self.services if rule.service is service)

    def payout_minimum(self, currency: str) -> int:
        """From how many minor units of `currency` on cashback is paid."""
        minimums = (one.minor for one in self.payout_minimums if one.currency == currency)
        return next(minimums, 1)


FLUX = Programme(
    name="FLUX",
    title="Receipts, stamps and offers in the bank's app",
    services=(
        ServiceRule(Service.RECEIPTS, is_on_at_start=True, is_changeable=False),
        ServiceRule(Service.STAMPS, is_on_at_start=True, is_changeable=True),
        ServiceRule(Service.OFFERS, is_on_at_start=False, is_changeable=True),
    ),
    terms_version="2026-01",
    receipts_wait_days=7,
    payout_minimums=(Money(100, "GBP"), Money(100, "EUR")),
)

_PROGRAMMES = {programme.name: programme for programme in (FLUX,)}


def get_programme(name: str) -> Programme:
    """The programme called `name`. :raises UnknownProgramme: there is none."""
    programme = _PROGRAMMES.get(name)
    if programme is None:
        raise UnknownProgramme("there is no such programme")
    return programme
