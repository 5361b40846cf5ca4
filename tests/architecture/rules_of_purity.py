"""Rules about what each floor of the house may reach for: time, chance, settings, AWS, HTTP."""

import ast
import sys
from collections.abc import Iterator

from tests.architecture.sources import Source, rule

RIM = ("chalicelib/api/", "chalicelib/workers/", "infra/")
HTTP_LIBRARIES = {
    "urllib.request",
    "urllib3",
    "http.client",
    "requests",
    "httpx",
    "aiohttp",
    "botocore.httpsession",
    "socket",
}
ENVIRONMENT = {"os.environ", "os.getenv", "os.putenv", "os.environb"}
CHANCE = {"uuid", "secrets", "random"}
NOW = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def _names(imported: str, banned: set[str]) -> bool:
    return any(imported == name or imported.startswith(name + ".") for name in banned)


def _reaches(source: Source, banned: set[str]) -> Iterator[tuple[int, str]]:
    yield from (found for found in source.imports() if _names(found[1], banned))
    yield from (found for found in source.uses() if found[1] in banned)


@rule(
    "Only runtime/settings.py reads the environment (our own stacks and packaging set it first).",
    broken_by=("chalicelib/banks/monzo.py", "import os\nURL = os.environ['URL']\n"),
    kept_by=("chalicelib/runtime/settings.py", "import os\nURL = os.environ['URL']\n"),
)
def settings_read_the_environment(source: Source) -> Iterator[str]:
    """Look for `os.environ` and its siblings."""
    sets_it_first = ("infra/local/", "infra/bench/", "infra/packaging.py", "infra/simulation/")
    if not source.is_in("chalicelib/runtime/settings.py", *sets_it_first, "tests/"):
        for line, name in _reaches(source, ENVIRONMENT):
            yield f"line {line}: {name}"


@rule(
    "Time is an argument: only api/, workers/, infra/ and the ring of master keys read the clock.",
    broken_by=("chalicelib/matching/a.py", "from chalicelib.runtime import clock\n"),
    kept_by=("chalicelib/workers/a.py", "from chalicelib.runtime import clock\n"),
)
def the_rim_reads_the_clock(source: Source) -> Iterator[str]:
    """Look for our clock, Python's, and the `time` module.

    How old the ring of master keys may be is no matter of whoever seals a value.
    """
    if source.is_in(*RIM, "tests/", "chalicelib/runtime/clock.py", "chalicelib/runtime/ring.py"):
        return
    for line, name in _reaches(source, NOW | {"time", "chalicelib.runtime.clock"}):
        yield f"line {line}: {name}"


@rule(
    "Chance is an argument: only the vault, api/, workers/ and infra/ draw random bytes or ids.",
    broken_by=("chalicelib/members/a.py", "import uuid\n"),
    kept_by=("chalicelib/runtime/vault.py", "import os\nSALT = os.urandom(16)\n"),
)
def the_rim_draws_random_values(source: Source) -> Iterator[str]:
    """Look for the modules of chance and for `os.urandom`."""
    if not source.is_in(*RIM, "tests/", "chalicelib/runtime/vault.py"):
        for line, name in _reaches(source, CHANCE | {"os.urandom"}):
            yield f"line {line}: {name}"


@rule(
    "Only runtime/aws.py makes AWS clients.",
    broken_by=("chalicelib/banks/a.py", "import boto3\n"),
    kept_by=("chalicelib/runtime/aws.py", "import botocore.session\n"),
)
def one_module_makes_clients(source: Source) -> Iterator[str]:
    """Look for boto3 and for botocore's sessions."""
    if not source.is_in("chalicelib/runtime/aws.py", "tests/"):
        for line, name in _reaches(source, {"boto3", "botocore.session"}):
            yield f"line {line}: {name}"


