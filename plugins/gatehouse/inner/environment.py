"""What checks are given of the environment: the same everywhere, without secrets and without a way to a cluster."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from gatehouse.core.redaction import looks_like_secret_name

#: Set in the process of the suite that has our configuration, to the folder that pytest was started in.
STARTED_IN = "GATEHOUSE_INNER_STARTED_IN"

#: Variables that programs and toolchains cannot do without, as patterns. Others need `inner.environment`.
ALLOWED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LC_*", "XDG_*"),
    *("LD_LIBRARY_PATH", "DYLD_*", "PKG_CONFIG_PATH", "CC", "CXX", "CPP", "CFLAGS", "CXXFLAGS", "LDFLAGS"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NIX_*", "PYENV_*", "NVM_*", "VOLTA_*", "ASDF_*", "MISE_*", "FNM_*"),
    *("GO*", "CGO_*", "NODE_*", "NPM_CONFIG_*", "npm_config_*", "COREPACK_*", "PNPM_HOME", "YARN_*", "BUN_*"),
    *("PYTHON*", "PIP_*", "UV_*", "VIRTUAL_ENV", "POETRY_*", "CONDA_PREFIX", "CARGO*", "RUST*"),
    *("JAVA*", "JDK*", "MAVEN_*", "MVN*", "GRADLE_*", "KOTLIN_*", "M2_HOME", "TF_*", "HELM_*", "BUF_*"),
)

_ALLOWED = re.compile("|".join(fnmatch.translate(each) for each in ALLOWED))

#: Of these, those that are others in each session, or name places: given to checks, but no part of a key.
PLACES = frozenset(
    {"HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP", "PATH"}
    | {
        "XDG_RUNTIME_DIR",
        "XDG_SESSION_ID",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
    }
    | {"VIRTUAL_ENV", "NVM_INC", "NVM_BIN", "PYTHONPYCACHEPREFIX"}
)

#: What every tool is told: no colours, no questions, no network where it can be told so, no cluster.
_SETTINGS = {
    "CI": "1",
    "NO_COLOR": "1",
    "FORCE_COLOR": "0",
    "TERM": "dumb",
    "LC_ALL": "C.UTF-8",
    "KUBECONFIG": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
    "PIP_NO_INDEX": "1",
    "UV_OFFLINE": "1",
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "COREPACK_ENABLE_NETWORK": "0",
}


def check_environment(base: Mapping[str, str], cache: Path, more: Iterable[str] = ()) -> dict[str, str]:
    """The environment of a check: the usual variables and those named by `more`, with caches outside of the checkout.

    Nothing that looks like a secret by its name is passed on, unless `more` names it.
    """
    wanted = frozenset(more)
    kept = {
        name: value
        for name, value in base.items()
        if name in wanted or (_ALLOWED.match(name) and not looks_like_secret_name(name))
    }
    return {
        **kept,
        **_SETTINGS,
        "PYTHONPYCACHEPREFIX": str(cache / "pycache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def key_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a check's environment that are part of its key.

    Programs are told by what they are (`Check.inputs`) and not by where they were found.
    """
    return {name: value for name, value in environment.items() if name not in PLACES}
