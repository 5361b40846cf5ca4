"""A stage's settings: read from one file, and refused with a word on what is wrong."""

from pathlib import Path

import pytest

from infra.template.chalice_template import ROOT
from infra.template.stages import FOLDER, InvalidStage, read_stage

GOOD = """
region = "eu-west-1"
log_days = 30
recovery_days = 7
[requests]
per_second = 5
burst = 10
[concurrency]
payments = 2
receipts = 2
gather = 2
deliveries = 2
rewards = 2
payouts = 2
notices = 2
"""


def read(tmp_path: Path, text: str) -> object:
    (tmp_path / "test.toml").write_text(text)
    return read_stage("test", folder=tmp_path)


def test_reads_every_stage_that_is_deployed() -> None:
    assert [read_stage(path.stem).name for path in sorted(FOLDER.glob("*.toml"))] == [
        "prod",
        "test",
    ]


@pytest.mark.requirement("SEC-09")
def test_deploys_to_another_continent_only_where_the_file_says_so(tmp_path: Path) -> None:
    elsewhere = GOOD.replace("eu-west-1", "us-east-1")

    with pytest.raises(InvalidStage, match="region us-east-1 is not among regions_allowed"):
        read(tmp_path, elsewhere)
    stage = read(tmp_path, 'regions_allowed = ["us-east-1"]\n' + elsewhere)
    assert getattr(stage, "region", "") == "us-east-1"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("log_days = 30", "log_days = 31"), "log_days is one of"),
        (("log_days = 30", ""), "Object missing required field `log_days`"),
        (("log_days = 30", 'log_days = "30"'), "Expected `int`, got `str`"),
        (("log_days = 30", "log_days = 30\nlogdays = 1"), "unknown: logdays"),
        (("recovery_days = 7", "recovery_days = 36"), "recovery_days is 1 to 35"),
        (("payments = 2", "payments = 1"), "concurrency is 2 to 1000"),
        (("payments = 2", ""), "concurrency names each of the queues"),
        (("burst = 10", "burst = 0"), "requests.burst are 1 or more"),
        (("[requests]", "[requests"), "test.toml: "),
        (("[requests]", '[direct_retailers]\nAcme = ["x"]\n[requests]'), "direct_retailers"),
        (("[requests]", '[direct_retailers]\nacme = ["*"]\n[requests]'), "lists IAM roles"),
        (("[requests]", "[direct_retailers]\nacme = []\n[requests]"), "lists IAM roles"),
        (
            ("[requests]", '[public]\nname = "a b"\ncertificate_arn = "x"\n[requests]'),
            "a domain's name is a lower-case host name",
        ),
        (("[requests]", 'alarm_email = "nobody"\n[requests]'), "alarm_email is an address"),
        (("[requests]", "silent_hours_max = 25\n[requests]"), "silent_hours_max is 0"),
        (("[requests]", "[reserved]\nlook_again = 0\n[requests]"), "reserved is 1 or more"),
    ],
)
def test_says_which_line_cannot_be_used(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(InvalidStage) as refused:
        read(tmp_path, GOOD.replace(*change))

    assert said in str(refused.value)


def test_refuses_the_laptops_stage_and_stages_nobody_wrote(tmp_path: Path) -> None:
    with pytest.raises(InvalidStage, match="never deployed"):
        read_stage("local")
    with pytest.raises(InvalidStage, match=r"`staging` is no stage of \.chalice/config\.json"):
        read_stage("staging")
    with pytest.raises(InvalidStage, match=r"write test\.toml beside prod\.toml"):
        read_stage("test", folder=tmp_path)


def test_documents_every_setting() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text()
    names = {line.partition(" =")[0] for line in GOOD.splitlines() if " =" in line}

    assert [name for name in sorted(names) if f"`{name}`" not in guide] == []
