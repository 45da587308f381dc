"""Tests of a file by one worker of pytest-xdist, also after a worker has crashed."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling


class FileScheduling(LoadFileScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """As `--dist loadfile`, but a test in which a worker crashed is not given to the next one."""

    def remove_node(self, node: Any) -> str | None:
        """Take a worker that has ended out of the game. Returns the test it crashed in, None if it had ended all."""
        workload = self.assigned_work.pop(node)
        crashed = next(
            (test for unit in workload.values() for test, completed in unit.items() if not completed), None
        )
        if crashed is None:
            return None
        for unit in workload.values():
            if crashed in unit:
                unit[crashed] = True
        self.workqueue.update({scope: unit for scope, unit in workload.items() if not all(unit.values())})
        for each in self.assigned_work:
            self._reschedule(each)
        return str(crashed)
