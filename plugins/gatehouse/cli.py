"""`gatehouse …`: parse, call, print."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatehouse import __version__
from gatehouse.core.errors import GatehouseError
from gatehouse.core.signals import wake_main_thread_on_signals

if TYPE_CHECKING:
    from gatehouse.embedded.platform import Platform

#: Exit code for a mistake in the command line or a file that it names.
USAGE = 2

#: pytest's exit code where there was nothing to run.
NOTHING_RAN = 5

#: Exit code of a command that was stopped by Ctrl-C or SIGTERM, as a shell gives it for Ctrl-C.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. A user's mistake is a message, never a traceback."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    wake_main_thread_on_signals()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return command(options)
    except KeyboardInterrupt:
        print("gatehouse: interrupted", file=sys.stderr)
        return INTERRUPTED
    except GatehouseError as error:
        print(f"gatehouse: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not complain while it closes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gatehouse", description="Proves that a platform works, and gates merges."
    )
    parser.add_argument("--version", action="version", version=f"gatehouse {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo", help="run all four suites on the embedded platform, gate and report them"
    )
    demo.add_argument(
        "--break",
        dest="broken",
        action="append",
        default=[],
        metavar="WHAT",
        help="seed a real fault: smoke, inner, preview, task or evidence; can be repeated",
    )
    demo.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="where bundles are written"
    )
    demo.set_defaults(command=_demo)

    up = commands.add_parser("up", help="run the embedded platform and print the environment to export")
    up.add_argument(
        "--scenario", action="append", metavar="NAME", help="what is so on the platform; can be repeated"
    )
    up.add_argument(
        "--after-upgrade",
        action="append",
        metavar="NAME",
        help="what is so once Coder has been upgraded, by SIGUSR1; can be repeated",
    )
    up.add_argument("--list", action="store_true", help="list the scenarios")
    up.add_argument(
        "--port", type=_port, default=0, metavar="N", help="first of six ports (default: free ones)"
    )
    up.set_defaults(command=_up)

    inner = commands.add_parser("inner", help="run pytest -m inner in a checkout")
    inner.add_argument("folder", type=Path, nargs="?", default=Path(), metavar="DIR")
    inner.add_argument(
        "--hook",
        action="store_true",
        help="for hooks of coding agents: a failure goes to stderr with exit code 2, all else is silent",
    )
    inner.set_defaults(command=_inner)

    doctor = commands.add_parser(
        "doctor", help="say what this machine, its variables and its rights allow; changes nothing"
    )
    doctor.add_argument("--target", metavar="NAME", help="as --gate-target of pytest")
    doctor.add_argument(
        "--coder-api",
        type=Path,
        metavar="FILE",
        help="swagger.json of the Coder to upgrade to: which calls of the suites does it no longer have?",
    )
    doctor.set_defaults(command=_doctor)

    baseline = commands.add_parser(
        "baseline",
        help="record what an upgrade of Coder must not change, and leave two canary workspaces behind",
    )
    baseline.add_argument("folder", type=Path, metavar="DIR")
    baseline.add_argument("--target", metavar="NAME", help="as --gate-target of pytest")
    baseline.add_argument("--no-canaries", action="store_true", help="only look, make nothing")
    baseline.add_argument(
        "--canaries-live",
        dest="lifetime_days",
        type=_days,
        default=14,
        metavar="DAYS",
        help="until Coder stops the running canary, 1 to 29 (default: 14)",
    )
    baseline.set_defaults(command=_baseline)

    job = commands.add_parser(
        "job", help="run the smoke suite as a Job inside the cluster, and bring its evidence back"
    )
    job.add_argument("-m", dest="suite", choices=["smoke"], default="smoke", metavar="SUITE", help="smoke")
    job.add_argument("--namespace", required=True, metavar="NAME", help="that the Job is made in")
    job.add_argument("--image", required=True, help="with Gatehouse and the suite (deploy/Dockerfile)")
    job.add_argument(
        "--secret",
        default="gatehouse",
        metavar="NAME",
        help="Secret with CODER_SESSION_TOKEN and what else the settings name (default: gatehouse)",
    )
    job.add_argument("--evidence", type=Path, metavar="DIR", help="for the bundle; default: reports/<run-id>")
    job.add_argument(
        "--timeout", type=_seconds, default=3600, metavar="SECONDS", help="for the suite (default: 3600)"
    )
    job.add_argument("--target", metavar="NAME", help="as --gate-target of pytest")
    job.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="of pytest, after two dashes")
    job.set_defaults(command=_job)

    sweep = commands.add_parser("sweep", help="find what runs left behind, remove it and prove it gone")
    sweep.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="BUNDLE",
        help="bundles or ledgers to work from (default: all that can be found by ledgers, names and labels)",
    )
    sweep.add_argument("--run", metavar="ID", help="only what this run made")
    sweep.add_argument(
        "--older-than",
        type=_duration,
        metavar="DURATION",
        help="only what is at least so old: 90s, 30m, 2h, 1d",
    )
    sweep.add_argument("--target", metavar="NAME", help="as --gate-target of pytest")
    how = sweep.add_mutually_exclusive_group()
    how.add_argument(
        "--delete",
        action="store_true",
        help="remove it; without this, targets other than the embedded one are only looked at",
    )
    how.add_argument("--dry-run", action="store_true", help="only look, whatever the target")
    sweep.add_argument("--json", action="store_true", help="print JSON in place of a table")
    sweep.set_defaults(command=_sweep)

    gate = commands.add_parser("gate", help="decide over bundles; the exit code is the verdict")
    gate.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    gate.add_argument("--policy", type=Path, required=True, metavar="FILE", help="from the base revision")
    gate.add_argument("--repo", required=True, metavar="OWNER/NAME")
    gate.add_argument("--pr", type=int, metavar="N")
    gate.add_argument("--commit", required=True, type=_commit, metavar="SHA")
    gate.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: verdict.json beside the first bundle"
    )
    gate.set_defaults(command=_gate)

    verify = commands.add_parser("verify", help="compare bundles with their manifests")
    verify.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    verify.set_defaults(command=_verify)

    report = commands.add_parser("report", help="write one HTML page about bundles")
    report.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    report.add_argument(
        "--verdict", type=Path, metavar="FILE", help="verdict.json of a gate over these bundles"
    )
    report.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    report.set_defaults(command=_report)
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or not 1024 <= int(text) <= 65530:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1024 to 65530")
    return int(text)


def _days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 29:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 29, as Coder demands")
    return int(text)


def _seconds(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to 86400")
    return int(text)


def _duration(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90s, 30m, 2h or 1d")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[match[2]]


def _commit(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a full SHA of 40 hexadecimal digits")
    return text


def _demo(options: argparse.Namespace) -> int:
    from gatehouse.demo import run_demo

    return run_demo(options.reports, options.broken)


def _up(options: argparse.Namespace) -> int:
    from gatehouse.core.errors import UsageError
    from gatehouse.embedded.platform import Platform, PlatformError
    from gatehouse.embedded.scenarios import SCENARIOS, UnknownScenarioError

    if options.list:
        width = max(map(len, SCENARIOS))
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:<{width}}  {scenario.system:<10}  {scenario.summary}")
        return 0
    platform = Platform(options.scenario or ["happy"], first_port=options.port)
    try:
        platform.start()
    except (PlatformError, UnknownScenarioError) as error:
        raise UsageError(str(error)) from error
    try:
        # A shell's background jobs are born ignoring Ctrl-C, and this is one that is often run in the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for name, value in platform.environment().items():
            print(f"export {name}={value}")
        print(f"# previews: {platform.urls.preview_url('www').format(number=7)}")
        signal.signal(signal.SIGUSR1, lambda *_: _upgrade(platform, options.after_upgrade or []))
        print(f"# to upgrade Coder: kill -USR1 {os.getpid()}")
        print(
            "# the embedded platform runs until Ctrl-C; run the lines above in another terminal", flush=True
        )
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return 0
    finally:
        platform.stop()


def _upgrade(platform: Platform, scenarios: Sequence[str]) -> None:
    from gatehouse.embedded.scenarios import UnknownScenarioError

    try:
        platform.upgrade(scenarios)
    except UnknownScenarioError as error:
        print(f"# not upgraded: {error}", flush=True)
        return
    print(f"# Coder was upgraded: {', '.join(scenarios) or 'all is well'}", flush=True)


def _inner(options: argparse.Namespace) -> int:
    from gatehouse.core.checkout import Checkout
    from gatehouse.core.folders import cache_folder
    from gatehouse.inner.command import suite_command
    from gatehouse.inner.last_answer import last_answer
    from gatehouse.invocation import start_over

    checkout = Checkout.find(options.folder)
    if (lines := last_answer(checkout, cache_folder())) is not None:
        if not options.hook:
            print("\n".join(lines))
        return 0
    command, environment = suite_command(checkout.root, Path.cwd(), ["-m", "inner"], os.environ)
    if not options.hook:
        start_over(command, environment)
    return _run_as_hook(command, environment)


def _run_as_hook(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Agents are shown the standard error of a hook that ends with 2, and of no other."""
    import subprocess

    done = subprocess.run(
        [sys.executable, *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode in (0, NOTHING_RAN):
        return 0
    print((done.stdout + done.stderr).strip(), file=sys.stderr)
    return USAGE


def _doctor(options: argparse.Namespace) -> int:
    from gatehouse.doctor import doctor

    return doctor(options.target, options.coder_api)


def _baseline(options: argparse.Namespace) -> int:
    from gatehouse.smoke.command import baseline

    return baseline(
        options.folder, options.target, canaries=not options.no_canaries, lifetime_days=options.lifetime_days
    )


def _job(options: argparse.Namespace) -> int:
    from gatehouse.job.command import job

    return job(
        options.suite,
        options.namespace,
        options.image,
        options.arguments,
        secret=options.secret,
        evidence=options.evidence,
        seconds=options.timeout,
        target_name=options.target,
    )


def _sweep(options: argparse.Namespace) -> int:
    from gatehouse.task.sweep.command import sweep_command
    from gatehouse.task.sweep.sweep import Wanted

    return sweep_command(
        options.paths,
        options.target,
        Wanted(options.run, options.older_than),
        delete=options.delete,
        dry_run=options.dry_run,
        json=options.json,
    )


def _gate(options: argparse.Namespace) -> int:
    from gatehouse.gate.decide import decide
    from gatehouse.gate.inputs import Subject, read_bundle
    from gatehouse.gate.policy import load_policy, provenance
    from gatehouse.gate.verdict import Question

    policy = load_policy(options.policy)
    subject = Subject(options.repo, options.pr, options.commit)
    bundles = [read_bundle(path) for path in options.bundles]
    verdict = decide(Question(policy, subject, bundles, datetime.now(UTC)))
    data = {
        **verdict.as_data(),
        "policy": provenance(options.policy),
        "inputs": [bundle.path for bundle in bundles],
    }
    output = options.output or options.bundles[0].absolute().parent / "verdict.json"
    _write(output, json.dumps(data, indent=1) + "\n")
    for reason in verdict.reasons[1:]:
        print(f"  {reason.verdict_class}: {reason.message}")
    print(f"gate: {data['verdict']}" + (f" ({verdict.verdict_class})" if verdict.reasons else ""))
    print(f"verdict: {output}")
    if verdict.reasons:
        first = verdict.reasons[0]
        print(f"first reason ({first.rule}): {first.message}")
        if first.next:
            print(f"next: {first.next}")
    return verdict.exit_code


def _verify(options: argparse.Namespace) -> int:
    from gatehouse.evidence.manifest import ManifestError, read_manifest, verify_files

    code = 0
    for folder in options.bundles:
        try:
            problems = verify_files(folder, read_manifest(folder))
        except ManifestError as error:
            problems = error.problems
        for problem in problems:
            print(f"{folder}: {problem}")
        print(f"{folder}: {'does not match its manifest' if problems else 'matches its manifest'}")
        code = code or (1 if problems else 0)
    return code


def _report(options: argparse.Namespace) -> int:
    from gatehouse.core.errors import UsageError
    from gatehouse.report.page import render_page

    verdict = None
    if options.verdict:
        try:
            verdict = json.loads(options.verdict.read_text())
        except (OSError, ValueError) as error:
            raise UsageError(f"the verdict {options.verdict} cannot be read", seen=str(error)) from error
    missing = [str(folder) for folder in options.bundles if not folder.is_dir()]
    if missing:
        raise UsageError(f"there is no bundle {missing[0]}", next_step="name a folder such as reports/latest")
    _write(options.output, render_page(options.bundles, verdict, options.output))
    print(f"page: {options.output}")
    return 0


def _write(path: Path, text: str) -> None:
    from gatehouse.core.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.part")
        temporary.write_text(text)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written", seen=str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
