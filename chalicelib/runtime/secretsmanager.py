"""Secrets at rest: AWS Secrets Manager, where every secret of a stage stands and nowhere else.

`counterfoil-<stage>/<name>` is a secret; each writing of it is a version with an id of its own.
Secrets Manager keeps the current version and the one before it, and drops older ones after a day or
more. A call costs five millionths of a dollar and some milliseconds, so callers remember.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from chalicelib.kernel.refusals import TryAgain
from chalicelib.runtime import aws, settings

SECRET_BYTES_MAX = 65_536  # AWS's own limit of one secret.


class NoSuchSecret(Exception):
    """There is no secret of that name, or no such version of it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The text of a secret, and the id of the version that it is."""

    version_id: str
    text: str = field(repr=False)


def read(name: str, *, version_id: str | None = None) -> Secret:
    """The secret called `name`: its current version, or the one of `version_id`.

    :raises NoSuchSecret: it does not exist. :raises TryAgain: Secrets Manager did not give it.
    """
    asked = {} if version_id is None else {"VersionId": version_id}
    answer = _call("get_secret_value", SecretId=settings.secret(name), **asked)
    return Secret(answer["VersionId"], answer["SecretString"])


def write(name: str, text: str, *, version_id: str) -> None:
    """Make `text` the current version of the secret called `name`, and the secret with it.

    `version_id` (32 to 64 characters) names the version: the same id with the same text again
    changes nothing. A caller who derives it from the version that it read cannot undo what somebody
    else wrote meanwhile.

    :raises TryAgain: the id is taken by another text, or Secrets Manager did not take it.
    """
    if len(text.encode()) > SECRET_BYTES_MAX:
        raise ValueError("the secret is larger than Secrets Manager takes")
    full = settings.secret(name)
    said = {"SecretString": text, "ClientRequestToken": version_id}
    try:
        _call("put_secret_value", SecretId=full, **said)
    except NoSuchSecret:
        _call("create_secret", Name=full, KmsKeyId=settings.master_key_alias(), **said)


def following(version_id: str) -> str:
    """The id of the one version that may follow `version_id`; empty before there is any.

    Two who read the same version and write different texts write under the same id, and Secrets
    Manager takes the first.
    """
    return sha256(b"after " + version_id.encode()).hexdigest()


def _call(operation: str, **parameters: str) -> dict[str, Any]:
    """Whatever Secrets Manager refuses passes: an operator mends it, and messages wait for that."""
    try:
        answer: dict[str, Any] = getattr(aws.client("secretsmanager"), operation)(**parameters)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ResourceNotFoundException":
            raise NoSuchSecret("there is no such secret, or no such version of it") from error
        raise TryAgain(f"Secrets Manager refused: {code}") from error
    except HTTPClientError as error:
        raise TryAgain("Secrets Manager did not answer") from error
    return answer
