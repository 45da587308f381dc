import os
import ssl
import subprocess
import time

import httpx
import pytest

from gatehouse.coder.client import CoderClient
from gatehouse.core.settings import load_settings
from gatehouse.embedded.clock import Timings
from gatehouse.embedded.platform import Platform
from gatehouse.kube.client import Cluster

#: Steps as short as they can be without running into each other.
QUICK = {
    "pod_schedule": 0.01,
    "image_pull": 0.02,
    "image_pull_backoff": 0.1,
    "crash_backoff": 0.1,
    "readiness_period": 0.03,
    "pod_termination": 0.01,
    "namespace_termination": 0.01,
    "build_queue": 0.02,
    "build_apply": 0.06,
    "agent_connect": 0.02,
    "app_check": 0.03,
    "image_build": 0.05,
    "application_set_poll": 0.2,
    "application_compare": 0.02,
    "sync_wave": 0.02,
    "sync_retry": 0.1,
    "namespace_janitor": 0.1,
}


def quick(**changes):
    return Timings(**{**QUICK, **changes})


@pytest.fixture(scope="session")
def platform():
    """A happy platform that tests may use but not change for each other."""
    with Platform(timings=quick()) as platform:
        yield platform


@pytest.fixture
def start():
    """Starts a platform of the test's own, with scenarios and timings of its choice."""
    started = []

    def start(*scenarios, **timings):
        platform = Platform(scenarios or ["happy"], timings=quick(**timings))
        platform.start()
        started.append(platform)
        return platform

    yield start
    for platform in started:
        platform.stop()


@pytest.fixture
def coder(platform):
    with CoderClient(platform.urls.coder, platform.credentials.coder) as client:
        yield client


@pytest.fixture
def cluster(platform):
    with Cluster(platform.kubeconfig) as cluster:
        yield cluster


def target_of(platform):
    return load_settings(platform.configuration_file).targets["embedded"]


def eventually(condition, seconds=20):
    """The first true value that `condition` gives; fails with the last one after a while."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, f"still {value!r} after {seconds} s"
        time.sleep(0.02)
    return value


def kubernetes_answer(platform, path):
    """What the Kubernetes API answers to a GET."""
    headers = {"Authorization": f"Bearer {platform.credentials.kubernetes}"}
    url = f"{platform.urls.kubernetes}/{path}"
    return httpx.get(url, headers=headers, verify=trusting(platform))


def objects(platform, path):
    """The objects of a collection of the Kubernetes API."""
    return kubernetes_answer(platform, path).json()["items"]


def trusting(platform):
    """What clients trust that were given the platform's authority."""
    return ssl.create_default_context(cafile=platform.authority)


def container(platform, service, namespace="pr-7"):
    """The status of a service's container in the preview, or None while there is none."""
    pods = objects(platform, f"api/v1/namespaces/{namespace}/pods?labelSelector=app={service}")
    statuses = [each for pod in pods for each in pod["status"].get("containerStatuses", [])]
    return statuses[-1] if statuses else None


def waiting(platform, service, *reasons):
    """What a service's container waits for, once it does so for one of these reasons."""

    def found():
        status = container(platform, service) or {"state": {}}
        state = status["state"].get("waiting", {})
        return state if state.get("reason") in reasons else None

    return eventually(found)


def ready(platform, service):
    """The status of a service's container once it is ready."""

    def found():
        status = container(platform, service)
        return status if status and status["ready"] else None

    return eventually(found)


def preview(platform, service, path, trust=True):
    """The gateway's answer for a service of the preview, to clients that know the authority or do not."""
    host = f"{service}-pr-7.preview.localhost"
    secure = platform.urls.preview.startswith("https:")
    with httpx.Client(verify=trusting(platform) if trust and secure else secure) as client:
        url = platform.urls.preview + path
        return client.get(url, headers={"Host": host}, extensions={"sni_hostname": host})


def served(platform, service, path):
    """What a service of the preview answers with success, as soon as it does."""

    def found():
        answer = preview(platform, service, path)
        return answer if answer.is_success else None

    return eventually(found)


def head(platform, branch="prices-with-tax"):
    """The commit of a branch: without its name that under test."""
    return platform.call(lambda systems: systems.shop.repository.resolve(branch))


def git(*arguments, cwd=None, check=True):
    """Run git as its user would, apart from this machine's own configuration."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    return subprocess.run(
        ["git", *identity, *arguments],
        cwd=cwd,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"},
        capture_output=True,
        text=True,
        check=check,
        timeout=60,
    )


def repository_url(platform, token=""):
    """The sample monorepo's address, with a token for pushing where one is given."""
    return platform.urls.code_host.replace("://", f"://x:{token}@" if token else "://") + "/acme/shop.git"


def close(platform):
    """Close the pull request."""
    url = f"{platform.urls.code_host}/api/v3/repos/acme/shop/pulls/7"
    headers = {"Authorization": f"Bearer {platform.credentials.code_host}"}
    assert httpx.patch(url, json={"state": "closed"}, headers=headers).status_code == 200


def push_edit(platform, folder, path, old, new):
    """Clone the pull request's branch, change a file, push it; returns the new head."""
    url = repository_url(platform, platform.credentials.code_host)
    git("clone", "-q", "-b", "prices-with-tax", url, str(folder))
    file = folder / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    git("commit", "-qam", "Change it", cwd=folder)
    git("push", "-q", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder).stdout.strip()
