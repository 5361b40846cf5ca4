"""What a member wants to be told, and where. Pure.

A **service** notice says what became of the member's own stamps, offers and money. It needs no
consent; the member may still switch each kind off, in the bank's app and in the inbox. A
**marketing** notice says what one could buy or join. It needs a consent to its topic, given and
taken back at any time; without one it is not sent (PECR 2003, regulation 22).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.kernel.refusals import Misshapen
from chalicelib.members.notice_kinds import NoticeKind
from chalicelib.runtime.allowed_words import listed

LANGUAGE = "en"


class Channel(Enum):
    """Where a notice is shown."""

    BANK = "bank"  # in the bank's app, as soon as it happens
    INBOX = "inbox"  # in the list of all notices, when the member looks


class Topic(Enum):
    """What marketing may be about, each with a consent of its own."""

    OFFERS = "offers"  # campaigns to take part in
    PARTNERS = "partners"  # retailers that are new


TOPIC_BY_KIND = {
    NoticeKind.OFFER_ANNOUNCED: Topic.OFFERS,
    NoticeKind.PARTNER_JOINED: Topic.PARTNERS,
}
SERVICE_KINDS = tuple(kind for kind in NoticeKind if kind not in TOPIC_BY_KIND)

Mute = tuple[NoticeKind, Channel]


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent to marketing about one topic, and when it was given."""

    topic: Topic
    given_at: datetime


@dataclass(frozen=True, slots=True)
class NoticeChoices:
    """What a member chose. A new member is told everything of service, and no marketing."""

    muted: frozenset[Mute] = frozenset()
    consents: tuple[Consent, ...] = ()
    language: str = LANGUAGE

    def is_told(self, kind: NoticeKind, channel: Channel) -> bool:
        """Whether a notice of `kind` is shown on `channel`."""
        topic = TOPIC_BY_KIND.get(kind)
        return (kind, channel) not in self.muted and (topic is None or self.has_consented(topic))

    def has_consented(self, topic: Topic) -> bool:
        """Whether marketing about `topic` is wanted now."""
        return any(one.topic is topic for one in self.consents)


NOTHING_CHOSEN = NoticeChoices()


def with_topic(
    choices: NoticeChoices, topic: Topic, *, is_wanted: bool, now: datetime
) -> NoticeChoices:
    """`choices` with the consent given or taken back; one that stands keeps its time."""
    if is_wanted == choices.has_consented(topic):
        return choices
    others = tuple(one for one in choices.consents if one.topic is not topic)
    return replace(choices, consents=(*others, Consent(topic, now)) if is_wanted else others)


def with_mute(
    choices: NoticeChoices, kind: NoticeKind, channel: Channel, *, is_told: bool
) -> NoticeChoices:
    """`choices` with notices of `kind` shown on `channel`, or not."""
    change = frozenset({(kind, channel)})
    return replace(choices, muted=choices.muted - change if is_told else choices.muted | change)


def to_words(choices: NoticeChoices) -> str:
    """`choices` as they are stored: words with a space between. Empty for what nobody chose."""
    muted = sorted(f"off:{kind.value}:{channel.value}" for kind, channel in choices.muted)
    topics = [f"topic:{one.topic.value}:{one.given_at.isoformat()}" for one in choices.consents]
    language = [f"language:{choices.language}"] if choices.language != LANGUAGE else []
    return " ".join((*muted, *topics, *language))


def from_words(words: str) -> NoticeChoices:
    """What `to_words` wrote. Words of a later release are left out."""
    choices = NOTHING_CHOSEN
    for word in words.split():
        match word.split(":", 2):
            case ["off", kind, channel] if kind in _KINDS and channel in _CHANNELS:
                choices = with_mute(choices, NoticeKind(kind), Channel(channel), is_told=False)
            case ["topic", topic, given_at] if topic in _TOPICS:
                given = datetime.fromisoformat(given_at)
                choices = with_topic(choices, Topic(topic), is_wanted=True, now=given)
            case ["language", language]:
                choices = replace(choices, language=language)
    return choices


_KINDS = {kind.value for kind in NoticeKind}
_CHANNELS = {channel.value for channel in Channel}
_TOPICS = {topic.value for topic in Topic}


def kind_named(name: str, *, field: str) -> NoticeKind:
    """The kind called `name`. :raises Misshapen: there is none, and which there are."""
    if name not in _KINDS:
        kinds = listed(kind.value for kind in NoticeKind)
        detail = f"there is no such kind of notice; it is one of {kinds}"
        raise Misshapen(detail, field=field, code="notice_kind")
    return NoticeKind(name)
