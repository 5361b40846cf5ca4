"""`make package STAGE=…`: one CloudFormation template and the zip of code it deploys.

`build/package/<stage>/template.json` is what Chalice makes of the app with our additions merged in;
`deployment.zip` beside it holds the app and its pinned dependencies as wheels for Lambda (arm64).
The zip is made of committed kinds of files only, compiled, and with fixed times: the same sources
give the same bytes, so that a deployment without a change of code uploads nothing.
"""

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.template.assembling import make_additions
from infra.template.chalice_template import ROOT, make_chalice_template
from infra.template.stages import InvalidStage, Stage, read_stage

BUILD = ROOT / "build" / "package"
SHIPPED = ("app.py", "chalicelib", ".chalice", "requirements.txt")
# Chalice deploys for the Python that packages. Each of these Lambda offers, and each has wheels.
RUNTIMES = ((3, 11), (3, 12), (3, 13))
# Chalice's package asks for what its command line needs; nothing of it runs in a Lambda.
TOOLS = (
    "_distutils_hack",
    "_yaml",
    "blessed",
    "click",
    "distutils-precedence.pth",
    "editor",
    "inquirer",
    "jinxed",
    "pip",
    "readchar",
    "runs",
    "setuptools",
    "wcwidth",
    "xmod",
    "yaml",
)
UNZIPPED_BYTES_MAX = 250 * 1024 * 1024  # Lambda's limit.
_EPOCH = (1980, 1, 1, 0, 0, 0)  # The first moment that a zip can say.
_MODE = 0o644 << 16
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "deployments", "deployed")


class PackagingFailed(RuntimeError):
    """The package could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """What was made. `zip_bytes` and `unzipped_bytes` are sizes of the deployment."""

    template: Path
    deployment: Path
    zip_bytes: int
    unzipped_bytes: int


def enter(stage: Stage) -> None:
    """Let this process belong to `stage`: names and clients are made of the environment."""
    os.environ.update(COUNTERFOIL_STAGE=stage.name, AWS_DEFAULT_REGION=stage.region)


def make_package(stage: Stage, *, into: Path | None = None) -> Package:
    """Make template and zip of `stage` in `into` (`build/package/<stage>`).

    :raises PackagingFailed: this Python is none of Lambda's, a dependency has no wheel for Lambda,
        or the code is larger than Lambda takes.
    """
    if sys.version_info[:2] not in RUNTIMES:
        raise PackagingFailed(f"package with one of the Pythons that Lambda runs: {RUNTIMES}")
    folder = into or BUILD / stage.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    enter(stage)
    additions = make_additions(stage, make_chalice_template(stage.name))
    with TemporaryDirectory() as scratch:
        merged = Path(scratch) / "additions.json"
        merged.write_text(json.dumps(additions))
        _run_chalice(stage, copy_sources(Path(scratch)), merged, folder)
        rewrite(folder / "deployment.zip", Path(scratch) / "code")
    template = folder / "template.json"
    (folder / "sam.json").rename(template)
    return _judged(template, folder / "deployment.zip")


def copy_sources(scratch: Path) -> Path:
    """A project of only what ships, so that no leftover of a laptop is deployed."""
    project = scratch / "project"
    project.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=_LEFT_OUT)
        else:
            shutil.copy2(ROOT / name, project / name)
    return project


def _run_chalice(stage: Stage, project: Path, additions: Path, folder: Path) -> None:
    command = [sys.executable, "-c", "from chalice.cli import main; main()"]
    command += ["--project-dir", str(project), "package", "--stage", stage.name]
    command += ["--merge-template", str(additions), str(folder)]
    done = subprocess.run(
        command,
        env=os.environ | {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")},
        capture_output=True,
        text=True,
        check=False,
    )
    # Chalice goes on where a dependency has no wheel for Lambda, and only says so.
    if done.returncode or "Could not install dependencies" in done.stdout:
        raise PackagingFailed((done.stdout + done.stderr).strip())


def rewrite(deployment: Path, code: Path) -> None:
    """Compile what is in the zip, and write it again in one order and with one time.

    Lambda cannot write compiled code beside the source, so without it every cold start compiles
    everything that it imports.
    """
    with zipfile.ZipFile(deployment) as original:
        original.extractall(code)
    _leave_tools_out(code)
    compileall.compile_dir(
        code,
        quiet=2,  # Some packages ship a file for another Python.
        stripdir=str(code),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    with zipfile.ZipFile(deployment, "w", zipfile.ZIP_DEFLATED) as again:
        for path in sorted(code.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(code).as_posix(), _EPOCH)
                entry.external_attr = _MODE
                entry.compress_type = zipfile.ZIP_DEFLATED
                again.writestr(entry, path.read_bytes())


def _leave_tools_out(code: Path) -> None:
    """Remove `TOOLS`: less to load, and less that could be attacked."""
    for name in TOOLS:
        path = code / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _judged(template: Path, deployment: Path) -> Package:
    with zipfile.ZipFile(deployment) as made:
        unzipped = sum(entry.file_size for entry in made.infolist())
    if unzipped > UNZIPPED_BYTES_MAX:
        raise PackagingFailed(f"the code has {unzipped} bytes, Lambda takes {UNZIPPED_BYTES_MAX}")
    return Package(template, deployment, deployment.stat().st_size, unzipped)


def main(arguments: list[str]) -> int:
    """Package the stage that the first argument names."""
    if not arguments:
        print("say which stage: make package STAGE=test", file=sys.stderr)
        return 1
    try:
        made = make_package(read_stage(arguments[0]))
    except (InvalidStage, PackagingFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{made.template.relative_to(ROOT)}: {made.template.stat().st_size:,} bytes")
    print(
        f"{made.deployment.relative_to(ROOT)}: {made.zip_bytes:,} bytes, "
        f"{made.unzipped_bytes:,} unzipped"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
