"""How soon a wait notices that Applications are ready, and what it costs: one stream beside polling.

    make bench-preview

A server in a process of its own lists Applications, streams their events, and flips one from Progressing to
Healthy at a random moment. Both sides read the machine's monotonic clock. The poller is what a careful script
does: list by selector every N seconds, and judge by the same function.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import socket
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime

import requests

from gatehouse.argocd.client import ArgoCDClient
from gatehouse.argocd.judge import Asked, Snapshot, State, judge
from gatehouse.argocd.source import Scope
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import WaitTimeout
from gatehouse.core.preview_settings import PreviewSettings, ServedCommitProbe
from gatehouse.github.client import GitHubClient
from gatehouse.preview.environment import PreviewWait
from gatehouse.preview.look import WaitObserver
from gatehouse.preview.registry import ImageRegistries

TIME = "2026-01-01T00:00:00Z"
COMMIT = "c" * 40
IMAGE = f"registry.example.com/acme/web:{COMMIT}"
SCOPE = Scope("preview/pr=7")
SOURCE = {"repoURL": "https://git.example.com/acme/gitops.git", "path": "web", "targetRevision": "main"}


def application(number: int, version: int, health: str, padding: int = 0) -> dict:
    return {
        "metadata": {
            "name": f"pr-7-{number}",
            "uid": str(number),
            "resourceVersion": str(version),
            "labels": {"preview/pr": "7", "preview/sha": COMMIT},
            "ownerReferences": [{"kind": "ApplicationSet", "name": "previews"}],
        },
        "spec": {"source": SOURCE, "project": "previews", "syncPolicy": {"automated": {}}},
        "status": {
            "reconciledAt": TIME,
            "sync": {"status": "Synced", "revision": "a" * 40, "comparedTo": {"source": SOURCE}},
            "health": {"status": health, "lastTransitionTime": TIME},
            "resources": [{"kind": "Deployment", "name": "web", "status": "Synced"}],
            "summary": {"images": ["x" * padding]},
        },
    }


# --- the server ------------------------------------------------------------------------------------------


def serve(port: int, count: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    health = ["Healthy"] * count
    state = {"version": count, "requests": 0, "bytes": 0}
    listeners: set[asyncio.Queue[bytes]] = set()

    def event(number: int, padding: int = 0) -> bytes:
        state["version"] += 1
        data = application(number, state["version"], health[number], padding)
        return f"data: {json.dumps({'result': {'type': 'MODIFIED', 'application': data}})} \n\n".encode()

    async def listed(_request: Request) -> Response:
        items = [application(number, state["version"], each) for number, each in enumerate(health)]
        answer = JSONResponse({"items": items})
        state["requests"] += 1
        state["bytes"] += len(answer.body)
        return answer

    async def stream(_request: Request) -> Response:
        state["requests"] += 1
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        listeners.add(queue)

        async def events():
            try:
                for number in range(count):
                    yield event(number)
                while True:
                    data = await queue.get()
                    state["bytes"] += len(data)
                    yield data
            finally:
                listeners.discard(queue)

        return StreamingResponse(events(), media_type="text/event-stream")

    async def change(request: Request) -> Response:
        """`?health=…&padding=…`: change the first Application; answers with the moment."""
        health[0] = request.query_params["health"]
        at = time.monotonic()
        data = event(0, int(request.query_params.get("padding", 0)))
        for queue in listeners:
            queue.put_nowait(data)
        return JSONResponse({"at": at})

    async def chatter(request: Request) -> Response:
        """`?rate=…&seconds=…`: events about random Applications; answers with requests and bytes meanwhile."""
        rate, seconds = float(request.query_params["rate"]), float(request.query_params["seconds"])
        before = dict(state)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = event(random.randrange(count))
            for queue in listeners:
                queue.put_nowait(data)
            await asyncio.sleep(1 / rate)
        return JSONResponse({key: state[key] - before[key] for key in ("requests", "bytes")})

    async def sets(_request: Request) -> Response:
        state["requests"] += 1
        github = {"owner": "acme", "repo": "shop", "labels": ["preview"]}
        generators = [
            {
                "matrix": {
                    "generators": [{"pullRequest": {"github": github}}, {"list": {"elements": [{}] * count}}]
                }
            }
        ]
        template = {"metadata": {"name": "pr-{{.number}}-{{.part}}"}, "spec": {"project": "previews"}}
        spec = {"generators": generators, "template": template}
        return JSONResponse({"items": [{"metadata": {"name": "previews"}, "spec": spec}]})

    async def tree(request: Request) -> Response:
        state["requests"] += 1
        name = request.path_params["name"]
        healthy = {"status": health[int(name.rpartition("-")[2])]}
        pod = {
            "kind": "Pod",
            "version": "v1",
            "name": name,
            "namespace": "pr-7",
            "uid": name,
            "health": healthy,
        }
        return JSONResponse({"nodes": [{**pod, "images": [IMAGE]}]})

    async def events(_request: Request) -> Response:
        state["requests"] += 1
        return JSONResponse({"items": []})

    async def pull(_request: Request) -> Response:
        head = {"ref": "change", "sha": COMMIT}
        pull = {"number": 7, "state": "open", "head": head, "base": {"ref": "main", "sha": "b" * 40}}
        return JSONResponse({**pull, "labels": [{"name": "preview"}]})

    async def site(_request: Request) -> Response:
        return JSONResponse({"commit": COMMIT})

    routes = [
        Route("/api/v1/applicationsets", sets),
        Route("/api/v1/applications/{name}/resource-tree", tree),
        Route("/api/v1/applications/{name}/events", events),
        Route("/repos/acme/shop/pulls/7", pull),
        Route("/api/v1/applications", listed),
        Route("/api/v1/stream/applications", stream),
        Route("/change", change),
        Route("/chatter", chatter),
        Route("/", site),
        Route("/version.json", site),
    ]
    uvicorn.run(Starlette(routes=routes), port=port, log_level="error", timeout_graceful_shutdown=1)


class Server:
    """The server in a process of its own."""

    def __init__(self, count: int) -> None:
        self.count = count
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen([sys.executable, __file__, "--serve", str(port), str(count)])
        self._session = requests.Session()
        for _ in range(200):
            try:
                self._session.get(self.url + "/change?health=Healthy", timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        else:
            raise SystemExit("the benchmark's server did not start")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait()

    def change(self, health: str, padding: int = 0) -> float:
        return self._session.get(f"{self.url}/change?health={health}&padding={padding}").json()["at"]

    def chatter(self, seconds: float) -> dict:
        return self._session.get(f"{self.url}/chatter?rate=20&seconds={seconds}").json()


# --- the two ways of waiting -------------------------------------------------------------------------------


def all_ready(applications: dict[str, dict]) -> bool:
    now = datetime.now(UTC)
    return all(judge(Asked(), Snapshot(each), now).state is State.READY for each in applications.values())


class Streaming:
    """One stream with lists as a safety net."""

    def __init__(self, url: str) -> None:
        self._client = ArgoCDClient(url, "token")
        self._follower = self._client.follow(SCOPE)
        self._judged: dict[str, tuple[dict, bool]] = {}

    def close(self) -> None:
        self._follower.close()
        self._client.close()

    def look(self) -> bool:
        """Whether all is ready; only what changed is judged again."""
        now = datetime.now(UTC)
        for name, each in self._follower.look().items():
            if self._judged.get(name, (None, False))[0] is not each:
                self._judged[name] = each, judge(Asked(), Snapshot(each), now).state is State.READY
        return all(ready for _, ready in self._judged.values())

    def wait(self, wanted: bool) -> float:
        while self.look() is not wanted:
            self._follower.wait(0.5)
        return time.monotonic()

    def spend(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._follower.wait(min(left, 0.5))
            self.look()


class Polling:
    """A list every so many seconds."""

    def __init__(self, url: str, interval: float) -> None:
        self._client = ArgoCDClient(url, "token")
        self._interval = interval

    def close(self) -> None:
        self._client.close()

    def look(self) -> bool:
        return all_ready({each["metadata"]["name"]: each for each in self._client.applications(SCOPE)})

    def wait(self, wanted: bool) -> float:
        while self.look() is not wanted:
            time.sleep(self._interval)
        return time.monotonic()

    def spend(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(min(self._interval, max(end - time.monotonic(), 0)))


class WholeWait:
    """The preview suite's wait, with nothing to settle."""

    def __init__(self, url: str) -> None:
        self._stack = contextlib.ExitStack()
        source = self._stack.enter_context(ArgoCDClient(url, "token"))
        github = self._stack.enter_context(GitHubClient(url, "acme/shop"))
        settings = PreviewSettings(
            application_selector=SCOPE.selector,
            urls={"www": url},
            product_images=["registry.example.com/acme/*"],
            probe=ServedCommitProbe(url="www", json_field="commit"),
            settle_seconds=0,
            failure_grace_seconds=3600,
        )
        registries = self._stack.enter_context(ImageRegistries([]))
        pull = github.pull_request(7)
        self._wait = PreviewWait(settings, source, github, pull, None, SYSTEM_CLOCK, registries=registries)

    def close(self) -> None:
        self._stack.close()

    def wait(self, wanted: bool) -> float:
        if wanted:
            self._wait.run(WaitObserver())
        return time.monotonic()

    def spend(self, seconds: float) -> None:
        """Wait for what is not ready, for so long."""
        self._wait._settings = self._wait._settings.model_copy(update={"timeout_seconds": seconds})
        with contextlib.suppress(WaitTimeout):
            self._wait.run(WaitObserver())


