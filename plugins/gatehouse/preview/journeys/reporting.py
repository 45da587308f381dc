"""On the controller: puts the failure report of each journey together, from all processes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from typing import Any

from gatehouse.core.errors import GatehouseError
from gatehouse.preview.journeys.failure_report import failure_report
from gatehouse.preview.journeys.findings import Journey

#: The section below a failure in the terminal; pytest shows those of a teardown whose names say so.
TITLE = "failure report (after teardown)"

#: Seconds that a look at the deployed system may take: the tests wait for it.
LOOK_TIMEOUT = 5.0


class FailureReports:
    """Hears every report of the run; looks at the deployed system when a journey fails."""

    def __init__(
        self,
        look: Callable[[], list[str]],
        event: Callable[..., None],
        command: Sequence[str],
        redact: Callable[[str], str] = str,
    ) -> None:
        """`look` says how the deployed system is, `event` writes into the record, `command` runs the suite.

        `redact` takes secrets out of what the terminal shows.
        """
        self._look = look
        self._event = event
        self._command = command
        self._redact = redact
        self._failed: dict[str, tuple[str, list[str]]] = {}
        self._executor = ThreadPoolExecutor(1, "deployed-system")
        self._answers = True

    def heard(self, report: Any) -> None:
        """Take in a report of pytest's, and add the failure report to the one that ends the test or an attempt."""
        node = report.nodeid
        if getattr(report, "gatehouse_preview", False) and node not in self._failed:
            deployed = self._deployed()
            self._event("deployed_system", test=node, lines=deployed)
            self._failed[node] = (report.gatehouse_failure["summary"], deployed)
        if not hasattr(report, "gatehouse_journey"):
            return  # the test, or this attempt of it, has not ended
        if known := self._failed.pop(node, None):
            commands = [f"{shlex.join(self._command)} {each}" for each in report.gatehouse_commands]
            commands += getattr(report, "gatehouse_other_commands", [])
            text = failure_report(known[0], Journey.from_data(report.gatehouse_journey), known[1], commands)
            self._event("failure_report", test=node, text=text)
            report.sections.append((TITLE, self._redact(text)))

    def close(self) -> None:
        """Stop looking."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _deployed(self) -> list[str]:
        if not self._answers:
            return ["not asked again: it did not answer before"]
        try:
            return self._executor.submit(self._look).result(LOOK_TIMEOUT)
        except NotInTime:
            self._answers = False
            return [f"could not be told within {LOOK_TIMEOUT:.0f} s"]
        except GatehouseError as error:
            return [f"could not be told: {error.summary}"]
        except Exception as error:  # noqa: BLE001 - whatever it is, the tests go on
            return [f"could not be told: {type(error).__name__}: {error}"]
