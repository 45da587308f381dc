"""Events as the reporter writes them."""

from pathlib import Path

from gatehouse.preview.playwright_test.results import ShardEvents

ROOT = Path("/checkout/e2e")


def listed(key, *titles, project="", spec="specs/a.spec.ts", line=3):
    path = str(ROOT / spec)
    titles = list(titles or [key])
    return {
        "id": key,
        "titles": titles,
        "project": project,
        "spec": path,
        "file": path,
        "line": line,
        "repeat": 0,
    }


def begin(*keys):
    tests = [listed(each) if isinstance(each, str) else each for each in keys]
    return {"event": "begin", "version": "1.61.1", "web_server": False, "tests": tests}


def begun(key, retry=0):
    return {"event": "test_begin", "id": key, "retry": retry}


def ended(key, status="passed", expected="passed", retry=0, retries=0, message="", left=(), annotations=()):
    return {
        "event": "test_end",
        "id": key,
        "retry": retry,
        "retries": retries,
        "status": status,
        "expected": expected,
        "seconds": 0.5,
        "worker": 0,
        "shard": 1,
        "annotations": [{"type": kind, "description": text} for kind, text in annotations],
        "errors": [error(message)] if message else [],
        "attachments": [],
        "journey": {"trace_id": "t", "console": [], "requests": [], "left": list(left)},
        "stdout": "",
        "stderr": "",
    }


def error(message, file="", line=0, snippet=""):
    return {"event": "error", "message": message, "stack": "", "snippet": snippet, "file": file, "line": line}


def end(status="passed"):
    return {"event": "end", "status": status}


def told(*events):
    """What has been told after these events."""
    shard = ShardEvents()
    for event in events:
        shard.add(event, ROOT)
    return shard
