"""An API whose areas are imported when they are asked for.

See docs/decisions/0098-areas-are-imported-when-they-are-asked-for.md.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from chalice import Chalice


class Assembly(Chalice):
    """A Chalice app of `areas`: dotted names of modules, each with a blueprint `bp`.

    An area is imported with the first request for one of its routes, and all before it are. No two
    areas serve the same path, so a path that is known is known whole.
    """

    def __init__(self, app_name: str, areas: Sequence[str]) -> None:
        super().__init__(app_name=app_name)
        self._to_come = list(areas)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Answer a request as API Gateway hands it over (payload format 1.0)."""
        self.reach(event.get("requestContext", {}).get("resourcePath"))
        answer: dict[str, Any] = super().__call__(event, context)
        return answer

    def reach(self, path: str | None) -> None:
        """Import areas until one serves `path`, a pattern such as `/hooks/{hook}`."""
        while self._to_come and path not in self.routes:
            self._register(self._to_come.pop(0))

    def import_everything(self, workers: Sequence[str]) -> None:
        """Import all areas and `workers`, as Chalice's tools need them."""
        self.reach(None)
        for name in workers:
            self._register(name)

    def _register(self, name: str) -> None:
        self.register_blueprint(import_module(name).bp)
