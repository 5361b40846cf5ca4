"""What the API says of itself, held against what it answers: schemathesis over `/openapi.json`.

Every operation is called with the credential of a client that may call it, with true names among
the made-up ones, and without any credential. A finding is a 5xx, or a status, content type, header
or body that the description does not know.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.fuzzing.world import World
from infra.local.calling import call

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
)
# Chalice answers 405 to these; TRACE and the like never pass a gateway.
OTHER_METHODS = ("DELETE", "PATCH", "POST", "PUT")
TRUE_NAMES = 0.6  # So often a parameter is a true name; else it is made up.
ARRAYS = {"/bank": "bank-flux-v1", "/webhooks/v2/bank": "bank-flux-v2"}
CLIENTS_BY_SCOPE = {"receipts:write": "retailer-northlight-market"}
USUAL_CLIENT = "bank-standard"
OF_ONE_USER = ("/v1/me/purchases",)
OF_MONZO = "/connect/"
PRINTED_MAX = 6_000


class NotRun(Exception):
    """The fuzzer itself failed; its own words follow."""


@dataclass(frozen=True, slots=True)
class Described:
    """How many requests were made of how many operations, and each finding as a sentence."""

    operations: int
    cases: int
    findings: tuple[str, ...]


def fuzz(
    world: World, folder: Path, *, seed: int, examples: int, phases: str, with_tokens: bool
) -> Described:
    """Fuzz the running API; `examples` requests are made up for each operation and phase.

    `folder` is where the tool's configuration and report go. `phases` are schemathesis' own words:
    `examples`, `coverage` (every boundary of every schema), `fuzzing`, `stateful`.
    :raises NotRun: it did not come to its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    url = f"{world.base_url}/openapi.json"
    document = call("GET", url).json()
    folder = folder.resolve()
    configuration, report = folder / "schemathesis.toml", folder / "report.json"
    configuration.write_text(_configuration(world, document["paths"], with_tokens=with_tokens))
    report.unlink(missing_ok=True)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
            *("run", url, "--checks", ",".join(CHECKS), "--phases", phases),
            *("--seed", str(seed), "--max-examples", str(examples)),
            *("--continue-on-failure", "--report", "json", "--report-json-path", str(report)),
        ],
        capture_output=True,
        text=True,
        cwd=folder,  # It keeps a cache where it runs.
        check=False,
    )
    if not report.exists():
        raise NotRun((ran.stdout + ran.stderr)[-2_000:])
    return _described(json.loads(report.read_text()), printed=ran.stdout)


def _described(report: Mapping[str, Any], *, printed: str) -> Described:
    """The report counts failures; what was sent and answered stands only in what was printed."""
    findings = [f"{one['title']}: {', '.join(one['operations'])}" for one in report["failures"]]
    findings += [f"the fuzzer failed: {json.dumps(one)[:500]}" for one in report["errors"]]
    if findings:
        findings.append(printed.partition("= FAILURES =")[2][:PRINTED_MAX])
    return Described(
        operations=report["operations"]["tested"],
        cases=report["test_cases"]["generated"],
        findings=tuple(findings),
    )


def _configuration(world: World, paths: Mapping[str, Any], *, with_tokens: bool) -> str:
    """The tool's configuration in TOML; JSON's texts and arrays are TOML's too."""
    names = {name: json.dumps(values) for name, values in world.names.items()}
    lines = [
        *("[generation]", 'database = "none"', ""),
        *("[phases.coverage]", f"unexpected-methods = {json.dumps(OTHER_METHODS)}", ""),
        *(line for name, values in names.items() for line in _dictionary(name, values)),
        "[parameters]",
        *(f'{name} = {{ dictionary = "{name}", probability = {TRUE_NAMES} }}' for name in names),
    ]
    if with_tokens:
        for path, operations in paths.items():
            for method, operation in operations.items():
                if operation.get("security"):
                    token = world.tokens[_client(path, operation)]
                    lines += _credential(f"{method.upper()} {path}", token)
    return "\n".join(lines) + "\n"


def _dictionary(name: str, values: str) -> tuple[str, ...]:
    return (f"[dictionaries.{name}]", f"values = {values}", "")


def _credential(name: str, token: str) -> tuple[str, ...]:
    headers = f'headers = {{ Authorization = "Bearer {token}" }}'
    return ("", "[[operations]]", f'include-name = "{name}"', headers)


def _client(path: str, operation: Mapping[str, Any]) -> str:
    if path in OF_ONE_USER:
        return "user"
    if path in ARRAYS:
        return ARRAYS[path]
    if path.startswith(OF_MONZO):
        return "bank-monzo"
    scopes: list[str] = operation["security"][0]["oauth"]
    return CLIENTS_BY_SCOPE.get(scopes[0], USUAL_CLIENT)
