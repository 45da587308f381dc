"""Which identity a cluster is asked with."""

import datetime
from types import SimpleNamespace

import pytest
import yaml
from kubernetes.config import incluster_config

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.service_account import FOLDER_VARIABLE
from gatehouse.core.settings import KubernetesSettings, Target
from gatehouse.doctor import State, findings
from gatehouse.kube.client import Cluster, connect
from gatehouse.kube.credentials import is_there_any


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A home and an environment in which nothing names a cluster."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", FOLDER_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def pod(bare, monkeypatch):
    """The folder of the service account of the pod that this is."""
    folder = bare / "account"
    folder.mkdir()
    for name in ("token", "ca.crt", "namespace"):
        (folder / name).write_text(f"the {name}")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture
def kubeconfig(bare):
    path = bare / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "far", "cluster": {"server": "https://far.example.com"}}],
        "users": [{"name": "me", "user": {"token": "mine"}}],
        "contexts": [{"name": "far", "context": {"cluster": "far", "user": "me"}}],
        "current-context": "far",
    }
    path.write_text(yaml.safe_dump(config))
    return path


def sent_with(cluster):
    return cluster.configuration.auth_settings()["BearerToken"]["value"].partition(" ")[2]


def test_a_pod_asks_with_its_own_service_account(pod):
    with Cluster() as cluster:
        assert cluster.server == "https://10.0.0.1:6443"
        assert sent_with(cluster) == "the token"
        assert cluster.configuration.ssl_ca_cert == str(pod / "ca.crt")


def test_a_token_that_kubernetes_has_rotated_is_read_again(pod, monkeypatch):
    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.now(tz) + datetime.timedelta(minutes=2)

    with Cluster() as cluster:
        (pod / "token").write_text("the next token")
        assert sent_with(cluster) == "the token"
        fake = SimpleNamespace(datetime=Later, timedelta=datetime.timedelta)
        monkeypatch.setattr(incluster_config, "datetime", fake)
        assert sent_with(cluster) == "the next token"


def test_a_kubeconfig_that_is_named_beats_the_service_account(pod, kubeconfig, monkeypatch):
    with Cluster(kubeconfig) as cluster:
        assert (cluster.server, sent_with(cluster)) == ("https://far.example.com", "mine")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    with connect(KubernetesSettings(context="far")) as cluster:
        assert sent_with(cluster) == "mine"


def test_a_context_that_no_kubeconfig_has_is_an_error_and_not_another_identity(pod):
    with pytest.raises(EnvironmentProblem, match="no usable Kubernetes configuration"):
        Cluster(context="production")


@pytest.mark.parametrize("name", ["token", "ca.crt"])
def test_an_empty_file_of_the_service_account_is_told_with_its_place(pod, name):
    (pod / name).write_text("")

    with pytest.raises(EnvironmentProblem) as caught:
        Cluster()
    assert "empty" in caught.value.seen
    assert caught.value.where == str(pod)


def test_with_nothing_to_be_asked_with_a_target_has_no_cluster(bare):
    assert connect(None) is None
    assert connect(KubernetesSettings()) is None
    with pytest.raises(EnvironmentProblem):
        connect(KubernetesSettings(kubeconfig=bare / "missing"))


def test_the_doctor_calls_that_unverified_and_no_problem(bare):
    (found,) = (
        each for each in findings(Target(kubernetes=KubernetesSettings())) if each.system == "kubernetes"
    )

    assert found.state is State.UNVERIFIED
    assert "no kubeconfig and no service account here" in found.words


def test_the_file_that_kubectl_uses_is_enough(bare):
    assert not is_there_any(None, None, {}, bare)
    (bare / ".kube").mkdir()
    (bare / ".kube" / "config").touch()
    assert is_there_any(None, None, {}, bare)
