import pytest

from gatehouse.core.service_account import FOLDER_VARIABLE, service_account_folder

API = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def mounted(tmp_path):
    """A folder as Kubernetes mounts it."""
    for name in ("token", "ca.crt", "namespace"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_pod_with_a_token_is_inside(mounted):
    assert service_account_folder(API, mounted) == mounted


def test_a_token_in_another_place_is_named_by_a_variable(mounted, tmp_path):
    assert service_account_folder({**API, FOLDER_VARIABLE: str(mounted)}, tmp_path / "usual") == mounted


@pytest.mark.parametrize("name", API)
@pytest.mark.parametrize("value", ["", None])
def test_outside_of_a_cluster_there_is_none_even_where_such_files_lie_about(mounted, name, value):
    environment = {**API, name: value} if value is not None else {k: v for k, v in API.items() if k != name}

    assert service_account_folder(environment, mounted) is None


@pytest.mark.parametrize("name", ["token", "ca.crt"])
def test_a_pod_that_is_given_no_token_cannot_look_at_its_cluster(mounted, name):
    (mounted / name).unlink()

    assert service_account_folder(API, mounted) is None