# --- what is measured --------------------------------------------------------------------------------------


def latencies(
    server: Server, waiter: Streaming | Polling | WholeWait, flips: int, spread: float
) -> list[float]:
    """Seconds from a change to its notice, for changes at random moments of the waiter's rhythm."""
    import threading

    found = []
    for _ in range(flips):
        server.change("Progressing")
        waiter.wait(False)
        noticed: list[float] = []
        waiting = threading.Thread(target=lambda noticed=noticed: noticed.append(waiter.wait(True)))
        waiting.start()
        time.sleep(random.uniform(0.2, 0.2 + spread))
        at = server.change("Healthy")
        waiting.join()
        found.append(noticed[0] - at)
    return found


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def measure_latency() -> None:
    print("ready → noticed, 5 Applications (ms)")
    base = 0.0
    with Server(5) as server:
        for name, waiter, flips, spread in (
            ("stream", Streaming(server.url), 100, 0.2),
            ("whole wait", WholeWait(server.url), 50, 0.5),
            ("poll 1 s", Polling(server.url, 1), 15, 1),
            ("poll 3 s", Polling(server.url, 3), 8, 3),
            ("poll 15 s", Polling(server.url, 15), 3, 15),
        ):
            found = [each * 1000 for each in latencies(server, waiter, flips, spread)]
            waiter.close()
            median = statistics.median(found)
            base = base or median
            print(
                f"  {name:<10} median {median:8.1f}   95th {percentile(found, 0.95):8.1f}   "
                f"x{median / base:<8.0f} n={flips}"
            )


