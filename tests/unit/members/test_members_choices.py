"""What a member chose is kept whole, and read by releases that know less and more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.members.choices import (
    NOTHING_CHOSEN,
    SERVICE_KINDS,
    TOPIC_BY_KIND,
    Channel,
    Consent,
    NoticeChoices,
    Topic,
    from_words,
    to_words,
    with_mute,
    with_topic,
)
from chalicelib.members.notice_kinds import NoticeKind

AT = datetime(2026, 10, 25, 1, 30, 0, 250_000, tzinfo=UTC)

choices = st.builds(
    NoticeChoices,
    muted=st.frozensets(st.tuples(st.sampled_from(NoticeKind), st.sampled_from(Channel))),
    consents=st.lists(st.sampled_from(Topic), unique=True).map(
        lambda topics: tuple(Consent(topic, AT) for topic in topics)
    ),
    language=st.sampled_from(["en", "cy", "de"]),
)


@given(choices)
def test_a_round_trip_loses_nothing(chosen: NoticeChoices) -> None:
    assert from_words(to_words(chosen)) == chosen


def test_what_nobody_chose_takes_no_room() -> None:
    assert to_words(NOTHING_CHOSEN) == ""
    assert from_words("") == NOTHING_CHOSEN


def test_words_of_a_later_release_are_left_out() -> None:
    words = "off:expiring:bank off:crowned:bank off:expiring:fax topic:weather:x colour:red"

    assert from_words(words).muted == {(NoticeKind.EXPIRING, Channel.BANK)}


@pytest.mark.requirement("LOY-17")
@pytest.mark.parametrize("kind", SERVICE_KINDS)
def test_service_needs_no_consent_and_can_be_switched_off_by_channel(kind: NoticeKind) -> None:
    quiet = with_mute(NOTHING_CHOSEN, kind, Channel.BANK, is_told=False)

    assert NOTHING_CHOSEN.is_told(kind, Channel.BANK)
    assert not quiet.is_told(kind, Channel.BANK)
    assert quiet.is_told(kind, Channel.INBOX)
    assert with_mute(quiet, kind, Channel.BANK, is_told=True) == NOTHING_CHOSEN


@pytest.mark.requirement("OFR-14")
@pytest.mark.parametrize(("kind", "topic"), TOPIC_BY_KIND.items())
def test_marketing_needs_a_consent_to_its_own_topic(kind: NoticeKind, topic: Topic) -> None:
    (other,) = set(Topic) - {topic}
    asked = with_topic(NOTHING_CHOSEN, topic, is_wanted=True, now=AT)

    assert not NOTHING_CHOSEN.is_told(kind, Channel.BANK)
    assert not with_topic(NOTHING_CHOSEN, other, is_wanted=True, now=AT).is_told(kind, Channel.BANK)
    assert asked.is_told(kind, Channel.BANK)
    assert not with_mute(asked, kind, Channel.BANK, is_told=False).is_told(kind, Channel.BANK)


def test_a_consent_keeps_its_time_until_it_is_taken_back() -> None:
    given_once = with_topic(NOTHING_CHOSEN, Topic.OFFERS, is_wanted=True, now=AT)
    later = AT + timedelta(days=1)

    again = with_topic(given_once, Topic.OFFERS, is_wanted=True, now=later)
    anew = with_topic(
        with_topic(again, Topic.OFFERS, is_wanted=False, now=later),
        Topic.OFFERS,
        is_wanted=True,
        now=later,
    )

    assert again == given_once
    assert anew == replace(given_once, consents=(Consent(Topic.OFFERS, later),))
