"""A card: everything one member has in one scheme, stamps or points, as a value.

Units come in lots: each purchase that earned makes one, with the moment from which its units count
as active (the pending window) and the one from which they are expired. Units leave a lot by draws:
a full stamp card (a fill) draws its places, a claim of a reward its price. What was drawn without a
lot behind it, because goods were brought back after their units were spent, is debt.

Nothing is written when time passes: what is pending, active or expired is asked of lots and clock
(`balance_at`). Between events these hold, and `tests/unit/loyalty` shows it:
- of no lot more is drawn than its units;
- where there is debt, no live lot has free units: later earning works debt off first;
- a card with places has fewer free live units than places.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chalicelib.loyalty.earning import Share
from chalicelib.loyalty.rules import ExtraUnits
from chalicelib.loyalty.terms import RuleKind

SPENT = ""  # Who has drawn, of draws that nobody can undo any more.
WAITING = 0  # In the place of a lease: the scheme's budget has not as much left.


class Basis(Enum):
    """How somebody became a member of a scheme (LOY-07)."""

    ACTIVATION = "activation"  # by switching the programme on, as agreed with the bank
    EXPLICIT = "explicit"  # by choosing this scheme


@dataclass(frozen=True, slots=True)
class Membership:
    """Since when and how somebody takes part. After leaving, `left_at` says when."""

    basis: Basis
    joined_at: datetime
    left_at: datetime | None = None

    @property
    def is_on(self) -> bool:
        """Whether purchases earn now."""
        return self.left_at is None


@dataclass(frozen=True, slots=True)
class Draw:
    """`units` drawn by a fill (`f3`), a claim (its id) or something long settled (`SPENT`)."""

    by: str
    units: int


@dataclass(frozen=True, slots=True)
class Lot:
    """Units that become active and expire together. `expires_at` None: never."""

    units: int
    active_at: datetime
    expires_at: datetime | None = None
    draws: tuple[Draw, ...] = ()

    @property
    def drawn(self) -> int:
        """How many of its units were drawn."""
        return sum(draw.units for draw in self.draws)

    @property
    def free(self) -> int:
        """How many of its units are left, whether they expired or not."""
        return self.units - self.drawn

    def is_expired(self, at: datetime) -> bool:
        """Whether what is left of it can no longer be used."""
        return self.expires_at is not None and at >= self.expires_at


@dataclass(frozen=True, slots=True)
class Given:
    """What one line earned by one rule: `units`, of which its returns demand `back`.

    The other fields are those of `earning.Share`, which says what they mean.
    """

    rule_id: str
    line_id: str
    units: int
    back: int = 0
    kind: RuleKind = RuleKind.SPEND
    needs_minor: int = 0

    @property
    def share(self) -> Share:
        """What was given, before anything was taken back."""
        return Share(self.rule_id, self.line_id, self.units, self.kind, self.needs_minor)


@dataclass(frozen=True, slots=True)
class Change:
    """By how many `units` a version of a purchase changed what counts of it, why, and how late."""

    version: int
    units: int
    reason: str = ""
    lag_seconds: int = 0  # From the sale until it was entered; less where a till is ahead.


@dataclass(frozen=True, slots=True)
class Entry:
    """What one purchase earned, brought up to its `version` under a `scheme` version; or units that
    another card gave (`naming.py`), in whose `version` is how far that is (`extra.py`).

    - `lot.units` count: what was given less what was taken back, more by what the scheme's policy
      let the member keep (`kept`), less what the scheme forfeits.
    - `sale_print` tells a correction of what was bought from a return of it.
    - `changed`, `reason` and `lag_seconds` are the `Change` of the last version; `earlier` are the
      first and the last before that, for whoever repeats or makes up an announcement.
    - `visits` are the streaks it was a visit for (`completed` those whose row it made whole, though
      a cap left nothing to give); `spend_minor` counts towards a tier of money, and `is_visit`
      says that it still counts as one; all as the newest version leaves them.
    - `place` is the till (`watching.place_of`). While it is `held` for a reason nothing of it
      counts; `is_released`: a person let it be.
    """

    payment_id: str
    sold_at: datetime
    version: int
    scheme: int
    sale_print: int
    given: tuple[Given, ...]
    lot: Lot
    kept: int = 0
    forfeited: int = 0
    changed: int = 0
    tier_id: str = ""
    visits: tuple[str, ...] = ()
    spend_minor: int = 0
    is_visit: bool = True
    place: str = ""
    held: str = ""
    is_released: bool = False
    reason: str = ""
    earlier: tuple[Change, ...] = ()
    completed: tuple[str, ...] = ()
    lag_seconds: int = 0

    @property
    def wanted(self) -> int:
        """What the newest version is worth: given less what its returns demand."""
        return 0 if self.held else sum(one.units - one.back for one in self.given)


@dataclass(frozen=True, slots=True)
class Back:
    """`minor` of a reward, taken back of a card that stayed full."""

    minor: int
    why: str


@dataclass(frozen=True, slots=True)
class Fill:
    """A full card, the `number`-th that this card ever filled; numbers are never used again.

    `cause` is the purchase that filled it, `scheme` the version that says what it is worth; `minor`
    is the reward in money, 0 where it is no money. `due_at` is when the last of its stamps becomes
    active; `deferred_by` names the purchases whose returns let younger stamps in, after its reward
    was given with an earlier one. Once it is due it stays due. `undone_by` names the purchase whose
    return emptied it, `undone_why` says why. `claim_id` names the claim by which it is collected.
    `lease` is the part of the scheme's budget that pays for it, `WAITING` while none can; None: it
    was given before budgets were drawn on. One that `has_waited` was told of as waiting. `gives`
    are units on another card. `backs` were taken back of `minor`; `whole_minor` is what it may be
    worth again.
    """

    number: int
    cause: str
    scheme: int
    at: datetime
    due_at: datetime
    minor: int = 0
    undone_by: str = ""
    claim_id: str = ""
    lease: int | None = None
    has_waited: bool = False
    gives: ExtraUnits | None = None
    undone_why: str = ""
    deferred_by: tuple[str, ...] = ()
    backs: tuple[Back, ...] = ()
    whole_minor: int = 0

    @property
    def name(self) -> str:
        """By which it draws."""
        return f"f{self.number}"

    @property
    def worth_minor(self) -> int:
        """What is left of its reward, as long as it is full."""
        return self.minor - sum(one.minor for one in self.backs)

    @property
    def waits(self) -> bool:
        """Whether its reward waits for a budget."""
        return self.lease == WAITING and bool(self.minor) and not self.undone_by


class ClaimState(Enum):
    """How a claim was left; one that is `RESERVED` and over its time is as good as cancelled."""

    RESERVED = "reserved"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Claim:
    """A reward that a member asked for. Its units are drawn from lots under `claim_id`.

    `until` is when the code stops being good; `closed_at` when it was redeemed or cancelled. Of a
    claim that a full card brought, `units` is 0: the fill has drawn them. `lease` is the part of
    the scheme's budget that pays for a reward in money, `gives` what it gives on another card.
    """

    claim_id: str
    reward_id: str
    scheme: int
    units: int
    at: datetime
    until: datetime | None = None
    state: ClaimState = ClaimState.RESERVED
    closed_at: datetime | None = None
    confirmation: str = ""
    lease: int | None = None
    gives: ExtraUnits | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether it still may be redeemed."""
        return self.state is ClaimState.RESERVED and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Count:
    """How many `units` of the history count towards a cap, tier or streak in a `period`."""

    name: str
    period: int
    units: int


