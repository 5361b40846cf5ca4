"""Settings: the only module that reads the environment. Typed, and failing where one is missing.

Stage-level values (`stage`, names of queues and tables) must be there at import, because Chalice's
decorators and PynamoDB's models need them. No secret is ever in the environment. No default points
at anything that exists outside a laptop.
"""

import os
import re
from functools import lru_cache


class MissingSetting(RuntimeError):
    """A required environment variable is not set. Raised at start, naming the variable."""


class InvalidSetting(RuntimeError):
    """An environment variable is set to something unusable. Raised at start, naming it."""


_STAGE = re.compile(r"[a-z][a-z0-9-]{0,20}")


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise MissingSetting(f"set the environment variable {name}")
    return value


@lru_cache(maxsize=1)
def stage() -> str:
    """The stage this process belongs to (`local`, `test`, `prod`): part of every resource name."""
    value = _required("COUNTERFOIL_STAGE")
    if not _STAGE.fullmatch(value):
        raise InvalidSetting("COUNTERFOIL_STAGE must be lower-case letters, digits and dashes")
    return value


def queue(name: str) -> str:
    """The full name of the queue called `name` (`payments` → `counterfoil-prod-payments`)."""
    return f"counterfoil-{stage()}-{name}"


def table(name: str) -> str:
    """The full name of the DynamoDB table called `name`."""
    return f"counterfoil-{stage()}-{name}"


def region() -> str:
    """The AWS region of everything this process talks to."""
    return _required("AWS_DEFAULT_REGION")


def secret(name: str) -> str:
    """The full name of the secret called `name` in Secrets Manager."""
    return f"counterfoil-{stage()}/{name}"


def master_key_alias() -> str:
    """The KMS key that encrypts every secret of the stage."""
    return f"alias/counterfoil-{stage()}-master"


def public_url() -> str:
    """The base URL under which the outside world reaches this API, without a trailing slash."""
    return _required("COUNTERFOIL_PUBLIC_URL").rstrip("/")


def hooks_url() -> str:
    """The base URL at which hooks and receipts come in; the public URL where it is not set apart.

    What a bank signs, and where it is told to send, is this one: both APIs answer the same paths.
    """
    return (os.environ.get("COUNTERFOIL_HOOKS_URL") or public_url()).rstrip("/")


def private_hosts_allowed() -> bool:
    """Whether deliveries may go to loopback and private addresses. Only local stacks set this."""
    return os.environ.get("COUNTERFOIL_PRIVATE_HOSTS", "") == "allowed"


@lru_cache(maxsize=1)
def in_lambda() -> bool:
    """Whether this process runs in AWS Lambda, which sets this variable and lets nobody else."""
    return bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))


def trace_header() -> str | None:
    """X-Ray's header of the present invocation (`Root=1-…;Parent=…`), which Lambda sets anew each
    time; None outside Lambda.
    """
    return os.environ.get("_X_AMZN_TRACE_ID")
