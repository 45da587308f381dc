"""Fixtures of this repository's own suites. The harness itself is loaded by its entry point."""

pytest_plugins = ["fixtures.personas", "fixtures.pages"]
