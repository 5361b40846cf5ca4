"""Tables in documents that a command writes, so that nobody copies a figure by hand.

Each stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`.
"""

import re
from collections.abc import Mapping


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """`text` with each table in its place.

    :raises ValueError: a table has no place, or several.
    """
    for name, table in tables.items():
        place = re.compile(f"(<!-- {name}: begin -->).*?(<!-- {name}: end -->)", re.DOTALL)
        if len(place.findall(text)) != 1:
            raise ValueError(f"the document has not one place for {name}")
        before, begin, end, after = place.split(text)
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text
