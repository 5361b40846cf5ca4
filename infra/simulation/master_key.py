"""The stage's keys in a simulated AWS: the KMS key, and a ring of one master key."""

from datetime import datetime

from chalicelib.runtime import aws
from infra import master_keys, resources


def set_up_keys(*, now: datetime) -> None:
    """Make the keys as an operator does, but the same each time: nothing here is secret."""
    resources.create_kms_key(aws.client("kms"))
    master_keys.set_up(lambda count: bytes(range(count)), now=now)
