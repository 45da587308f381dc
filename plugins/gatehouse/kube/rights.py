"""What a workspace's service account may do, asked for with its own token from inside its pod."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatehouse.core.smoke_settings import ForbiddenRight

#: Where Kubernetes puts the token into a pod that is given one.
FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"

#: Prints where the API is, where the token is, and the pod's namespace; fails with 3 where the pod has no token.
ENVIRONMENT = (
    "sh",
    "-c",
    f"[ -r {FOLDER}/token ] || exit 3; "
    f'echo "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT" {FOLDER} "$(cat {FOLDER}/namespace)"',
)
NO_TOKEN = 3

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Question:
    """A right that is asked about, and how it is put into words."""

    right: ForbiddenRight
    namespace: str

    def __str__(self) -> str:
        group = f".{self.right.group}" if self.right.group not in ("", "*") else ""
        where = f"in its namespace {self.namespace}" if self.namespace else "in every namespace"
        return f"{self.right.verb} {self.right.resource}{group} {where}"

    @property
    def attributes(self) -> dict[str, str]:
        """`resourceAttributes` of an access review."""
        resource, _, subresource = self.right.resource.partition("/")
        return {
            "verb": self.right.verb,
            "group": self.right.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace,
        }

    def review(self) -> dict[str, Any]:
        """The body of a SelfSubjectAccessReview."""
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": self.attributes},
        }


def questions(rights: Sequence[ForbiddenRight], own: str) -> list[Question]:
    """What to ask; `own` is the workspace's namespace."""
    return [Question(right, own if right.namespace == "own" else right.namespace or "") for right in rights]


def review_request(address: str, folder: str, question: Question) -> dict[str, Any]:
    """The request for the probe (`gatehouse.edge`) that asks the API at `address` with the token in `folder`."""
    return {
        "url": f"{address}{REVIEWS}",
        "timeout": 10,
        "method": "POST",
        "body": json.dumps(question.review()),
        "ca_file": f"{folder}/ca.crt",
        "headers": {"Content-Type": "application/json"},
        "headers_from_files": {"Authorization": f"{folder}/token"},
        "prefix": "Bearer ",
    }
