"""Gatehouse: a pytest harness that proves a platform works and decides whether a change may be merged."""

__version__ = "0.1.0"
