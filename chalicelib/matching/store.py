"""Claims and waiting payments: table `tills`.

The claim is the only exclusive write of matching: one part of one receipt, held by one payment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.kernel.ids import ConnectionId, MemberId, PaymentId, ReceiptId, StoreId
from chalicelib.kernel.refusals import TryAgain
from chalicelib.matching.outcome import Hold
from chalicelib.matching.scene import PartKey
from chalicelib.matching.signals import WIDE_WINDOW, PaymentSignals
from chalicelib.matching.standing import WAITING_DAYS, Claim, Waiting
from chalicelib.receipts.canonical import Receipt
from chalicelib.runtime import rows, vault
from chalicelib.runtime.register import Category, Erasure, Kept, Purpose, Retention
from chalicelib.tills.store import UNMATCHED_RECEIPTS, days_of, partition

CLAIMED_FOR = timedelta(days=400)
WAITING_READ_MAX = 5_000  # In an hour at one store; the busiest known see a tenth of it.

CLAIMS = Retention(
    name="claims",
    reason="Who holds a receipt is remembered thirteen months, so that a return finds its sale.",
    lasts=CLAIMED_FOR,
    since="claimed",
)
WAITING = Retention(
    name="waiting_payments",
    reason="A payment waits seven days for its receipt, and a day more to say it found none.",
    lasts=timedelta(days=WAITING_DAYS + 1),
    since="first waited",
)

_SIGNALS = Kept(
    Category.TRANSACTION,
    Purpose.MATCHING,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"signals": Category.TRANSACTION, "anchored_at": Category.TRANSACTION},
)


_RETURN = Kept(
    Category.RECEIPT,
    Purpose.MATCHING,
    Erasure.EXPIRE,
    encrypted=True,
    holds={"receipt": Category.RECEIPT},
)


class ClaimRow(rows.Row):
    """`pk` = `claim#<receipt id>`, `sk` = `part#<index of the card tender>`."""

    Meta = rows.table_meta("tills")
    privacy = {
        "payment_id": Kept(Category.PSEUDONYM, Purpose.MATCHING, Erasure.EXPIRE),
        "member_id": Kept(Category.PSEUDONYM, Purpose.MATCHING, Erasure.EXPIRE),
        "connection_id": Kept(Category.CONFIGURATION, Purpose.MATCHING, Erasure.KEEP),
        "anchored_at": Kept(Category.TRANSACTION, Purpose.MATCHING, Erasure.EXPIRE),
    }
    retention = CLAIMS

    payment_id = UnicodeAttribute()
    member_id = UnicodeAttribute()
    connection_id = UnicodeAttribute()
    anchored_at = UnicodeAttribute()


class WaitingRow(rows.Row):
    """`pk` = `<store id>#<UTC day>`, `sk` = `wait#<HH:MM:SS of sale>#<payment id>`."""

    Meta = rows.table_meta("tills")
    privacy = {
        "waits_since": Kept(Category.OPERATION, Purpose.MATCHING, Erasure.EXPIRE),
        "sealed": _SIGNALS,
    }
    retention = WAITING

    waits_since = UnicodeAttribute()
    sealed = BinaryAttribute(legacy_encoding=False)


class EarlyChangeRow(rows.Row):
    """`pk` = `claim#<receipt id of the sale>`, `sk` = `return#<receipt id>#<version>`."""

    Meta = rows.table_meta("tills")
    privacy = {"sealed": _RETURN}
    retention = UNMATCHED_RECEIPTS

    sealed = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class _Change:
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Content:
    signals: PaymentSignals
    anchored_at: datetime


def record_claim(claim: Claim, *, now: datetime) -> bool:
    """Claim the part; True where `claim`'s payment holds it now, also if it did before."""
    row = ClaimRow(
        f"claim#{claim.receipt_id}",
        f"part#{claim.part}",
        payment_id=claim.hold.payment_id,
        member_id=claim.hold.member_id,
        connection_id=claim.hold.connection_id,
        anchored_at=claim.anchored_at.isoformat(),
    ).keep_from(now)
    free = ClaimRow.pk.does_not_exist() | (ClaimRow.payment_id == claim.hold.payment_id)
    try:
        rows.put(row, condition=free)
    except rows.ConditionFailed:
        return False
    return True


def release_claim(claim: Claim, *, taken_until: datetime | None = None) -> None:
    """Give the part free, if it is still `claim`'s; with `taken_until`, if it was taken by then.

    So what is late or comes again does not undo what was claimed anew.
    """
    row = ClaimRow(f"claim#{claim.receipt_id}", f"part#{claim.part}")
    still = ClaimRow.payment_id == claim.hold.payment_id
    if taken_until is not None:
        still &= ClaimRow.expires_at <= rows.epoch(taken_until + CLAIMED_FOR)
    try:
        rows.delete(row, condition=still)
    except rows.ConditionFailed:
        return


def list_claims_on(keys: Sequence[PartKey], *, now: datetime) -> list[Claim]:
    """The claims on the parts `keys`; one call for a hundred parts."""
    found: list[Claim] = []
    for first in range(0, len(keys), rows.BATCH_ROWS_MAX):
        batch = keys[first : first + rows.BATCH_ROWS_MAX]
        places = [(f"claim#{receipt_id}", f"part#{part}") for receipt_id, part in batch]
        found.extend(_to_claim(row) for row in rows.find_many(ClaimRow, places, now=now))
    return found


