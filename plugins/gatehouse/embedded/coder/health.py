"""The deployment's own health report, `/api/v2/debug/health`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gatehouse.embedded import clock

Json = dict[str, Any]

SEVERITIES = ("ok", "warning", "error")


@dataclass
class HealthFaults:
    """Sections that a scenario makes bad: name → (severity, code, message)."""

    sections: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    dismissed: set[str] = field(default_factory=set)


def health_report(version: str, access_url: str, daemons: list[Json], faults: HealthFaults) -> Json:
    """`healthsdk.HealthcheckReport` of this moment."""
    details: dict[str, Json] = {
        "access_url": {
            "access_url": access_url,
            "reachable": True,
            "status_code": 200,
            "healthz_response": "OK",
        },
        "database": {"reachable": True, "latency": "1ms", "latency_ms": 1, "threshold_ms": 15},
        "derp": {"regions": {}, "netcheck_logs": []},
        "websocket": {"code": 101, "body": ""},
        "workspace_proxy": {"workspace_proxies": {"regions": []}},
        "provisioner_daemons": {
            "items": [{"provisioner_daemon": daemon, "warnings": []} for daemon in daemons]
        },
    }
    sections: dict[str, Json] = {}
    for name, detail in details.items():
        severity, code, message = faults.sections.get(name, ("ok", "", ""))
        if name == "provisioner_daemons" and not daemons and severity == "ok":
            severity, code, message = "error", "EPD01", "No active provisioner daemons found!"
        sections[name] = {
            "severity": severity,
            # The section about provisioners is the only one without the older field `healthy`.
            **({"healthy": severity != "error"} if name != "provisioner_daemons" else {}),
            "dismissed": name in faults.dismissed,
            "warnings": [{"code": code, "message": message}] if severity == "warning" else [],
            **({"error": f"{code}: {message}"} if severity == "error" else {}),
            **detail,
        }
    worst = max((section["severity"] for section in sections.values()), key=SEVERITIES.index)
    return {
        "time": clock.microseconds(),
        "healthy": worst != "error",
        "severity": worst,
        "coder_version": version,
        **sections,
    }
