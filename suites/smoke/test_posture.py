"""Workspaces have no more power over their nodes, the cluster and its secrets than they need."""

import fnmatch
import json
import shlex

import pytest

from gatehouse.core.errors import NotFound, PermissionDenied
from gatehouse.core.problems import require_none
from gatehouse.guardrails.literal_secrets import secrets_in_archive, secrets_in_variables
from gatehouse.guardrails.workspace_contract import contract_files, contract_violations
from gatehouse.kube import rights
from gatehouse.kube.client import DEPLOYMENTS, NAMESPACES, PODS
from gatehouse.kube.posture import (
    effective_contexts,
    hazards,
    level_problem,
    literal_variables,
    pod_security_levels,
)
from gatehouse.kube.telepresence import traces
from gatehouse.run import required_run

#: How a command ends that does not find its file.
ABSENT = 44

# --- the pod ----------------------------------------------------------------------------------------------


def test_a_workspace_has_no_power_over_its_node(workspace_pod, smoke_settings, evidence):
    evidence.attach("security-contexts.json", effective_contexts(workspace_pod))

    require_none(hazards(workspace_pod, smoke_settings.posture.capabilities))


def test_the_pod_security_level_of_a_workspaces_namespace_is_as_configured(
    cluster, workspace_pod, smoke_settings, evidence
):
    name = workspace_pod["metadata"]["namespace"]
    try:
        namespace = cluster.get(NAMESPACES, name)
    except PermissionDenied as error:
        pytest.skip(f"unverified: the identity may not read the namespace {name} ({error.seen})")
    levels = pod_security_levels(namespace)
    evidence.attach("pod-security.json", {"namespace": name, "levels": levels})

    require_none([level_problem(levels, smoke_settings.posture.pod_security_level)])


# --- its service account ----------------------------------------------------------------------------------


def test_a_workspaces_service_account_may_not_do_what_is_forbidden(
    run_in_workspace, ask_inside, smoke_settings, evidence
):
    environment = run_in_workspace(list(rights.ENVIRONMENT))
    if environment.exit_code == rights.NO_TOKEN:
        return  # without a token nothing can be asked of the API
    assert environment.exit_code == 0, environment.stderr.decode(errors="replace")
    address, folder, namespace = environment.stdout.decode().split()
    asked = rights.questions(smoke_settings.posture.forbidden_rights, namespace)
    answers = ask_inside([rights.review_request(address, folder, each) for each in asked])
    silent = next((each for each in answers if not each.reached), None)
    if silent:
        pytest.skip(f"unverified: the API cannot be asked from inside the workspace ({silent.words})")
    refused = next((each for each in answers if each.status != 201), None)
    if refused:
        pytest.skip(
            f"unverified: the API answers {refused.status} to an access review ({refused.body_words})"
        )

    allowed = [
        str(question)
        for question, answer in zip(asked, answers, strict=True)
        if json.loads(answer.body)["status"].get("allowed")
    ]
    evidence.attach("rights.json", {"asked": [str(each) for each in asked], "allowed": allowed})
    require_none([f"with the token in the workspace's pod one may {right}" for right in allowed])


# --- what must not be there at all ------------------------------------------------------------------------


def test_the_cluster_has_no_telepresence(cluster):
    try:
        deployments, pods = cluster.list_all(DEPLOYMENTS), cluster.list_all(PODS)
    except PermissionDenied as error:
        pytest.skip(
            f"unverified: the identity may not list the Deployments and pods of the cluster ({error.seen})"
        )

    require_none(traces(deployments, pods))


def test_no_secret_stands_in_the_specification_of_a_workspaces_pod(workspace_pod, smoke_settings):
    known = smoke_settings.posture.known_secret_variables
    variables = [
        (name, value)
        for name, value in literal_variables(workspace_pod)
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in known)
    ]

    require_none(secrets_in_variables(variables))


def test_no_template_holds_a_secret(coder):
    problems, unread = [], []
    for template in coder.templates():
        if template.deprecated:
            continue
        try:
            archive = coder.template_files(coder.template_version(template.active_version_id))
        except (NotFound, PermissionDenied) as error:
            unread.append(f"{template.name}: {error.seen or error.summary}")
            continue
        problems += [f"template {template.name}, {found}" for found in secrets_in_archive(archive)]

    require_none(problems)
    if unread:
        pytest.skip(f"unverified: the source of templates cannot be read ({'; '.join(unread)})")


# --- the checkout -----------------------------------------------------------------------------------------


def test_the_checkout_of_a_workspace_keeps_the_contract_of_the_platforms_repositories(
    run_in_workspace, ready_workspace, pytestconfig
):
    root = ready_workspace.agent.directory
    settings = required_run(pytestconfig).settings.guardrails
    if settings.repository_contract is False:
        pytest.skip("not configured: guardrails.repository_contract is off")
    files = {}
    for name in contract_files(settings):
        path = shlex.quote(f"{root}/{name}")
        result = run_in_workspace(["sh", "-c", f"[ -f {path} ] || exit {ABSENT}; cat {path}"])
        if result.exit_code not in (0, ABSENT):
            pytest.skip(f"unverified: {name} of the checkout cannot be read ({result.exit_code_source})")
        files[name] = result.stdout.decode(errors="replace") if result.exit_code == 0 else None
    violations = contract_violations(settings, root, files)
    if violations is None:
        pytest.skip(
            f"not configured: {root} is no checkout of the platform's (guardrails.repository_contract)"
        )

    require_none([str(each) for each in violations])
