"""The log of staff access: who of the staff saw whose data, when and why, before they see it."""

from datetime import date, datetime

from chalicelib.kernel.pan import mask_card_numbers
from chalicelib.kernel.refusals import NotAllowed
from chalicelib.privacy import store
from chalicelib.privacy.store import Access
from chalicelib.runtime import observability

REASON_CHARACTERS_MIN = 8  # `x` and `test` say nothing to whoever reads this in a year.
REASON_CHARACTERS_MAX = 500


class NoReasonGiven(NotAllowed):
    """Personal data is shown only for a reason that somebody can check."""

    code = "no_reason_given"


def record_access(
    reader: str, *, command: str, subject: str, reason: str, access_id: str, now: datetime
) -> Access:
    """Write down that `reader` is about to see `subject`; only then may it be shown.

    `reader` is an ARN, as AWS knows the member of staff; `subject` an id or what was asked for,
    never a personal value. :raises NoReasonGiven: the
    reason is missing or says nothing. :raises TryAgain: it could not be written; show nothing.
    """
    said = mask_card_numbers(" ".join(reason.split()))
    if len(said) < REASON_CHARACTERS_MIN:
        raise NoReasonGiven(
            f"it takes a reason of at least {REASON_CHARACTERS_MIN} characters, such as a ticket",
            field="reason",
        )
    access = Access(
        access_id=access_id,
        at=now,
        reader=reader,
        command=command,
        subject=subject,
        reason=said[:REASON_CHARACTERS_MAX],
    )
    store.record_access(access)
    observability.log("personal data was shown", id=access_id, kind=command)
    return access


def list_accesses(day: date, *, now: datetime) -> list[Access]:
    """Who saw what on the UTC `day`, in order of time, at most 1,000."""
    return store.list_accesses(day, now=now)
