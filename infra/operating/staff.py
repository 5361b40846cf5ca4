"""Who works at this terminal, and the note that is written before personal data is shown."""

import secrets
from datetime import datetime

from chalicelib.privacy import access_log
from chalicelib.privacy.store import Access
from chalicelib.runtime import aws


def note_access(command: str, subject: str, *, reason: str | None, now: datetime) -> Access:
    """Write down that the operator is about to see or change `subject`; do it only after this.

    The operator is whoever AWS says: `sts:GetCallerIdentity` needs no permission. Of a user it
    cannot lie; the name of a role's session is what its caller chose, where the role's trust policy
    does not pin it (docs/deploy.md).

    :raises NoReasonGiven: there is no reason, or it says nothing.
    """
    return access_log.record_access(
        str(aws.client("sts").get_caller_identity()["Arn"]),
        command=command,
        subject=subject,
        reason=reason or "",
        access_id=secrets.token_hex(8),
        now=now,
    )
