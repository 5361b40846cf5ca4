"""Finding Java and fetching DynamoDB Local, as far as it goes without either."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import dynamodb_local


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("bash: java: command not found", None),
    ],
)
def test_reads_the_major_version_that_java_prints(printed: str, major: int | None) -> None:
    assert dynamodb_local.java_major(printed) == major


def test_refuses_to_run_without_a_command() -> None:
    assert dynamodb_local.main([]) == 2


def test_says_that_java_is_missing_and_does_not_run_the_command(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    answer = subprocess.run(
        [sys.executable, "-m", "infra.local.dynamodb_local", "touch", str(witness)],
        env={"PATH": str(tmp_path), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == dynamodb_local.UNAVAILABLE
    assert "no `java` on the PATH; install a Java 17 runtime or newer" in answer.stderr
    assert not witness.exists()


def test_says_that_java_is_too_old(tmp_path: Path) -> None:
    _fake(tmp_path / "java", "echo 'openjdk version \"11.0.2\"' >&2")
    answer = subprocess.run(
        [sys.executable, "-m", "infra.local.dynamodb_local", "true"],
        env={"PATH": str(tmp_path), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == dynamodb_local.UNAVAILABLE
    assert "`java` is version 11; DynamoDB Local needs 17 or newer" in answer.stderr


def test_refuses_a_folder_without_the_jar(tmp_path: Path) -> None:
    (tmp_path / dynamodb_local.VERSION).mkdir()

    with pytest.raises(dynamodb_local.NotAvailable, match="holds no single"):
        dynamodb_local.install(tmp_path)


def _fake(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
