import pytest

from gatehouse.coder.build_failures import build_failure_of


@pytest.mark.parametrize(
    ("words", "cause", "step"),
    [
        (
            'networkpolicies.networking.k8s.io "egress" already exists',
            "somebody else has made",
            "only one of them own",
        ),
        (
            'roles.rbac.authorization.k8s.io "x" is forbidden: user "u" is attempting to grant RBAC permissions not '
            "currently held:",
            "more rights than the provisioner has",
            "service account may not do itself",
        ),
        (
            'namespaces is forbidden: User "system:serviceaccount:coder:coder" cannot create resource "namespaces"',
            "may not do in the cluster",
            "give the provisioner's service account",
        ),
        ("insufficient quota", "quota is used up", "raise the quota"),
        ('claims "x" is forbidden: exceeded quota: q, requested: …', "quota is used up", "raise the quota"),
        ("Error: Unexpected Identity Change", "existed before", "pin the provider"),
        ("Failed to query available provider packages", "cannot fetch a provider", "mirror"),
        ("MISSING_TEMPLATE_PARAMETER", "parameter without a value", "coder.parameters"),
        ("something new", "", "read the provisioner's error"),
    ],
)
def test_the_words_of_a_failed_build_name_its_cause_and_the_next_step(words, cause, step):
    failure = build_failure_of(f"terraform apply: exit status 1: {words}")

    assert cause in failure.cause
    assert step in failure.next_step
