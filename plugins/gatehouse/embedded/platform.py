"""Starts and stops the platform: one thread, one event loop, one loopback port for each system."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
import yaml
from starlette.types import ASGIApp

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded import scenarios
from gatehouse.embedded.certificates import Authority, Certificate
from gatehouse.embedded.clock import Timings, dated, set_ahead
from gatehouse.embedded.code_host.api import PREFIX
from gatehouse.embedded.coder.upgrade import upgrade
from gatehouse.embedded.configuration import coder_settings, preview_settings, smoke_settings
from gatehouse.embedded.seed import DOMAIN, PULL_REQUEST, Credentials, Urls, seed
from gatehouse.embedded.systems import SHOP, Systems

Result = TypeVar("Result")

#: Seconds the start and the end of the platform may take.
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0

#: Every answer carries this in its `Server` header, so that evidence gathered here can be told apart.
SERVER = "gatehouse-embedded"

#: The systems in the order of their ports, and those that are always served over HTTPS.
_NAMES = ("code_host", "coder", "kubernetes", "argocd", "preview", "registry")
_HTTPS = {"kubernetes"}


class PlatformError(Exception):
    """The platform cannot start; the message says why and what to do."""


class Platform:
    """The embedded platform. Use as a context manager, or call `start` and `stop`."""

    def __init__(
        self,
        scenario_names: Sequence[str] = ("happy",),
        *,
        timings: Timings | None = None,
        first_port: int = 0,
        sample: Path | None = None,
    ) -> None:
        """`first_port` is the first of six consecutive ports; 0 chooses free ones."""
        self._scenario_names = tuple(scenario_names)
        self._timings = timings or Timings()
        self._first_port = first_port
        self._sample = sample
        self._owner = ProcessOwner()
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._systems: Systems | None = None
        self._https: set[str] = set()
        self.folder = Path()
        self._authority: Authority
        self.urls: Urls
        self.credentials: Credentials

    def __enter__(self) -> Platform:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return when every system listens. Raises `PlatformError`, `UnknownScenarioError`."""
        if shutil.which("git") is None:
            raise PlatformError(
                "the embedded platform needs git, which is not on the PATH\n"
                "  next: install git (Debian and Ubuntu: apt-get install git)"
            )
        sockets = self._bind()
        ports = dict(zip(_NAMES, (each.getsockname()[1] for each in sockets), strict=True))
        self._https = _HTTPS | scenarios.https_systems(self._scenario_names)
        self.urls = Urls(
            **{
                name: f"{'https' if name in self._https else 'http'}://127.0.0.1:{port}"
                for name, port in ports.items()
            }
        )
        self.folder = Path(tempfile.mkdtemp(prefix="gatehouse-embedded-"))
        self._authority = Authority(self.folder)
        self._thread = threading.Thread(
            target=self._run, args=(sockets,), name="embedded platform", daemon=True
        )
        self._thread.start()
        if not self._started.wait(START_TIMEOUT):
            self.stop()
            raise PlatformError(f"the embedded platform did not start within {START_TIMEOUT:.0f} s")
        if self._failure:
            failure = self._failure
            self.stop()
            raise failure
        self._write_configuration()

    def stop(self) -> None:
        """Stop every system, end every process and remove the folder."""
        if self._loop and self._stop and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_TIMEOUT)
        self._owner.stop_all()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, function: Callable[[Systems], Result]) -> Result:
        """Run `function` on the systems in their own thread, and return what it returns."""
        assert self._loop and self._systems, "the platform has not been started"

        async def run() -> Result:
            assert self._systems
            return function(self._systems)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(START_TIMEOUT)

    def upgrade(self, scenario_names: Sequence[str] = ()) -> None:
        """Upgrade Coder under the workspaces that there are; then things are as the scenarios say.

        Raises `UnknownScenarioError`.
        """

        def change(systems: Systems) -> None:
            upgrade(systems)
            scenarios.apply(systems, scenario_names)

        self.call(change)

    # --- what its users need -------------------------------------------------------------------------

    @property
    def configuration_file(self) -> Path:
        """A `gatehouse.yaml` with this platform as its only target."""
        return self.folder / "gatehouse.yaml"

    @property
    def kubeconfig(self) -> Path:
        """For kubectl and Kubernetes clients."""
        return self.folder / "kubeconfig"

    @property
    def authority(self) -> Path:
        """The certificate of the authority that signed every other one here, for clients to trust."""
        return self._authority.file

    def environment(self) -> dict[str, str]:
        """The variables to export, for Gatehouse and for the systems' own tools."""
        return {
            "GATEHOUSE_CONFIG": str(self.configuration_file),
            "CODER_URL": self.urls.coder,
            "CODER_SESSION_TOKEN": self.credentials.coder,
            "ARGOCD_SERVER": self.urls.argocd,
            "ARGOCD_AUTH_TOKEN": self.credentials.argocd,
            "KUBECONFIG": str(self.kubeconfig),
            "GITHUB_API_URL": self.urls.code_host + PREFIX,
            "GITHUB_REPOSITORY": SHOP,
            "GITHUB_TOKEN": self.credentials.code_host,
        }

    def _write_configuration(self) -> None:
        def secret(name: str, value: str) -> dict[str, str]:
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(value)
            return {"file": str(path)}

        target: dict[str, Any] = {
            "embedded": True,
            "coder": coder_settings(self.urls.coder, secret("coder-token", self.credentials.coder)),
            "argocd": {"server": self.urls.argocd, "token": secret("argocd-token", self.credentials.argocd)},
            "kubernetes": {"kubeconfig": str(self.kubeconfig)},
            "github": {
                "api_url": self.urls.code_host + PREFIX,
                "repository": SHOP,
                "token": secret("code-host-token", self.credentials.code_host),
            },
            "preview": preview_settings(
                {name: self._preview_url(name) for name in ("www", "platform")},
                self.urls.registry,
                self.call(lambda systems: systems.identity.url),
            ),
            "smoke": self.call(lambda systems: smoke_settings(systems, self.urls, self._authority.file)),
            "task": {
                "template": "task",
                "profile": "code",
                "budgets": {"start": 60, "provenance": 20, "command": 60, "evidence": 30, "teardown": 30},
            },
        }
        configuration = {"version": 1, "default_target": "embedded", "targets": {"embedded": target}}
        self.configuration_file.write_text(yaml.safe_dump(configuration, sort_keys=False))
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "embedded",
                    "clusters": [
                        {
                            "name": "embedded",
                            "cluster": {
                                "server": self.urls.kubernetes,
                                "certificate-authority": str(self.authority),
                            },
                        }
                    ],
                    "users": [{"name": "gatehouse", "user": {"token": self.credentials.kubernetes}}],
                    "contexts": [
                        {"name": "embedded", "context": {"cluster": "embedded", "user": "gatehouse"}}
                    ],
                }
            )
        )

    def _preview_url(self, service: str) -> str:
        return self.call(
            lambda systems: self.urls.preview_url(service, systems.preview_domains.get(service, DOMAIN))
        )

    # --- the thread ----------------------------------------------------------------------------------

    def _bind(self) -> list[socket.socket]:
        sockets: list[socket.socket] = []
        for offset in range(len(_NAMES)):
            port = self._first_port + offset if self._first_port else 0
            # With the protocol named, asyncio turns Nagle's algorithm off; else each answer waits for 40 ms.
            bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                bound.bind(("127.0.0.1", port))
            except OSError as error:
                for each in [*sockets, bound]:
                    each.close()
                if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                    raise PlatformError(
                        f"port {port} on 127.0.0.1 cannot be used: {error.strerror}. The embedded platform needs "
                        f"ports {self._first_port} to {self._first_port + len(_NAMES) - 1}; choose another first "
                        "port, or leave it out to have free ones chosen"
                    ) from error
                raise
            sockets.append(bound)
        return sockets

    def _run(self, sockets: list[socket.socket]) -> None:
        try:
            asyncio.run(self._main(sockets))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called start()
            self._failure = error
        finally:
            for each in sockets:
                each.close()
            self._started.set()

    async def _main(self, sockets: list[socket.socket]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        set_ahead(scenarios.clock_ahead(self._scenario_names))
        systems = Systems(self.folder, self._timings, self._owner)
        authority = self._authority.file.read_text()
        self.credentials = seed(systems, self.urls, authority, self._sample)
        scenarios.apply(systems, self._scenario_names)
        self._systems = systems
        applications: tuple[ASGIApp, ...] = (
            systems.code_host.application(),
            systems.coder.application(),
            systems.kubernetes.application(),
            systems.argocd.application(),
            systems.ingress.application(),
            systems.image_registry.application(),
        )
        certificates = {
            "coder": self._authority.issue(
                "coder", *systems.coder_certificate.names, days=systems.coder_certificate.days
            ),
            "kubernetes": self._authority.issue("kubernetes", "localhost", "127.0.0.1"),
            "preview": self._authority.issue("preview", *(systems.gateway_names or (f"*.{DOMAIN}",))),
        }
        servers = [
            _server(application, certificates[name] if name in self._https else None)
            for name, application in zip(_NAMES, applications, strict=True)
        ]
        serving = [
            asyncio.create_task(server.serve(sockets=[bound]))
            for server, bound in zip(servers, sockets, strict=True)
        ]
        running = asyncio.create_task(systems.run())
        while not all(server.started for server in servers):
            await asyncio.sleep(0.005)
        self._started.set()
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({stopped, running}, return_when=asyncio.FIRST_COMPLETED)
        for server in servers:
            server.should_exit = server.force_exit = True
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await asyncio.gather(*serving, return_exceptions=True)


def _server(application: ASGIApp, certificate: Certificate | None) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            dated(application),
            date_header=False,
            log_level=os.environ.get("GATEHOUSE_EMBEDDED_LOG", "critical"),
            lifespan="off",
            server_header=False,
            headers=[("Server", SERVER)],
            timeout_graceful_shutdown=1,
            ssl_keyfile=certificate.key if certificate else None,
            ssl_certfile=certificate.certificate if certificate else None,
        )
    )


__all__ = ["PULL_REQUEST", "Platform", "PlatformError"]
