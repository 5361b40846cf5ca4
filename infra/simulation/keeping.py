"""KMS and Secrets Manager in memory: one key that wraps, and secrets by name with their versions.

Nothing here is secret: a "ciphertext" is the plaintext with a mark before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.simulation.expressions import NotSimulated
from infra.simulation.items import Answer, Refused, Request

_MARK = b"wrapped by the simulated KMS: "


def answer_kms(operation: str, request: Request) -> Answer:
    """Do `operation` of KMS. :raises Refused: the ciphertext is none of ours."""
    match operation:
        case "CreateKey":
            return {"KeyMetadata": {"KeyId": "simulated", "Arn": "arn:aws:kms:::key/simulated"}}
        case "CreateAlias":
            return {}
        case "Encrypt":
            return {"CiphertextBlob": _MARK + request["Plaintext"], "KeyId": "simulated"}
        case "Decrypt":
            wrapped = request["CiphertextBlob"]
            if not wrapped.startswith(_MARK):
                raise Refused("InvalidCiphertextException", "not wrapped by this key")
            return {"Plaintext": wrapped[len(_MARK) :], "KeyId": "simulated"}
    raise NotSimulated(f"KMS's {operation}")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret: its id and its text."""

    version_id: str
    text: str


class SimSecrets:
    """Secrets Manager: by name, the versions of each secret in the order they were written."""

    def __init__(self) -> None:
        self.secrets: dict[str, tuple[Version, ...]] = {}

    def restore(self, secrets: Mapping[str, tuple[Version, ...]]) -> None:
        """Hold `secrets` and nothing else."""
        self.secrets = dict(secrets)

    def answer(self, operation: str, request: Request) -> Answer:
        """Do `operation`. :raises Refused: as Secrets Manager would."""
        name: str = request.get("SecretId") or request["Name"]
        match operation:
            case "GetSecretValue":
                return self._described(name, self._read(name, request.get("VersionId")))
            case "CreateSecret":
                if name in self.secrets:
                    raise Refused("ResourceExistsException", "the secret exists already")
                self.secrets[name] = ()
                return self._write(name, request)
            case "PutSecretValue":
                if name not in self.secrets:
                    raise Refused("ResourceNotFoundException", "there is no such secret")
                return self._write(name, request)
        raise NotSimulated(f"Secrets Manager's {operation}")

    def _read(self, name: str, version_id: str | None) -> Version:
        versions = self.secrets.get(name, ())
        found = [one for one in versions if version_id in (None, one.version_id)]
        if not found:
            raise Refused("ResourceNotFoundException", "there is no such secret or version")
        return found[-1]

    def _write(self, name: str, request: Request) -> Answer:
        """The same id with the same text again changes nothing; with another it is refused."""
        new = Version(request["ClientRequestToken"], request["SecretString"])
        versions = self.secrets[name]
        if any(one.version_id == new.version_id and one != new for one in versions):
            raise Refused("ResourceExistsException", "the version exists with another text")
        if new not in versions:
            self.secrets[name] = (*versions, new)
        return self._described(name, new)

    def _described(self, name: str, version: Version) -> Answer:
        return {
            "ARN": f"arn:aws:secretsmanager:::secret:{name}",
            "Name": name,
            "VersionId": version.version_id,
            "SecretString": version.text,
        }
