"""What goes out: receipts delivered to banks, with retries and replay."""
