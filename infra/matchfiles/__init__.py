"""The matcher on files: a retailer's own payments and receipts, joined without the platform."""