@dataclass(frozen=True, slots=True)
class Card:
    """One member's card in one scheme; `version` counts its writes, 0 before the first.

    - `entries` are the purchases that are still at hand, `base` the lots of those in the history;
    - `archived` is how many rows the history has, `last_past` the name of the newest, `watermark`
      the newest sale in it, and `expired` how many units of it expired unused;
    - `reset_at` is when somebody who had left came back to a scheme that then begins anew: what was
      bought before counts towards no cap, tier or streak. The history had `reset_past` rows then;
      `forfeited` are lots of what was left of it, so that none of it is taken back once more;
    - `due_at` is when somebody was asked to look at the card, because units expire soon after;
      `told_days` are the days to come (as ordinals) at whose end something expires that was told
      of. What expires by `told_until` was told of before days were kept.
    """

    membership: Membership
    version: int = 0
    entries: tuple[Entry, ...] = ()
    base: tuple[Lot, ...] = ()
    debt: tuple[Draw, ...] = ()
    fills: tuple[Fill, ...] = ()
    claims: tuple[Claim, ...] = ()
    fills_made: int = 0
    archived: int = 0
    last_past: str = ""
    expired: int = 0
    watermark: datetime | None = None
    counts: tuple[Count, ...] = ()
    reset_at: datetime | None = None
    reset_past: int = 0
    forfeited: tuple[Lot, ...] = ()
    due_at: datetime | None = None
    told_until: datetime | None = None
    favourites: tuple[str, ...] = ()
    told_days: tuple[int, ...] = ()

    @property
    def lots(self) -> tuple[Lot, ...]:
        """All lots: those of the history first."""
        return (*self.base, *(entry.lot for entry in self.entries))

    def find_entry(self, payment_id: str) -> Entry | None:
        """What the purchase earned, if it is at hand."""
        return next((one for one in self.entries if one.payment_id == payment_id), None)

    def find_claim(self, claim_id: str) -> Claim | None:
        """The claim, if it is at hand."""
        return next((one for one in self.claims if one.claim_id == claim_id), None)
