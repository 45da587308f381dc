"""Whether an agent that was ready stays so: some become unhealthy half a minute later (Coder issue 17150)."""

from __future__ import annotations

from gatehouse.coder.client import CoderClient
from gatehouse.coder.workspaces import agent_state
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock
from gatehouse.core.errors import ProductFailure
from gatehouse.core.waiting import announced
from gatehouse.workspace.startup import Started

#: Seconds between two looks.
INTERVAL = 1.0


def require_hold(coder: CoderClient, started: Started, seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
    """Look until `seconds` have passed since the workspace became ready; what other tests took counts.

    Looks once at least. Raises `ProductFailure` at the first look at which the agent is not ready and healthy.
    """
    while True:
        agent = coder.workspace(started.workspace.id).agent
        held = clock.monotonic() - started.ready_at
        if agent is None or not agent.ready or not agent.health.healthy:
            reason = f", {agent.health.reason}" if agent and agent.health.reason else ""
            raise ProductFailure(
                f"the agent was ready, and is no longer ready {held:.0f} s later: {agent_state(agent)}{reason}",
                expected=f"ready for {seconds:g} s",
                where=f"workspace {started.workspace.name}",
                next_step="read the agent's log for reconnects; look at idle time-outs of proxies between it and Coder",
            )
        if held >= seconds:
            return
        with announced("hold", f"the agent must still be ready {seconds:g} s after it became so"):
            clock.sleep(min(INTERVAL, seconds - held))
