"""Go modules that the inner suite's own tests check."""

import shutil

import pytest

MODULE = "module example.org/m\n\ngo 1.22\n"

ADD = "package m\n\nfunc Add(a, b int) int { return a + b }\n"

PASSES = 'package m\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {}\n'

INTEGRATION = '//go:build integration\n\npackage sub\n\nimport "testing"\n\nfunc TestReal(t *testing.T) {}\n'

FILES = {"m/go.mod": MODULE, "m/a.go": ADD, "m/a_test.go": PASSES}

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="these run the real Go, which CI has")