def list_claims(receipt_id: ReceiptId, *, now: datetime) -> list[Claim]:
    """Every claim on a part of the receipt."""
    return [
        _to_claim(row)
        for row in rows.list_prefixed(ClaimRow, f"claim#{receipt_id}", "part#", now=now)
    ]


def keep_change(sale_id: ReceiptId, told: Receipt, *, now: datetime) -> None:
    """Keep a change of a sale that nobody holds yet, a return or a newer version, beside the place
    of its claims.
    """
    row = EarlyChangeRow(f"claim#{sale_id}", f"return#{told.receipt_id}#{told.version:06}")
    row.sealed = vault.seal(
        _Change(told),
        key=vault.platform_key("pages"),
        place=f"{row.pk}|{row.sk}",
        kept=_RETURN,
    )
    rows.put(row.keep_from(now))


def list_changes(name: ReceiptId, *, of: ReceiptId | None = None, now: datetime) -> list[Receipt]:
    """The changes of the sale `of` that came under `name` before anybody held it. A barcode may be
    the number of another sale, whose newer versions are none of them.
    """
    told = [
        vault.open_sealed(
            row.sealed, _Change, key=vault.platform_key("pages"), place=f"{row.pk}|{row.sk}"
        ).receipt
        for row in rows.list_prefixed(EarlyChangeRow, f"claim#{name}", "return#", now=now)
    ]
    return [one for one in told if one.receipt_id != name or of in (None, name)]


def _to_claim(row: ClaimRow) -> Claim:
    return Claim(
        receipt_id=ReceiptId(row.pk.removeprefix("claim#")),
        part=int(row.sk.removeprefix("part#")),
        hold=Hold(
            PaymentId(row.payment_id), MemberId(row.member_id), ConnectionId(row.connection_id)
        ),
        anchored_at=datetime.fromisoformat(row.anchored_at),
        claimed_at=datetime.fromtimestamp(int(row.expires_at), UTC) - CLAIMED_FOR,
    )


def keep_waiting(waiting: Waiting) -> None:
    """Let the payment wait at each of its stores, with its newest signals, when it was made."""
    for store_id in waiting.signals.stores:
        row = _waiting_row(waiting.signals.payment_id, waiting.signals.made_at, store_id)
        row.waits_since = waiting.waits_since.isoformat()
        row.sealed = vault.seal(
            _Content(waiting.signals, waiting.anchored_at),
            key=vault.platform_key("waiting"),
            place=f"{row.pk}|{row.sk}",
            kept=_SIGNALS,
        )
        rows.put(row.keep_from(waiting.waits_since))


def stop_waiting(signals: PaymentSignals) -> None:
    """Take the payment off the waiting list of each of its stores."""
    stop_waiting_at(signals.stores, signals.payment_id, made_at=signals.made_at)


def stop_waiting_at(stores: Iterable[StoreId], payment_id: PaymentId, *, made_at: datetime) -> None:
    """Take the payment off the waiting lists of `stores`, if it is on them."""
    for store_id in stores:
        rows.delete(_waiting_row(payment_id, made_at, store_id))


def list_waiting_around(
    store_id: StoreId,
    earliest: datetime,
    latest: datetime,
    *,
    now: datetime,
    consistent: bool = True,
) -> list[Waiting]:
    """The payments that wait at `store_id`, made within the wide window of [earliest, latest].

    :raises TryAgain: more wait than are read at once; nothing may be decided without them.
    """
    since, until = earliest - WIDE_WINDOW, latest + WIDE_WINDOW
    return list_waiting_between(store_id, since, until, now=now, consistent=consistent)


def list_waiting_between(
    store_id: StoreId,
    since: datetime,
    until: datetime,
    *,
    now: datetime,
    consistent: bool = False,
) -> list[Waiting]:
    """The payments made in [since, until] that wait at `store_id`; perhaps not those of just now.

    :raises TryAgain: more wait than are read at once.
    """
    found: list[Waiting] = []
    for day, first, last in days_of(since, until):
        found.extend(
            _to_waiting(row)
            for row in rows.list_between(
                WaitingRow,
                partition(store_id, day),
                f"wait#{first}",
                f"wait#{last}~",
                now=now,
                limit=WAITING_READ_MAX,
                consistent=consistent,
            )
        )
    if len(found) >= WAITING_READ_MAX:
        raise TryAgain("more payments wait at one store than are read at once")
    return found


def _waiting_row(payment_id: PaymentId, made_at: datetime, store_id: StoreId) -> WaitingRow:
    return WaitingRow(partition(store_id, made_at.date()), f"wait#{made_at:%H:%M:%S}#{payment_id}")


def _to_waiting(row: WaitingRow) -> Waiting:
    content = vault.open_sealed(
        row.sealed, _Content, key=vault.platform_key("waiting"), place=f"{row.pk}|{row.sk}"
    )
    return Waiting(content.signals, content.anchored_at, datetime.fromisoformat(row.waits_since))
