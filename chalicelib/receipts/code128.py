"""Code 128 barcodes as SVG (ISO/IEC 15417): character sets B and C, check symbol, quiet zones."""

import re

from chalicelib.kernel.refusals import NotAllowed

TEXT_LENGTH_MAX = 80  # The most the symbology allows.
QUIET_MODULES = 10
HEIGHT_MODULES = 40

_START_B, _START_C, _STOP = 104, 105, 106
_DIGIT_PAIRS = re.compile(r"(?:\d\d)+", re.ASCII)
_SET_B = re.compile(r"[ -~]+", re.ASCII)

# Widths of bar, space, bar, … in modules, by symbol value (table 1 of the standard).
_TABLE = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 "
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 "
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 "
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 "
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 "
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 "
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 "
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 "
    "211214 211232 2331112"
)
_WIDTHS = tuple(_TABLE.split())


class NotCode128(NotAllowed):
    """The text cannot be written in the character sets B and C, or is too long."""

    code = "not_code_128"


def symbols(text: str) -> list[int]:
    """The symbol values of `text`, from start to stop, with the check symbol.

    :raises NotCode128: not printable ASCII, empty, or over 80 characters.
    """
    if not _SET_B.fullmatch(text) or len(text) > TEXT_LENGTH_MAX:
        raise NotCode128("only 1 to 80 printable ASCII characters fit a Code 128 barcode")
    if _DIGIT_PAIRS.fullmatch(text):
        values = [_START_C, *(int(text[at : at + 2]) for at in range(0, len(text), 2))]
    else:
        values = [_START_B, *(ord(character) - 32 for character in text)]
    check = sum(value * max(place, 1) for place, value in enumerate(values)) % 103
    return [*values, check, _STOP]


def to_svg(text: str) -> str:
    """`text` as an SVG image, one unit per module, the text itself left to its surroundings.

    Only numbers vary in it, so that it is safe in any page.
    :raises NotCode128: see `symbols`.
    """
    at, bars = QUIET_MODULES, []
    for value in symbols(text):
        for place, width in enumerate(map(int, _WIDTHS[value])):
            if place % 2 == 0:
                bars.append(f"M{at} 0h{width}v{HEIGHT_MODULES}h-{width}z")
            at += width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {at + QUIET_MODULES} '
        f'{HEIGHT_MODULES}" role="img" aria-label="Barcode" preserveAspectRatio="none" '
        f'shape-rendering="crispEdges"><path d="{"".join(bars)}"/></svg>'
    )
