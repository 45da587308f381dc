"""What the cluster says of logs, secrets, gateways, workspaces nobody knows, and Telepresence."""

import pytest

from gatehouse.core.smoke_settings import ConsistencySettings, ForbiddenRight
from gatehouse.kube.gateways import gateway_problems, services_without_endpoints
from gatehouse.kube.log_noise import noise_in
from gatehouse.kube.rights import questions
from gatehouse.kube.secret_sources import external_secret_problems, referenced_secrets
from gatehouse.kube.strays import Look, objects_by_workspace, stray_problems
from gatehouse.kube.telepresence import traces

ID = "8f273687-520e-41b9-bc24-139831ec7bb7"
PATTERN = ConsistencySettings().namespace_pattern


def ready(status, reason="", message="", type_="Ready"):
    return {
        "status": {"conditions": [{"type": type_, "status": status, "reason": reason, "message": message}]}
    }


# --- logs ----------------------------------------------------------------------------------------------


def test_noise_is_counted_by_pattern_and_shown_by_its_last_line():
    log = "ok\nx is forbidden: 1\nx is forbidden: 2\ndial: connection refused\n"

    found = noise_in(log, ["forbidden", "connection refused"], [])

    assert [(each.count, each.last) for each in found] == [
        (2, "x is forbidden: 2"),
        (1, "dial: connection refused"),
    ]


def test_lines_that_are_accepted_are_no_noise():
    assert noise_in("metrics: connection refused", ["refused"], ["^metrics:"]) == []


def test_a_line_counts_for_the_first_of_its_patterns_only():
    (found,) = noise_in("forbidden, connection refused", ["forbidden", "refused"], [])

    assert found.pattern == "forbidden"


# --- secrets -------------------------------------------------------------------------------------------


def test_secrets_are_found_wherever_a_pod_refers_to_them():
    pod = {
        "spec": {
            "initContainers": [{"name": "i", "envFrom": [{"secretRef": {"name": "a"}}]}],
            "containers": [
                {
                    "name": "c",
                    "env": [
                        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "b", "key": "k"}}},
                        {
                            "name": "O",
                            "valueFrom": {"secretKeyRef": {"name": "o", "key": "k", "optional": True}},
                        },
                    ],
                }
            ],
            "volumes": [
                {"name": "v", "secret": {"secretName": "c"}},
                {
                    "name": "p",
                    "projected": {"sources": [{"secret": {"name": "d"}}, {"configMap": {"name": "x"}}]},
                },
            ],
            "imagePullSecrets": [{"name": "e"}],
        }
    }

    assert referenced_secrets(pod) == {"a", "b", "c", "d", "e"}


def external(name, target=None, **state):
    spec = {
        "secretStoreRef": {"name": "vault", "kind": "SecretStore"},
        "target": {"name": target} if target else {},
    }
    return {"metadata": {"name": name}, "spec": spec, **state}


def test_an_external_secret_that_is_not_ready_is_told_with_the_stores_own_words():
    store = {
        "kind": "SecretStore",
        "metadata": {"name": "vault"},
        **ready("False", "InvalidProviderConfig", "403"),
    }
    broken = external("db", "coder-db", **ready("False", "SecretSyncedError", "store is not ready"))

    (problem,) = external_secret_problems({"coder-db"}, [broken], [store])

    assert problem == (
        "Secret coder-db: ExternalSecret db is not Ready: SecretSyncedError: store is not ready; "
        "SecretStore vault: InvalidProviderConfig: 403"
    )


def test_external_secrets_of_other_pods_and_those_that_are_ready_are_no_problem():
    broken = external("other", **ready("False"))
    well = external("db", "coder-db", **ready("True"))

    assert external_secret_problems({"coder-db"}, [broken, well], []) == []


def test_an_external_secret_that_nobody_has_judged_is_not_ready():
    (problem,) = external_secret_problems({"db"}, [external("db")], [])

    assert "it has no condition Ready" in problem


# --- workspaces ----------------------------------------------------------------------------------------


def namespace(name, labels=None, ending=False):
    metadata = {"name": name, "labels": labels}
    return {"metadata": metadata | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if ending else {})}


@pytest.mark.parametrize(
    "item",
    [
        namespace(f"ameide-ws-{ID}"),
        namespace("anything", {"com.coder.workspace.id": ID}),
        {"metadata": {"name": "home", "namespace": f"coder-ws-{ID}"}},
    ],
)
def test_objects_belong_to_a_workspace_by_name_and_by_label(item):
    assert set(objects_by_workspace([item], PATTERN)) == {ID}


def test_what_is_being_deleted_and_what_has_no_workspace_in_its_name_is_left_out():
    assert objects_by_workspace([namespace(f"x-ws-{ID}", ending=True), namespace("argocd")], PATTERN) == {}


