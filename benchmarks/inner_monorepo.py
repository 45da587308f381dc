"""A generated monorepo: packages in Node.js that need each other, each with two scripts, for whoever runs scripts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

#: Packages; each has the scripts `lint` and `test`, so that there are twice as many checks.
PACKAGES = 30

#: Each package needs the one this many before it.
STEP = 5

SOURCE = "export function number() {\n  return %d;\n}\n"

LINT = """
import { readFileSync } from 'node:fs';
if (readFileSync('src/index.js', 'utf8').includes('TODO'))
  process.exit(1);
"""

TEST = """
import assert from 'node:assert';
import { test } from 'node:test';
import { number } from '../src/index.js';

test('the number is right', () => assert.strictEqual(number(), %d));
"""


def generate(folder: Path, packages: int = PACKAGES) -> None:
    """Write the monorepo into a folder that is not there, as a git repository with one commit on `main`."""
    folder.mkdir(parents=True)
    write(
        folder / "package.json",
        json.dumps(
            {
                "name": "monorepo",
                "private": True,
                "packageManager": "npm@10.8.2",
                "workspaces": ["packages/*"],
            },
            indent=1,
        ),
    )
    write(folder / ".gitignore", "node_modules/\n.turbo/\n.nx/\n.moon/cache/\nreports/\n")
    for number in range(packages):
        package = folder / "packages" / name(number)
        needs = {f"@bench/{name(number - STEP)}": "*"} if number >= STEP else {}
        write(
            package / "package.json",
            json.dumps(
                {
                    "name": f"@bench/{name(number)}",
                    "version": "1.0.0",
                    "type": "module",
                    "scripts": {"lint": "node lint.mjs", "test": "node --test test/"},
                    "dependencies": needs,
                },
                indent=1,
            ),
        )
        write(package / "src" / "index.js", SOURCE % number)
        write(package / "lint.mjs", LINT)
        write(package / "test" / "index.test.js", TEST % number)
    run(
        folder, "npm", "install", "--silent", "--no-audit", "--no-fund"
    )  # links the packages; nothing is fetched
    commit(folder)


def name(number: int) -> str:
    """The name of a package, and of its folder."""
    return f"package-{number:02d}"


def commit(folder: Path) -> None:
    """Commit everything."""
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    run(folder, "git", "add", "--all")
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    run(folder, "git", *who, "commit", "--quiet", "--message=monorepo")


def run(folder: Path, *command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, cwd=folder, check=True)


def write(path: Path, text: str) -> None:
    """Write a file with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
