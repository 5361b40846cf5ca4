"""Settings: typed, and failing by name where one is missing or wrong."""

from datetime import timedelta

import pytest

from chalicelib.runtime import queues, settings
from chalicelib.runtime.register import Retention


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (settings.stage.__wrapped__, "COUNTERFOIL_STAGE"),
        (settings.region, "AWS_DEFAULT_REGION"),
        (settings.public_url, "COUNTERFOIL_PUBLIC_URL"),
    ],
)
@pytest.mark.parametrize("is_set", [True, False], ids=["empty", "absent"])
def test_names_the_setting_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, read: object, name: str, is_set: bool
) -> None:
    if is_set:
        monkeypatch.setenv(name, "")
    else:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(settings.MissingSetting, match=name):
        read()  # type: ignore[operator]


@pytest.mark.parametrize("stage", ["Prod", "prod_1", "1prod", "p" * 22, "prod/x"])
def test_refuses_a_stage_that_cannot_stand_in_a_name(
    monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    monkeypatch.setenv("COUNTERFOIL_STAGE", stage)

    with pytest.raises(settings.InvalidSetting, match="COUNTERFOIL_STAGE"):
        settings.stage.__wrapped__()


def test_puts_the_stage_into_every_name() -> None:
    assert settings.queue("payments") == "counterfoil-test-payments"
    assert settings.table("tills") == "counterfoil-test-tills"
    assert settings.secret("master-key") == "counterfoil-test/master-key"
    assert settings.master_key_alias() == "alias/counterfoil-test-master"


def test_takes_hooks_at_the_public_url_unless_they_have_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for own, taken in (("", "https://api.counterfoil.test"), ("https://h.test/", "https://h.test")):
        monkeypatch.setenv("COUNTERFOIL_HOOKS_URL", own)
        assert settings.hooks_url() == taken


def test_finds_the_queue_of_an_arn() -> None:
    arn = "arn:aws:sqs:eu-west-2:123456789012:counterfoil-test-receipts-from-acme"

    assert queues.name_of(arn) == "receipts-from-acme"


def test_allows_private_hosts_only_where_a_local_stack_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for value, allowed in (("allowed", True), ("", False), ("1", False), ("true", False)):
        monkeypatch.setenv("COUNTERFOIL_PRIVATE_HOSTS", value)
        assert settings.private_hosts_allowed() is allowed


@pytest.mark.parametrize(
    ("lasts", "ended_by"), [(None, None), (timedelta(days=1), "removed by an operator")]
)
def test_refuses_a_retention_rule_without_one_clear_end(
    lasts: timedelta | None, ended_by: str | None
) -> None:
    with pytest.raises(ValueError, match="either a length or an end"):
        Retention(name="a", reason="For these tests.", lasts=lasts, ended_by=ended_by)
