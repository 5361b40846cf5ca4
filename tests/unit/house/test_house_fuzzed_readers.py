"""Whatever an outsider writes ends in a reading or a refusal: for every reader there is."""

import ast
import json
import re
import time
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from chalicelib.banks.payments import BankReading
from chalicelib.kernel.refusals import Rejected
from chalicelib.network.model import Provider
from chalicelib.purchases.messages import PaymentMessage, decode_payments, encode
from infra.fuzzing.mutating import CARD_NUMBERS, mutated
from infra.fuzzing.mutating import broken as broken_bytes
from tests.architecture.sources import ROOT
from tests.makers.banks import NOON
from tests.makers.fuzzing import READERS, Reader, ending

BY_NAME = [pytest.param(reader, id=reader.name) for reader in READERS.values()]
CPU_SECONDS_MAX = 3.0  # What is linear takes a tenth of it; what is quadratic, ten times.
LONG = 60_000
LONG_SHAPES = {
    "open arrays": b"[" * LONG,
    "open objects": b'{"a":' * (LONG // 5),
    "digits": b"4" * LONG,
    "digits in a text": b'"' + b"4" * LONG + b'"',
    "groups of digits": b'"' + b"4242 " * (LONG // 5) + b'"',
    "digits and dashes": b'["' + b"4-" * (LONG // 2) + b'"]',
    "escapes": b'"' + b"\\u0041" * (LONG // 6) + b'"',
    "spaces": b" " * LONG,
    "small numbers": b"[" + b"1," * (LONG // 2) + b"1]",
    "small objects": b"[" + b"{}," * (LONG // 3) + b"{}]",
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(LONG // 10)) + b"}",
    "form fields": b"a=b&" * (LONG // 4),
    "per cents": b"a=" + b"%" * LONG,
    "quotes": b'"' * LONG,
    "commas": b"," * LONG,
    "line ends": b"\n" * LONG,
}
READERS_TAKE = {"body", "raw", "request", "path"}
SLIPPED_IN = re.compile("|".join(rf"(?<!\d){'[ -]?'.join(one)}(?!\d)" for one in CARD_NUMBERS))
PARTS_OF_READERS = {
    "chalicelib.banks.entries.read_entries",  # Of both Flux formats.
    "chalicelib.banks.flux_v1.verify_request_signature",  # Likewise.
    "chalicelib.tills.entries.read_body",  # Of both tills' formats.
    "chalicelib.runtime.wire.parse_json",  # Of `read_json`.
}


def check(reader: Reader, reading: object) -> None:
    """What was read can go on: it can be stored, and holds no card number that was slipped in."""
    assert reader.is_ours or not SLIPPED_IN.search(repr(reading))
    if not isinstance(reading, BankReading):
        return
    for event in reading.events:
        assert event.amount.minor > 0
        assert event.made_at.utcoffset() is not None
        message = PaymentMessage(event, NOON)
        assert decode_payments(encode(message)) == message


@pytest.mark.parametrize("reader", BY_NAME)
def test_reads_its_true_samples(reader: Reader) -> None:
    for sample in reader.samples:
        if not reader.name.startswith("proof"):
            assert not isinstance(ending(reader, sample), Rejected)


@pytest.mark.parametrize("reader", BY_NAME)
@settings(max_examples=25)
@given(raw=st.binary(max_size=200))
def test_any_bytes_end_in_a_reading_or_a_refusal(reader: Reader, raw: bytes) -> None:
    check(reader, ending(reader, raw))


@pytest.mark.requirement("SEC-05")
@pytest.mark.parametrize("reader", BY_NAME)
@settings(max_examples=100)
@given(seed=st.integers(0, 2**48))
def test_a_true_message_that_is_spoilt_ends_in_a_reading_or_a_refusal(
    reader: Reader, seed: int
) -> None:
    random = Random(seed)
    sample = random.choice(reader.samples)
    spoilt = mutated(sample, random) if reader.is_json else broken_bytes(sample, random)
    note(repr(spoilt[:2_000]))
    check(reader, ending(reader, spoilt))


@pytest.mark.parametrize("reader", BY_NAME)
def test_time_grows_no_faster_than_what_is_sent(reader: Reader) -> None:
    began = time.process_time()
    for raw in LONG_SHAPES.values():
        ending(reader, raw)

    assert time.process_time() - began < CPU_SECONDS_MAX


def _functions_that_read() -> Iterator[str]:
    """Every public function whose first argument is what an outsider wrote, by its dotted name."""
    files = [*(ROOT / "chalicelib").rglob("*.py"), *(ROOT / "infra" / "importing").rglob("*.py")]
    for path in files:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and _reads(node):
                yield f"{module}.{node.name}"


def _reads(node: ast.FunctionDef) -> bool:
    verb = node.name.split("_")[0]
    first = node.args.args[0].arg if node.args.args else ""
    return verb in {"read", "decode", "parse", "verify"} and first in READERS_TAKE


def test_every_reader_of_what_outsiders_write_is_fuzzed() -> None:
    fuzzed = {name for reader in READERS.values() for name in reader.covers}

    assert set(_functions_that_read()) == fuzzed | PARTS_OF_READERS


def test_every_provider_is_fuzzed_with_its_own_events_and_proof() -> None:
    for provider in Provider:
        assert READERS[f"bank {provider.value}"].samples
        assert READERS[f"proof {provider.value}"].samples


def test_a_spoilt_message_is_mostly_json_still_and_seldom_what_it_was() -> None:
    """Else the fuzzing would only ever meet the parser, or nothing at all."""
    sample = READERS["till native"].samples[0]
    unspoilt = json.dumps(json.loads(sample)).replace(" ", "").encode()
    reader = READERS["json"]
    spoilt = [mutated(sample, Random(seed)) for seed in range(400)]

    parsed = [raw for raw in spoilt if not isinstance(ending(reader, raw), Rejected)]
    assert len(parsed) > 120
    assert spoilt.count(unspoilt) < 20


@pytest.mark.parametrize("name", ["queue payments", "queue deliveries"])
def test_a_queue_message_nested_without_end_is_refused_and_no_bug(name: str) -> None:
    refusal = ending(READERS[name], b'{"a":' * 5_000 + b"1" + b"}" * 5_000)

    assert isinstance(refusal, Rejected)
    assert refusal.code == "malformed"
