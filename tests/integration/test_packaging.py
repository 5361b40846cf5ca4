"""The zip: only what ships, compiled, the same bytes from the same sources, and it starts."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import chalice
import pytest

from app import app
from infra import packaging
from infra.packaging import copy_sources, rewrite
from tests.architecture.deployment import lambdas

HANDLERS = sorted(
    source.handler_string if source else "app.app" for source in lambdas(app).values()
)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip's layout without its dependencies: our sources, and what Chalice ships of itself."""
    project = copy_sources(tmp_path_factory.mktemp("scratch"))
    slim = project / "chalice"
    slim.mkdir()
    for name in ("__init__.py", "app.py"):
        shutil.copy2(Path(chalice.__file__).parent / name, slim / name)
    return project


def test_starts_every_handler_from_what_ships_alone(unpacked: Path) -> None:
    program = (
        "import importlib, sys\n"
        f"sys.path[:0] = [{str(unpacked)!r}]\n"
        f"for handler in {HANDLERS!r}:\n"
        "    module, _, name = handler.rpartition('.')\n"
        "    assert callable(getattr(importlib.import_module(module), name)), handler\n"
        "    print(handler)\n"
        "import chalice\n"
        f"assert chalice.__file__.startswith({str(unpacked)!r})\n"
        f"unwanted = {(*packaging.TOOLS, 'infra', 'tests', 'moto')!r}\n"
        "import aws_lambda_powertools.logging, joserfc.jws, jinja2\n"  # What is imported late.
        "found = {m.partition('.')[0] for m in sys.modules} & set(unwanted)\n"
        "found.discard('_distutils_hack')\n"  # This venv loads it by a .pth file.
        "assert not found, found\n"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", program],
        env={"COUNTERFOIL_STAGE": "test", "AWS_DEFAULT_REGION": "eu-west-2"},
        cwd=unpacked,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout.split()) == (0, HANDLERS), done.stderr


def test_ships_no_leftover_of_a_laptop(unpacked: Path) -> None:
    names = {path.name for path in unpacked.rglob("*")}

    assert {"app.py", "chalicelib", "requirements.txt", "config.json"} <= names
    assert not {"infra", "tests", "__pycache__", "deployments"} & names
    assert [name for name in names if name.endswith(".pyc")] == []


def test_leaves_the_tools_of_chalices_command_line_out(tmp_path: Path) -> None:
    deployment = tmp_path / "deployment.zip"
    with zipfile.ZipFile(deployment, "w") as made:
        for name in ("app.py", "pip/__init__.py", "yaml/loader.py", "distutils-precedence.pth"):
            made.writestr(name, "")

    rewrite(deployment, tmp_path / "code")

    with zipfile.ZipFile(deployment) as made:
        assert [name for name in made.namelist() if not name.endswith(".pyc")] == ["app.py"]


def zipped(folder: Path, *, order: int) -> Path:
    """A zip of two modules as Chalice leaves one: in no certain order, at the time of the day."""
    deployment = folder / "deployment.zip"
    sources = [("app.py", "ANSWER = 42\n"), ("chalicelib/said.py", "SAID = ('a', 'b')\n")]
    with zipfile.ZipFile(deployment, "w") as made:
        for name, text in sources[::order]:
            made.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 12, order % 60, 0)), text)
    return deployment


def test_makes_the_same_bytes_of_the_same_sources(tmp_path: Path) -> None:
    digests = set()
    for index, order in enumerate((1, -1)):
        folder = tmp_path / str(index)
        folder.mkdir()
        deployment = zipped(folder, order=order)
        rewrite(deployment, folder / "code")
        digests.add(hashlib.sha256(deployment.read_bytes()).hexdigest())

    assert len(digests) == 1


def test_compiles_what_lambda_could_only_compile_at_every_cold_start(tmp_path: Path) -> None:
    deployment = zipped(tmp_path, order=1)

    rewrite(deployment, tmp_path / "code")

    tag = sys.implementation.cache_tag
    with zipfile.ZipFile(deployment) as made:
        assert made.namelist() == [
            f"__pycache__/app.{tag}.pyc",
            "app.py",
            f"chalicelib/__pycache__/said.{tag}.pyc",
            "chalicelib/said.py",
        ]
        flags = int.from_bytes(made.read(f"__pycache__/app.{tag}.pyc")[4:8], "little")
    assert flags == 0b01  # By hash and never checked, PEP 552: the zip's times say nothing.


def test_refuses_a_stage_that_nobody_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    assert packaging.main(["staging"]) == 1
    assert "`staging` is no stage" in capsys.readouterr().err
