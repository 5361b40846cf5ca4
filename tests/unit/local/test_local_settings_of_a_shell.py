"""What `make run` writes for a shell: the settings that commands need, quoted, and no others."""

import subprocess

from infra.local.run import shell_settings

ENVIRONMENT = {
    "COUNTERFOIL_STAGE": "local",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
    "AWS_SECRET_ACCESS_KEY": "it's; $(a) secret",
    "AWS_PROFILE": "production",
    "PATH": "/bin",
}


def test_writes_the_stacks_settings_and_nobody_elses() -> None:
    assert shell_settings(ENVIRONMENT).splitlines() == [
        "AWS_ENDPOINT_URL=http://127.0.0.1:5000",
        "AWS_SECRET_ACCESS_KEY='it'\"'\"'s; $(a) secret'",
        "COUNTERFOIL_STAGE=local",
    ]


def test_a_shell_reads_them_as_they_are() -> None:
    script = f'set -a\n{shell_settings(ENVIRONMENT)}\nprintf %s "$AWS_SECRET_ACCESS_KEY"'

    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True)

    assert done.stdout == ENVIRONMENT["AWS_SECRET_ACCESS_KEY"]
