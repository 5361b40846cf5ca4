"""A retailer's statement as a PDF (A4), for whoever sends invoices.

fpdf2 is a tool and does not ship: with the libraries that it needs it would weigh a third of all
that does. The core fonts of PDF know Latin-1 only; what a name has beyond that is written as `?`.
"""

from datetime import UTC, datetime, time

from chalicelib.ledger.printing import COLUMNS, to_rows
from chalicelib.ledger.statements import Statement

_SHOWN = COLUMNS[2:]
_WIDTHS = (58, 18, 18, 22, 22, 22, 26)
_LINE = 7


def to_pdf(statement: Statement, *, name: str) -> bytes:
    """The statement as one document; `name` is the retailer's. The same gives the same bytes."""
    from fpdf import FPDF  # Heavy, and rarely asked for.

    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime.combine(statement.closed_until, time(), UTC))
    pdf.set_title(f"Statement {statement.period.name}")
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 15)
    pdf.multi_cell(0, 10, f"Rewards statement {statement.period.name}", new_x="LMARGIN")
    pdf.set_font("Helvetica", "", 10)
    pdf.multi_cell(0, _LINE, _latin(f"{name} ({statement.retailer_id})"), new_x="LMARGIN")
    pdf.multi_cell(0, _LINE, _standing(statement), new_x="LMARGIN")
    pdf.ln(4)
    pdf.set_font("Helvetica", "", 8)
    with pdf.table(col_widths=_WIDTHS, text_align=("LEFT", *["RIGHT"] * 6)) as table:
        for cells in (_SHOWN, *(row[2:] for row in to_rows(statement))):
            row = table.row()
            for cell in cells:
                row.cell(_latin(cell))
    pdf.ln(4)
    last = statement.last_hash or "none"
    pdf.multi_cell(0, 5, f"Hash of the month's last day: {last}", new_x="LMARGIN")
    return bytes(pdf.output())


def _standing(statement: Statement) -> str:
    if statement.is_final:
        return "Every day of the month is closed."
    return f"Provisional: days from {statement.closed_until} on are not in it."


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
