"""The receipt as a page to read, print (A4 or 80 mm) or keep as PDF. Nothing is loaded from
elsewhere; every text is escaped.
"""

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from chalicelib.network.model import Retailer, Store
from chalicelib.receipts import code128
from chalicelib.receipts.canonical import Receipt
from chalicelib.receipts.drawing import describe_tax
from chalicelib.receipts.public_shapes import PublicReceipt
from chalicelib.receipts.rendering import to_public

CODE_128 = "code_128"
TEMPLATES = Path(__file__).parent / "templates"


def draw_page(receipt: Receipt, *, retailer: Retailer, store: Store) -> str:
    """`receipt` as one HTML document.

    :raises UnknownZone: the store's zone is not in the IANA database.
    """
    public = to_public(receipt, retailer=retailer, store=store)
    return _template().render(
        receipt=public,
        issued=datetime.fromisoformat(public.local_time),
        barcode=_barcode(public),
        describe_tax=describe_tax,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("receipt.html")


def _barcode(public: PublicReceipt) -> Markup | None:
    """A Code 128 as an image; of other symbologies, and of what does not fit, only the text."""
    barcode = public.return_.barcode if public.return_ else None
    if barcode is None or barcode.symbology.lower().replace("-", "_") != CODE_128:
        return None
    try:
        return Markup(code128.to_svg(barcode.value))
    except code128.NotCode128:
        return None
