"""Names on which both sides agree: the container that runs the suite, and whoever collects its evidence."""

from __future__ import annotations

#: Where the container keeps what is handed over, and its name.
FOLDER = "/evidence"
CONTAINER = "suite"

#: In that folder: the bundle; pytest's exit code, there once the bundle is complete; a file that asks the suite to
#: stop, and one that says that all was collected.
BUNDLE, EXIT_CODE, STOP, COLLECTED = "bundle", "exit-code", "stop", "collected"

#: Where the container finds its configuration.
CONFIGURATION = "/configuration"
SETTINGS_FILE, AUTHORITY_FILE = "gatehouse.yaml", "authority.pem"

#: Seconds that the container waits for being collected; as in the manifest.
WAIT = 600.0