@rule(
    "Only store.py modules, runtime/ and the privacy register know PynamoDB and rows.",
    broken_by=("chalicelib/members/service.py", "from chalicelib.runtime import rows\n"),
    kept_by=("chalicelib/members/store.py", "from chalicelib.runtime import rows\n"),
)
def stores_know_the_database(source: Source) -> Iterator[str]:
    """Look for PynamoDB and for our row base."""
    # The register and the sweep stand above every store, because they have to reach every row.
    above = ("chalicelib/privacy/register.py", "chalicelib/privacy/retention.py")
    if source.name == "store" or source.is_in("chalicelib/runtime/", "tests/", "infra/", *above):
        return
    for line, name in _reaches(source, {"pynamodb", "chalicelib.runtime.rows"}):
        yield f"line {line}: {name}"


@rule(
    "No scans and no secondary indexes: every read knows its partition.",
    broken_by=("chalicelib/members/store.py", "found = MemberRow.scan()\n"),
    kept_by=("chalicelib/members/store.py", "found = MemberRow.query('a')\n"),
)
def reads_know_their_partition(source: Source) -> Iterator[str]:
    """Look for calls of `scan` and for PynamoDB's indexes."""
    if source.is_in("tests/", "chalicelib/runtime/sweeping.py", "infra/local/"):
        return
    for node in source.nodes:
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in {"scan", "rate_limited_scan"}:
            yield f"line {node.lineno}: a scan"
    for line, name in _reaches(source, {"pynamodb.indexes"}):
        yield f"line {line}: {name}"


@rule(
    "Only banks/ and notices/ speak HTTP outwards.",
    broken_by=("chalicelib/members/a.py", "import urllib3\n"),
    kept_by=("chalicelib/banks/a.py", "import urllib3\n"),
)
def banks_and_notices_speak_http(source: Source) -> Iterator[str]:
    """Look for libraries that open connections; the operator's tools in infra are free."""
    if not source.is_in("chalicelib/banks/", "chalicelib/notices/", "infra/", "tests/"):
        for line, name in _reaches(source, HTTP_LIBRARIES):
            yield f"line {line}: {name}"


@rule(
    "The kernel knows only the standard library and itself.",
    broken_by=("chalicelib/kernel/a.py", "import msgspec\n"),
    kept_by=("chalicelib/kernel/a.py", "import re\nfrom chalicelib.kernel import money\n"),
)
def the_kernel_stands_alone(source: Source) -> Iterator[str]:
    """Compare what is imported with the standard library's own list."""
    if not source.is_in("chalicelib/kernel/"):
        return
    for line, name in source.imports():
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and not name.startswith("chalicelib.kernel."):
            yield f"line {line}: {name}"


@rule(
    "Wire shapes stay at the rim: msgspec is for the rims, stores, messages and public shapes.",
    broken_by=("chalicelib/receipts/a.py", "import msgspec\n"),
    kept_by=("chalicelib/banks/a.py", "import msgspec\n"),
)
def structs_stay_at_the_rim(source: Source) -> Iterator[str]:
    """Look for msgspec. A module called `messages` holds the shapes of an area's queue messages."""
    rims = ("chalicelib/banks/", "chalicelib/tills/", "chalicelib/payouts/rails/")
    places = (*RIM, *rims, "chalicelib/runtime/", "tests/")
    shapes = {"store", "messages", "public_shapes", "public_fields", "tokens"}
    if not source.is_in(*places) and source.name not in shapes:
        for line, name in _reaches(source, {"msgspec"}):
            yield f"line {line}: {name}"


COORDINATES = {"latitude", "longitude"}


@rule(
    "Money is never a float: the kernel, receipts and purchases have none.",
    broken_by=("chalicelib/receipts/a.py", "def total(amount: float) -> int: ...\n"),
    kept_by=("chalicelib/receipts/a.py", "def total(amount: int) -> int: ...\n"),
)
def money_is_no_float(source: Source) -> Iterator[str]:
    """Look for the name `float` and for literals with a point."""
    if not source.is_in("chalicelib/kernel/", "chalicelib/receipts/", "chalicelib/purchases/"):
        return
    coordinates: set[ast.AST] = set()
    for node in source.nodes:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) in COORDINATES:
            coordinates.update(ast.walk(node))
        if node not in coordinates and isinstance(node, ast.Name) and node.id == "float":
            yield f"line {node.lineno}: float"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"line {node.lineno}: {node.value}"