def measure_cost(seconds: float = 15.0) -> None:
    import threading

    print(f"cost of waiting, 20 events a second, over {seconds:.0f} s (a minute's figures)")
    for count in (1, 50, 500):
        with Server(count) as server:
            for name, waiter in (("whole wait", WholeWait(server.url)), ("poll 3 s", Polling(server.url, 3))):
                server.change("Progressing")
                spent: list[dict] = []
                chatter = threading.Thread(
                    target=lambda spent=spent, server=server: spent.append(server.chatter(seconds))
                )
                cpu = time.process_time()
                chatter.start()
                waiter.spend(seconds)
                chatter.join()
                cpu = time.process_time() - cpu
                waiter.close()
                minute = 60 / seconds
                print(
                    f"  {count:>3} Applications  {name:<9} {spent[0]['requests'] * minute:6.0f} requests  "
                    f"{spent[0]['bytes'] * minute / 1e6:8.2f} MB  CPU {100 * cpu / seconds:5.1f} %"
                )


def measure_large_event(times: int = 20) -> None:
    with Server(1) as server:
        waiter = Streaming(server.url)
        waiter.look()
        time.sleep(1)
        found = []
        for number in range(times):
            at = server.change("Progressing" if number % 2 == 0 else "Healthy", padding=3_000_000)
            found.append((waiter.wait(number % 2 == 1) - at) * 1000)
        waiter.close()
    print(
        f"an event of 3 MB → judged: median {statistics.median(found):.1f} ms, 95th {percentile(found, 0.95):.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", nargs=2, type=int, metavar=("PORT", "COUNT"))
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    measure_latency()
    measure_cost()
    measure_large_event()


if __name__ == "__main__":
    main()
