"""API servers that cannot be spoken to: one that never answers, one whose certificate is not accepted."""

import socket

import pytest
import yaml

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import InfrastructureError, Unreachable
from gatehouse.kube.client import Cluster
from gatehouse.kube.exec import run_in_pod


@pytest.fixture
def silent(tmp_path):
    """A connection to a server whose system accepts connections, and in which nobody reads them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kubeconfig = tmp_path / "kubeconfig"
        cluster = {"server": f"http://127.0.0.1:{server.getsockname()[1]}"}
        context = {"cluster": "silent", "user": "somebody"}
        configuration = {
            "current-context": "silent",
            "clusters": [{"name": "silent", "cluster": cluster}],
            "users": [{"name": "somebody", "user": {"token": "x"}}],
            "contexts": [{"name": "silent", "context": context}],
        }
        kubeconfig.write_text(yaml.safe_dump(configuration))
        with Cluster(kubeconfig) as connection:
            yield connection


def test_a_command_gives_up_on_a_server_that_never_answers_and_says_so(silent):
    with pytest.raises(Unreachable) as raised:
        run_in_pod(silent, "coder", "coder-0", ["true"], Deadline.after(0.2))

    words = str(raised.value)
    assert "has not opened the stream for a command in time" in words
    assert silent.server in words
    assert "exec in pod coder/coder-0" in words
    assert "next: " in words


def test_an_api_server_whose_certificate_is_not_accepted_is_told_at_once(platform, tmp_path):
    configuration = yaml.safe_load(platform.kubeconfig.read_text())
    del configuration["clusters"][0]["cluster"]["certificate-authority"]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(configuration))

    with (
        Cluster(kubeconfig) as cluster,
        pytest.raises(InfrastructureError, match="certificate of the Kubernetes") as raised,
    ):
        cluster.version()
    assert not isinstance(raised.value, Unreachable)
    assert "CERTIFICATE_VERIFY_FAILED" in raised.value.seen
