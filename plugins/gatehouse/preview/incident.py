"""What went wrong with a preview, as a note that can be pasted into an incident or a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from gatehouse.core.errors import GatehouseError, WrongSubject
from gatehouse.preview.environment import PreviewWait
from gatehouse.preview.stages import in_words


@dataclass(frozen=True)
class Incident:
    """The note. `symptom` is verbatim; `stages` and `states` are seconds by name; `history` is second and state."""

    title: str
    when: str
    environment: str
    application: str
    resource: str
    expected: str
    observed: str
    symptom: str
    cause: str
    remedy: str
    verify: str
    links: tuple[str, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    states: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[tuple[float, str]] = ()
    log: str = ""

    def as_data(self) -> dict[str, Any]:
        """JSON-like data."""
        return asdict(self)

    def __str__(self) -> str:
        """The note in Markdown; what is not known is left out."""
        rows = (
            ("when", self.when),
            ("environment", self.environment),
            ("application", self.application),
            ("resource", self.resource),
            ("expected", self.expected),
            ("observed", self.observed),
            ("symptom", self.symptom),
            ("cause", self.cause),
            ("remedy", self.remedy),
            ("verify", f"`{self.verify}`"),
            ("elapsed by stage", in_words(self.stages)),
            ("elapsed by state", in_words(self.states)),
            ("links", ", ".join(self.links)),
        )
        lines = [f"- **{name}**: {' '.join(text.split())}" for name, text in rows if text]
        history = [f"    {at:8.1f} s  {' '.join(state.split())}" for at, state in self.history]
        log = [f"    {line}" for line in self.log.splitlines()]
        return "\n".join(
            [
                f"# {self.title}",
                "",
                *lines,
                *(["", "History:", "", *history] if history else []),
                *(["", "The end of the log:", "", *log] if log else []),
                "",
            ]
        )


def incident_of(wait: PreviewWait, error: GatehouseError, *, environment: str, verify: str) -> Incident:
    """The note about a wait that ended with an error. `verify` is the command that shows whether it is mended."""
    look, cause = wait.last, wait.cause
    name = cause.application if cause else look.judgement.application if look else ""
    application = look.applications.get(name) if look else None
    subject = isinstance(error, WrongSubject)
    reason = look.judgement.reason if look and not subject else error.seen
    return Incident(
        title="Preview not ready" if not wait.proved else "Preview changed during the tests",
        when=f"{wait.begun:%Y-%m-%d %H:%M:%S} UTC",
        environment=environment,
        application=name,
        resource=cause.blocker.resource if cause else "",
        expected=error.expected if subject or not application else wait.expected_of(application),
        observed=error.seen if subject or not application else observed_of(application),
        symptom=error.summary,
        cause=f"{cause.blocker.reason}: {cause.words}" if cause else reason,
        remedy=error.next_step,
        verify=verify,
        links=(wait.link(name),),
        stages=wait.stages,
        states=wait.states,
        history=wait.progress.history,
        log=wait.log,
    )


def observed_of(application: dict[str, Any]) -> str:
    """What an Application runs and was synced to, as its status says."""
    status = application.get("status") or {}
    images = ", ".join((status.get("summary") or {}).get("images") or [])
    sync, health = status.get("sync") or {}, status.get("health") or {}
    revision = str(sync.get("revision") or "no revision")[:12]
    states = f"{sync.get('status', 'not compared')}, {health.get('status', 'health unknown')}"
    return f"{images or 'no running image'}; {states} (manifests at {revision})"