def test_a_namespace_whose_workspace_coder_does_not_know_is_told_after_two_looks():
    look = Look({}, {ID: (f"namespace ws-{ID}",)})

    assert stray_problems(look, look) == [f"namespace ws-{ID}: Coder has no workspace {ID}"]
    assert stray_problems(look, Look({}, {})) == []
    assert stray_problems(look, Look({ID: "running"}, look.objects)) == []


def test_a_running_workspace_without_anything_in_the_cluster_is_told():
    gone = Look({ID: "running"}, {})

    assert stray_problems(gone, gone) == [
        f"workspace {ID} runs, says Coder, and the cluster has nothing of it"
    ]
    assert stray_problems(Look({ID: "stopped"}, {}), gone) == []


# --- the edge ------------------------------------------------------------------------------------------


def gateway(programmed="True", addresses=({"value": "192.0.2.1"},), listener=("True", "")):
    conditions = [
        {"type": "Accepted", "status": "True"},
        {"type": "Programmed", "status": programmed, "reason": "AddressNotAssigned", "message": "no address"},
    ]
    status, reason = listener
    judged = [{"type": "ResolvedRefs", "status": status, "reason": reason, "message": "Secret tls not found"}]
    return {
        "metadata": {"namespace": "edge", "name": "public"},
        "status": {
            "conditions": conditions,
            "addresses": list(addresses),
            "listeners": [{"name": "https", "conditions": judged}],
        },
    }


def test_a_gateway_that_is_well_has_no_problem():
    assert gateway_problems([gateway()]) == []


def test_a_gateway_is_told_by_programming_address_and_listeners():
    (problem,) = gateway_problems([gateway(programmed="False")])
    assert "is not Programmed: AddressNotAssigned" in problem
    (problem,) = gateway_problems([gateway(addresses=())])
    assert "has no address" in problem
    (problem,) = gateway_problems([gateway(listener=("False", "InvalidCertificateRef"))])
    assert "listener https: not ResolvedRefs: InvalidCertificateRef: Secret tls not found" in problem


def test_a_gateway_that_nobody_has_judged_is_a_problem():
    problems = gateway_problems([{"metadata": {"namespace": "edge", "name": "public"}}])

    assert any("nobody has judged it" in each for each in problems)


def service(name, **spec):
    return {"metadata": {"namespace": "coder", "name": name}, "spec": spec}


def slice_of(name, *ready_states):
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": state}} for state in ready_states]
    metadata = {"namespace": "coder", "labels": {"kubernetes.io/service-name": name}}
    return {"metadata": metadata, "endpoints": endpoints}


def test_services_without_a_ready_endpoint_are_told_by_their_selector():
    services = [service("coder", selector={"app": "coder"}), service("auth", selector={"app": "gone"})]
    slices = [slice_of("coder", False, True), slice_of("auth", False)]

    assert services_without_endpoints(services, slices) == [
        "Service coder/auth has no ready endpoint; its selector is app=gone"
    ]


def test_services_with_another_name_behind_them_have_no_endpoints_by_nature():
    assert (
        services_without_endpoints([service("db", type="ExternalName", externalName="db.example.com")], [])
        == []
    )


# --- rights and Telepresence ---------------------------------------------------------------------------


def test_rights_are_asked_for_the_whole_cluster_or_the_workspaces_own_namespace():
    everywhere, own = questions(
        [
            ForbiddenRight(verb="list", resource="secrets"),
            ForbiddenRight(verb="create", resource="pods/exec", namespace="own"),
        ],
        "ws",
    )

    assert str(everywhere) == "list secrets in every namespace"
    assert str(own) == "create pods/exec in its namespace ws"
    assert own.attributes == {
        "verb": "create",
        "group": "",
        "resource": "pods",
        "subresource": "exec",
        "namespace": "ws",
    }


def workload(name, *containers, annotations=None):
    specs = [{"name": each, "image": image} for each, image in containers]
    return {
        "metadata": {"name": name, "namespace": "n", "annotations": annotations},
        "spec": {"containers": specs, "template": {"spec": {"containers": specs}}},
    }


def test_telepresence_is_found_by_its_manager_its_agents_and_its_annotation():
    manager = workload("traffic-manager", ("traffic-manager", "mirror/tm:1"))
    renamed = workload("tm", ("tm", "ghcr.io/telepresenceio/tel2:2.30.0"))
    injected = workload("web", ("web", "web:1"), ("traffic-agent", "x"))
    asking = workload(
        "api", ("api", "api:1"), annotations={"telepresence.io/inject-traffic-agent": "enabled"}
    )

    assert len(traces([manager, renamed], [injected, asking])) == 4


def test_other_workloads_are_no_telepresence():
    refusing = workload(
        "web", ("web", "web:1"), annotations={"telepresence.io/inject-traffic-agent": "disabled"}
    )

    assert traces([workload("coder", ("coder", "coder:2"))], [refusing]) == []
