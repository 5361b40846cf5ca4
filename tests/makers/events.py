"""The files in `events/`: one per message we accept or emit."""

from pathlib import Path

EVENTS = Path(__file__).parents[2] / "events"


def event(name: str) -> bytes:
    """The raw bytes of `events/<name>.json`."""
    return (EVENTS / f"{name}.json").read_bytes()
