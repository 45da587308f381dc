from gatehouse.edge.egress import forbidden_problems, missing_problems
from gatehouse.edge.probe import Seen
from gatehouse.kube.network_policies import Egress, Rule

CLOSED = Egress(("egress",))
GITHUB = Egress(("egress",), (Rule("egress", ({"ipBlock": {"cidr": "140.82.112.0/20"}},), ({"port": 443},)),))

CONNECTED = Seen("done", address="192.0.2.1", addresses=("192.0.2.1",))
LOST = Seen("connect", words="timed out after 5 s", addresses=("140.82.121.4",), timed_out=True)


def test_what_is_connected_to_is_not_missing_and_what_is_not_is_not_forbidden():
    assert missing_problems({"github.com:443": CONNECTED}, GITHUB) == []
    assert forbidden_problems({"example.com:443": LOST}, CLOSED) == []


def test_a_place_that_no_rule_allows_is_told_with_the_policies():
    (problem,) = missing_problems({"github.com:443": LOST}, CLOSED)

    assert problem.endswith("timed out after 5 s; no rule of egress allows it")


def test_a_place_that_is_allowed_and_not_reached_points_to_another_hop():
    (problem,) = missing_problems({"github.com:443": LOST}, GITHUB)

    assert "ports of pods, not of Services" in problem


def test_a_name_that_is_not_resolved_may_be_for_lack_of_a_rule_for_dns():
    (problem,) = missing_problems({"github.com:443": Seen("name", words="unknown")}, CLOSED)

    assert "leaves out DNS" in problem


def test_a_connection_that_the_policies_forbid_shows_that_nobody_enforces_them():
    (problem,) = forbidden_problems({"example.com:443": CONNECTED}, CLOSED)

    assert "nothing in this cluster enforces NetworkPolicies" in problem


def test_a_connection_that_a_rule_allows_is_laid_to_the_rule():
    (problem,) = forbidden_problems({"example.com:443": CONNECTED}, Egress(("egress",), (Rule("egress"),)))

    assert problem.endswith("and a rule of egress allows it")


def test_a_connection_without_any_policy_is_laid_to_its_absence():
    (problem,) = forbidden_problems({"example.com:443": CONNECTED}, Egress())

    assert "no NetworkPolicy is about the workspace's outbound traffic" in problem
