"""What the documents must say: every field of a wire shape, every metric."""

import ast
import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from chalicelib.api import member_shapes, returns
from chalicelib.banks import fidel, flux_v1, flux_v2, monzo, standard, standard_receipts, starling
from chalicelib.receipts.public_shapes import PublicReceipt
from chalicelib.tills import flux, messages, native_shapes
from tests.architecture.sources import ROOT, python_files

SHAPES = {
    "connect-a-bank.md": (
        standard.StandardEvent,
        standard_receipts.ReceiptEvent,
        member_shapes.MemberBody,
        member_shapes.FluxAccountBody,
        member_shapes.PreferencesBody,
    ),
    "bank-formats.md": (
        flux_v1.FluxBankTransaction,
        flux_v2.FluxBankTransactionV2,
        monzo.MonzoEnvelope,
        monzo.MonzoTransaction,
        starling.StarlingEnvelope,
        starling.StarlingFeedItem,
        fidel.FidelTransaction,
    ),
    "connect-a-till.md": (
        native_shapes.NativeReceipt,
        messages.ReceiptsMessage,
        flux.FluxMerchantEntry,
        returns.VerifyReturn,
        returns.VerifiedReceipt,
    ),
}
READ_IN_OPENAPI = {PublicReceipt}


def fields_of(shape: Any) -> Iterator[str]:
    """The JSON names of `shape` and of all structs in it."""
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        for inner in get_args(shape):
            yield from fields_of(inner)
        return
    if shape in READ_IN_OPENAPI:
        return
    yield from shape.__struct_encode_fields__
    for inner in get_type_hints(shape).values():
        yield from fields_of(inner)


def words_in_code(text: str) -> set[str]:
    """Every word of `text` that stands in backticks or in a block of code."""
    return set(re.findall(r"\w+", " ".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))))


@pytest.mark.parametrize("document", SHAPES)
def test_names_every_field_of_a_wire_shape(document: str) -> None:
    said = words_in_code((ROOT / "docs" / document).read_text("utf-8"))

    fields = {field for shape in SHAPES[document] for field in fields_of(shape)}

    assert fields - said == set()


def test_finds_fields_of_inner_structs_and_words_in_code() -> None:
    assert {"type", "data", "made_at", "minor", "auth_code"} <= set(
        fields_of(standard.StandardEvent)
    )
    assert words_in_code("a `b.c` d\n```sh\ne\n```\n") == {"b", "c", "sh", "e"}


def metrics_counted() -> set[str]:
    """The names of everything the platform counts."""
    return {
        ast.literal_eval(node.args[0])
        for source in python_files()
        if source.is_in("chalicelib/")
        for node in source.nodes
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("observability.count", "observability.observe")
    }


def test_explains_every_metric_and_no_other() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")

    explained = set(re.findall(r"^\| `(\w+)` \|", text, re.M))

    assert "matched" in explained
    assert explained == metrics_counted()


def test_lists_every_document_in_the_index() -> None:
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text("utf-8")

    linked = set(re.findall(r"\]\(([^)#:]+\.md)\)", index))

    assert {str(path.relative_to(docs)) for path in docs.glob("**/*.md")} - linked == {"README.md"}
