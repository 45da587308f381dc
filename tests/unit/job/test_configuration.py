"""What of the settings goes into the container, and what does not."""

import pytest
import yaml

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.settings import Settings, choose_target, load_settings
from gatehouse.job.configuration import files_for
from gatehouse.kube.client import connect

CODER = {"url": "https://coder.example.com", "template": "code"}


def made(target, **settings):
    loaded = Settings.model_validate({"version": 1, "targets": {"production": target}, **settings})
    files = files_for(loaded, "production", loaded.targets["production"])
    return files, yaml.safe_load(files["gatehouse.yaml"])


def test_the_target_keeps_its_name_and_its_settings():
    _, document = made({"coder": CODER, "smoke": {"posture": {"pod_security_level": "baseline"}}})

    assert document["default_target"] == "production"
    assert document["targets"]["production"]["coder"] == CODER
    assert document["targets"]["production"]["smoke"] == {"posture": {"pod_security_level": "baseline"}}


def test_the_container_can_load_it_and_asks_the_cluster_as_itself(tmp_path):
    kubernetes = {"kubeconfig": "/home/ada/config", "context": "production"}
    files, _ = made({"coder": CODER, "kubernetes": kubernetes})
    (tmp_path / "gatehouse.yaml").write_text(files["gatehouse.yaml"])

    name, target = choose_target(load_settings(tmp_path / "gatehouse.yaml"), None, {})

    assert name == "production"
    assert (target.kubernetes.kubeconfig, target.kubernetes.context) == (None, None)


def test_tokens_that_are_files_here_are_variables_there_and_variables_keep_their_names():
    coder = {**CODER, "token": {"file": "~/.token"}, "owner_token": {"env": "OWNER"}}

    _, document = made({"coder": coder})

    section = document["targets"]["production"]["coder"]
    assert (section["token"], section["owner_token"]) == ({"env": "CODER_SESSION_TOKEN"}, {"env": "OWNER"})


def test_an_authority_goes_along(tmp_path):
    (tmp_path / "authority.pem").write_text("-----BEGIN CERTIFICATE-----")
    smoke = {"edge": {"ca_file": str(tmp_path / "authority.pem")}}

    files, document = made({"coder": CODER, "smoke": smoke})

    assert files["authority.pem"] == "-----BEGIN CERTIFICATE-----"
    edge = document["targets"]["production"]["smoke"]["edge"]
    assert edge["ca_file"] == "/configuration/authority.pem"


def test_an_authority_that_cannot_be_read_is_told_before_anything_is_made(tmp_path):
    smoke = {"edge": {"ca_file": str(tmp_path / "missing.pem")}}

    with pytest.raises(EnvironmentProblem, match=r"missing\.pem cannot be read"):
        made({"coder": CODER, "smoke": smoke})


def test_other_targets_other_suites_and_tokens_for_them_stay_here():
    target = {
        "coder": CODER,
        "argocd": {"server": "https://argocd.example.com", "token": {"file": "/argocd"}},
        "github": {"repository": "acme/shop", "token": {"env": "GITHUB_TOKEN"}},
        "task": {"template": "task"},
    }
    _, document = made(target, guardrails={"repository_contract": False}, reports={"root": "/elsewhere"})

    assert document["targets"]["production"].keys() == {"coder", "github", "kubernetes"}
    assert document["targets"]["production"]["github"] == {"repository": "acme/shop"}
    assert document.keys() == {"version", "default_target", "targets", "guardrails"}


def test_a_target_without_anything_to_be_asked_with_has_no_cluster_here_but_one_there(monkeypatch, tmp_path):
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    _, document = made({"coder": CODER})

    assert connect(Settings.model_validate(document).targets["production"].kubernetes) is None
