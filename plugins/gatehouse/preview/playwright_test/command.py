"""What is started, with which arguments, environment and given values."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatehouse.core.journey_settings import PlaywrightTestProject
from gatehouse.core.redaction import looks_like_secret_name
from gatehouse.preview.journeys.findings import origin_of
from gatehouse.preview.playwright_test.given import Given
from gatehouse.preview.playwright_test.project import Installation
from gatehouse.preview.playwright_test.results import ListedTest

#: The variable that names the file with what our configuration, reporter and hooks are given.
GIVEN_VARIABLE = "GATEHOUSE_PLAYWRIGHT_TEST"

#: Arguments that choose tests, at most; beyond that whole files are run.
MOST_LOCATIONS = 200

#: Variables of other test runs, which would change this one.
_FOREIGN = re.compile(
    r"PYTEST_|GATEHOUSE_|TEST_WORKER_INDEX$|TEST_PARALLEL_INDEX$|PW_?TEST_|PWDEBUG$|NO_COLOR$"
)


@dataclass(frozen=True)
class Shard:
    """One of the processes that share a project's tests, and where it writes."""

    number: int
    folder: Path

    @property
    def results(self) -> Path:
        """The reporter's events."""
        return self.folder / f"results-{self.number}.jsonl"

    @property
    def ended(self) -> Path:
        """Written by us once the process has ended."""
        return self.folder / f"ended-{self.number}.json"

    @property
    def output(self) -> Path:
        """Traces, screenshots, videos. Playwright empties it at its start."""
        return self.folder / f"output-{self.number}"


def command(
    installation: Installation,
    settings: PlaywrightTestProject,
    shard: Shard | None,
    chosen: Sequence[str] = (),
) -> list[str]:
    """The command that lists a project's tests (without a shard), or runs those that are chosen."""
    wrapper = Path(__file__).with_name("config.mjs" if installation.module else "config.cjs")
    words = [*installation.command, "test", "--config", str(wrapper)]
    if shard is None:
        return [*words, "--list"]
    if settings.workers is not None:
        words.append(f"--workers={settings.workers}")
    if settings.shards > 1:
        words.append(f"--shard={shard.number}/{settings.shards}")
    return [*words, *chosen]


def selection(listed: Sequence[ListedTest], chosen: Collection[str]) -> list[str]:
    """Arguments by which Playwright runs the chosen tests (by key); others at the same places may run, too."""
    wanted = [test for test in listed if test.key in chosen]
    if len(wanted) == len(listed):
        return []
    arguments: list[str] = []
    projects = {test.project for test in wanted}
    if projects != {test.project for test in listed} and "" not in projects:
        arguments = [f"--project={name}" for name in sorted(projects)]
    whole = {test.spec for test in listed} - {test.spec for test in listed if test.key not in chosen}
    places = {
        _pattern(test.spec)
        if test.spec in whole or test.spec != test.file
        else f"{_pattern(test.spec)}:{test.line}"
        for test in wanted
    }
    if len(places) > MOST_LOCATIONS:
        places = {_pattern(test.spec) for test in wanted}
    return [*arguments, *sorted(places)]


def _pattern(path: Path) -> str:
    """A regular expression of JavaScript for exactly this file."""
    return "^" + re.sub(r"([\\^$.*+?()\[\]{}|])", r"\\\1", str(path)) + "$"


def environment(
    base: Mapping[str, str], known_secrets: Collection[str], base_url: str, own: Mapping[str, str]
) -> dict[str, str]:
    """`base` without secrets and without other test runs' variables, then what every project gets, then its own."""
    kept = {
        name: value
        for name, value in base.items()
        if not looks_like_secret_name(name)
        and not _FOREIGN.match(name)
        and not any(secret in value for secret in known_secrets)
    }
    return {
        "CI": "1",
        **kept,
        "FORCE_COLOR": "0",
        "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
        "npm_config_offline": "true",
        **dict.fromkeys(("PLAYWRIGHT_TEST_BASE_URL", "PLAYWRIGHT_BASE_URL", "BASE_URL"), base_url),
        **own,
    }


def write_given(
    path: Path,
    installation: Installation,
    settings: PlaywrightTestProject,
    given: Given,
    shard: Shard,
    *,
    items: Mapping[str, str],
    video: bool,
) -> None:
    """Write what the configuration, the reporter and the hooks read. No credentials are in it."""
    journeys = path.with_suffix("")
    journeys.mkdir()
    state = given.storage_state(settings)
    data = {
        "config": str(installation.config),
        "package": str(installation.folder),
        "results": str(shard.results),
        "output": str(shard.output),
        "journeys": str(journeys),
        "base_url": given.base_url(settings),
        "addresses": [origin_of(each) for each in given.urls.values()],
        "storage_state": str(state) if state else None,
        "storage_states": [str(each) for each in given.storage_states.values()],
        "executable": given.executable,
        "arguments": list(given.arguments),
        "ignore_https_errors": given.ignore_https_errors,
        "video": video,
        "allowed_origins": list(given.allowed_origins),
        "run_id": given.run_id,
        "correlation": given.correlation.model_dump(),
        "items": dict(items),
    }
    path.write_text(json.dumps(data), encoding="utf-8")
