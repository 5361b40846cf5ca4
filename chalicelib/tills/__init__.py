"""One module per till format, and the pages on which receipts wait."""
