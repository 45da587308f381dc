import pytest

from gatehouse.kube.network_policies import egress_of, selects

POD = {"metadata": {"name": "dev", "namespace": "ws", "labels": {"app": "workspace"}}}


def policy(name="egress", namespace="ws", **spec):
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}}


def to(cidr, *ports, leave_out=()):
    block = {"cidr": cidr, **({"except": list(leave_out)} if leave_out else {})}
    return {"to": [{"ipBlock": block}], "ports": [{"port": port} for port in ports]}


def test_without_a_policy_everything_is_open():
    egress = egress_of(POD, [])

    assert not egress.restricted
    assert egress.permits("192.0.2.1", 443)
    assert egress.openings([53]) == [
        "no NetworkPolicy is about the pod's outbound traffic, so all of it is allowed"
    ]


def test_a_policy_without_rules_closes_everything():
    egress = egress_of(POD, [policy(policyTypes=["Egress"], egress=[])])

    assert egress.restricted
    assert not egress.permits("192.0.2.1", 443)
    assert egress.openings([]) == []


def test_a_policy_about_inbound_traffic_alone_restricts_nothing():
    assert not egress_of(POD, [policy(policyTypes=["Ingress"])]).restricted
    assert not egress_of(POD, [policy(ingress=[])]).restricted


def test_without_types_a_policy_with_rules_for_outbound_traffic_is_about_it():
    assert egress_of(POD, [policy(egress=[to("192.0.2.0/24")])]).restricted


@pytest.mark.parametrize(
    "spec",
    [
        {"namespace": "other", "policyTypes": ["Egress"]},
        {"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Egress"]},
        {
            "podSelector": {
                "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["workspace"]}]
            },
            "policyTypes": ["Egress"],
        },
    ],
)
def test_policies_of_other_namespaces_and_pods_do_not_count(spec):
    assert not egress_of(POD, [policy(**spec)]).restricted


def test_policies_add_up():
    egress = egress_of(
        POD,
        [
            policy("none", policyTypes=["Egress"]),
            policy("some", policyTypes=["Egress"], egress=[to("192.0.2.0/24", 443)]),
        ],
    )

    assert egress.policies == ("none", "some")
    assert egress.permits("192.0.2.9", 443)
    assert not egress.permits("192.0.2.9", 80)
    assert not egress.permits("198.51.100.1", 443)


def test_an_exception_within_a_block_is_closed():
    egress = egress_of(POD, [policy(egress=[to("0.0.0.0/0", leave_out=["10.0.0.0/8"])])])

    assert egress.permits("192.0.2.9", 443)
    assert not egress.permits("10.1.2.3", 443)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"ports": [{"port": 443}]},
        to("0.0.0.0/0"),
        to("::/0", 443),
        to("128.0.0.0/1"),
        {"ports": [{"port": 50, "endPort": 60}]},
        {"ports": [{"protocol": "UDP"}]},
        {"ports": [{"port": "https"}]},
    ],
)
def test_rules_that_lead_everywhere_are_openings(rule):
    (opening,) = egress_of(POD, [policy(policyTypes=["Egress"], egress=[rule])]).openings([53])

    assert opening.startswith("NetworkPolicy egress allows every address on ")


@pytest.mark.parametrize(
    "rule",
    [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]},
        to("140.82.112.0/20", 443),
        {"to": [{"namespaceSelector": {}}]},
        {"to": [{"podSelector": {}, "namespaceSelector": {"matchLabels": {"name": "dns"}}}]},
    ],
)
def test_dns_single_networks_and_pods_are_no_openings(rule):
    assert egress_of(POD, [policy(policyTypes=["Egress"], egress=[rule])]).openings([53]) == []


def test_a_rule_for_pods_opens_no_address_outside_of_the_cluster():
    egress = egress_of(POD, [policy(egress=[{"to": [{"namespaceSelector": {}}]}])])

    assert not egress.permits("192.0.2.1", 443)


def test_ranges_of_ports_hold_their_ends():
    egress = egress_of(POD, [policy(egress=[{"ports": [{"port": 8000, "endPort": 8002}]}])])

    assert [port for port in range(7999, 8004) if egress.permits("192.0.2.1", port)] == [8000, 8001, 8002]


def test_a_rule_for_udp_opens_no_tcp():
    assert not egress_of(POD, [policy(egress=[{"ports": [{"protocol": "UDP"}]}])]).permits("192.0.2.1", 53)


@pytest.mark.parametrize(
    ("operator", "values", "chosen"),
    [
        ("In", ["a"], True),
        ("In", ["b"], False),
        ("NotIn", ["b"], True),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ],
)
def test_selectors_by_expression(operator, values, chosen):
    requirement = {"key": "app", "operator": operator, "values": values}

    assert selects({"matchExpressions": [requirement]}, {"app": "a"}) is chosen
