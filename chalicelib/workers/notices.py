"""Notices: telling banks what became of their customers' rewards, many at a time."""

import os
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from chalice import Blueprint

from chalicelib.kernel.ids import encode_id
from chalicelib.kernel.refusals import Rejected, TryAgain
from chalicelib.members.announcing import Announcement, from_message
from chalicelib.members.messages import NoticeMessage
from chalicelib.notices import replaying, sending
from chalicelib.notices.launching import service as launching
from chalicelib.notices.messages import (
    LaunchMessage,
    ReplayMessage,
    TellPageMessage,
    decode_notices,
)
from chalicelib.notices.sending import Run
from chalicelib.runtime import clock, observability, queues, settings
from chalicelib.workers.rim import Message, all_messages, attempt, is_handled, refuse

BATCH_MESSAGES = 100  # One page of a bank's log holds them all in a few kilobytes.
GATHERING_SECONDS = 5  # Many share a page of the log, and nobody misses five seconds.
TELLING_SECONDS = 45  # Then the rest is left. One more call may take twenty, of ninety in all.
PAGE_ID_BYTES = 17

bp = Blueprint(__name__)


@bp.on_sqs_message(
    queue=settings.queue(queues.NOTICES),
    batch_size=BATCH_MESSAGES,
    maximum_batching_window_in_seconds=GATHERING_SECONDS,
)
@all_messages
def send_notices(messages: Sequence[Message]) -> Collection[str]:
    """Log and tell what was announced; tell on, or again, what stands in the log."""
    run = Run(clock.now(), has_time=_time_of(clock.now() + timedelta(seconds=TELLING_SECONDS)))
    announced: dict[str, Announcement] = {}
    failed: set[str] = set()
    for message in messages:
        try:
            said = _read(message.body)
        except Rejected as refusal:
            refuse(queues.NOTICES, message.body, refusal)
            continue
        if isinstance(said, Announcement):
            announced[message.message_id] = said
        elif not is_handled(partial(_tell_on, said=said, run=run), message):
            failed.add(message.message_id)
    if announced and not _is_sent(list(announced.values()), run):
        failed |= set(announced)
    return failed


def _time_of(until: datetime) -> Callable[[], bool]:
    return lambda: clock.now() < until


def _read(body: str) -> Announcement | TellPageMessage | ReplayMessage | LaunchMessage:
    said = decode_notices(body)
    return from_message(said) if isinstance(said, NoticeMessage) else said


def _tell_on(
    _message: Message, *, said: TellPageMessage | ReplayMessage | LaunchMessage, run: Run
) -> None:
    match said:
        case ReplayMessage():
            replaying.replay(said, now=run.now)
        case LaunchMessage():
            launching.go_on(said, now=run.now)
        case TellPageMessage():
            sending.tell_on(said, run)
        case unreachable:
            assert_never(unreachable)


def _is_sent(announced: Sequence[Announcement], run: Run) -> bool:
    """Whether all that was `announced` is logged, and told or left for later."""
    step = partial(sending.send, announced, run, new_page_id=_new_page_id)
    try:
        return attempt(queues.NOTICES, "notices", step)
    except TryAgain:
        observability.count("messages_put_off", queue=queues.NOTICES)
        return False


def _new_page_id() -> str:
    return encode_id(os.urandom(PAGE_ID_BYTES))
