"""When what an object says ends a wait, and what is said of it."""

import pytest

from gatehouse.argocd.diagnose import Blocker
from gatehouse.preview.causes import Cause, made_by_operation, may_pass

IMAGE = "registry/shop/web:abc"


def cause(reason="ImagePullBackOff", words="not found", kind="Pod", made="2026-01-01T00:00:10Z", stuck=True):
    node = {"kind": kind, "name": "web-1", "createdAt": made}
    return Cause("web", Blocker(f"{kind} pr-7/web-1", reason, "", stuck, node), words, 0.0)


@pytest.mark.parametrize(
    ("found", "known", "passes"),
    [
        (cause(), True, True),
        (cause(), False, False),
        (cause(words="429 Too Many Requests"), True, False),
        (cause(words="401 Unauthorized"), True, False),
        (cause(words="no match for platform in manifest: not found"), True, False),
        (cause("InvalidImageName", "invalid reference format"), True, False),
        (cause("CrashLoopBackOff", "exit 1"), True, False),
        (cause("Pending", "Insufficient memory", stuck=False), False, True),
    ],
)
def test_a_missing_image_is_waited_for_where_the_registry_tells_of_it_and_nothing_else_that_is_stuck(
    found, known, passes
):
    assert may_pass(found, image_is_known=known) is passes


@pytest.mark.parametrize(
    ("made", "began", "by_it"),
    [
        ("2026-01-01T00:00:10Z", "2026-01-01T00:00:05Z", True),
        ("2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z", False),
        ("2026-01-01T00:00:10Z", None, False),
        (None, "2026-01-01T00:00:05Z", False),
    ],
)
def test_a_pod_from_before_an_operation_is_not_the_operations(made, began, by_it):
    application = {"status": {"operationState": {"startedAt": began}}}

    assert made_by_operation(cause(made=made), application) is by_it


@pytest.mark.parametrize(
    ("found", "infrastructure"),
    [
        (cause(words="429 Too Many Requests"), True),
        (cause(words="401 Unauthorized"), True),
        (cause(), False),
        (cause("Degraded", "permission denied", kind="SecretStore"), True),
        (cause("Progressing", "exceeded quota: previews", kind="ReplicaSet"), True),
        (cause("CrashLoopBackOff", "exit 1"), False),
    ],
)
def test_whose_fault_it_is(found, infrastructure):
    assert found.is_infrastructure is infrastructure
