"""What scripts/bootstrap relies on."""

import re
import subprocess
import sys
from pathlib import Path

BOOTSTRAP = (Path(__file__).resolve().parents[2] / "scripts" / "bootstrap").read_text()


def test_the_trial_of_the_browser_is_one_command_without_arguments():
    (module,) = re.findall(r"python -m (gatehouse[.\w]+) 2>", BOOTSTRAP)

    done = subprocess.run([sys.executable, "-m", module], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
