"""The canonical receipt: its shape, rules, versions, returns and renderings."""
