"""The local stack: an embedded AWS, the app over HTTP, and the pump, in one process.

The environment is set here, before the app and its row types are imported, because stage and table
names are part of them. Everything listens on loopback and stops with the stack.
"""

import importlib
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from chalice import Chalice
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    CustomLocalChalice,
    LocalChalice,
    LocalDevServer,
)

from chalicelib.runtime import aws, clock, queues, settings, vault
from infra import master_keys, resources
from infra.local.clockwork import SteppableClock
from infra.local.embedded_aws import EmbeddedAws
from infra.local.pump import Pump

STAGE = "local"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "COUNTERFOIL_PRIVATE_HOSTS": "allowed",  # The sandbox bank lives on loopback.
}
GATEWAY_SECONDS = 29  # API Gateway's own limit for an answer.


def counterfoil_app() -> Chalice:
    """The app that ships, imported only when the environment is there."""
    app: Chalice = importlib.import_module("app").app
    return app


class Stack:
    """A running stack. `base_url` is where the app answers; `pump` moves its queues."""

    def __init__(
        self,
        load_app: Callable[[], Chalice] = counterfoil_app,
        *,
        port: int = 0,
        stage: str = STAGE,
        use_clock: SteppableClock | None = None,
        polls: bool = True,
    ) -> None:
        """Start everything; `port` 0 picks a free one. `use_clock` None means real time. Without
        `polls` the workers stand still but for `pump.drain`.
        """
        self._after = ExitStack()
        try:
            if use_clock is not None:  # First: the ring of master keys is made at some time.
                clock.use(use_clock.now)
                self._after.callback(clock.use, None)
            self._start_aws(stage)
            self.app = load_app()
            self.base_url = self._serve(port)
            self.pump = Pump(self.app)
            if polls:
                self.pump.start(gathers=use_clock is None)
            self._after.callback(self.pump.stop)
        except BaseException:
            self._after.close()
            raise

    def stop(self) -> None:
        """Stop everything, last started first, and put the environment back."""
        self._after.close()

    def skip_queue_time(self, seconds: float) -> None:
        """Let `seconds` pass for delays and back-offs of the queues, at once."""
        self._aws.skip(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_aws(self, stage: str) -> None:
        self._aws = EmbeddedAws()
        self._after.callback(self._aws.stop)
        variables = {"AWS_ENDPOINT_URL": self._aws.url, "COUNTERFOIL_STAGE": stage}
        self._set_environment(ENVIRONMENT | variables)
        self._after.callback(_forget)
        _forget()
        resources.create_kms_key(aws.client("kms"))
        master_keys.set_up(os.urandom, now=clock.now())
        resources.create_tables(aws.client("dynamodb"))
        resources.create_queues(aws.client("sqs"))

    def _serve(self, port: int) -> str:
        _make_threadsafe(self.app)
        config = Config(
            chalice_stage="local",
            config_from_disk={"app_name": "counterfoil", "lambda_timeout": GATEWAY_SECONDS},
        )
        gateway = LocalDevServer(self.app, config, "127.0.0.1", port, handler_cls=_QuietGateway)
        thread = threading.Thread(
            target=gateway.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        thread.start()
        self._after.callback(thread.join)
        self._after.callback(gateway.server.server_close)
        self._after.callback(gateway.shutdown)
        base_url = f"http://127.0.0.1:{gateway.server.server_address[1]}"
        self._set_environment({"COUNTERFOIL_PUBLIC_URL": base_url})
        return base_url

    def _set_environment(self, values: Mapping[str, str]) -> None:
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        self._after.callback(_restore_environment, before)
        settings.stage.cache_clear()


class _QuietGateway(ChaliceRequestHandler):
    disable_nagle_algorithm = True  # Head and body are two writes; waiting costs 40 ms.

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing: the app logs what matters itself."""


def _make_threadsafe(app: Chalice) -> None:
    """Give each thread its own `current_request`, as `chalice local` does."""
    if not isinstance(app, CustomLocalChalice):
        CustomLocalChalice.__bases__ = (LocalChalice, app.__class__)
        app.__class__ = CustomLocalChalice


def _forget() -> None:
    """Drop from memory the clients, addresses and keys of another AWS, and what it held."""
    # Their import needs the stage.
    from chalicelib.api import tills
    from chalicelib.matching.timekeeping import service as timekeeping
    from chalicelib.network import service as network
    from chalicelib.network.access import keys
    from chalicelib.payouts import remembered as remembered_payouts
    from chalicelib.runtime import rows

    aws.forget_clients()
    queues.forget_urls()
    vault.forget_keys()
    rows.forget_connections()
    network.forget()
    timekeeping.forget()
    keys.forget()
    tills.forget()
    remembered_payouts.forget()


def _restore_environment(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    settings.stage.cache_clear()
