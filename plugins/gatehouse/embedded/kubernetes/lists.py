"""Lists as the API server gives them: a page at a time, and with nothing but metadata where that is enough."""

from __future__ import annotations

import base64

from gatehouse.embedded.kubernetes.kinds import Kind, Object
from gatehouse.embedded.kubernetes.store import ApiError

PARTIAL = "as=PartialObjectMetadataList"


def page_of(items: list[Object], limit: int, token: str, version: int) -> tuple[list[Object], Object]:
    """At most `limit` objects after those that came before `token`, and the list's own metadata.

    `items` are in the order of their namespaces and names; 0 stands for no limit. Raises `ApiError` 400.
    """
    after = _position(token) if token else None
    rest = [each for each in items if after is None or _key(each) > after]
    metadata: Object = {"resourceVersion": str(version)}
    if not limit or len(rest) <= limit:
        return rest, metadata
    page = rest[:limit]
    position = "/".join(_key(page[-1]))
    metadata |= {"continue": base64.urlsafe_b64encode(position.encode()).decode()}
    return page, metadata | {"remainingItemCount": len(rest) - limit}


def list_of(kind: Kind, items: list[Object], metadata: Object, accept: str) -> Object:
    """The answer to a list, of whole objects or of their metadata, as the Accept header asks for."""
    if PARTIAL not in accept:
        return {
            "apiVersion": kind.api_version,
            "kind": f"{kind.name}List",
            "metadata": metadata,
            "items": items,
        }
    partial = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata"}
    return {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadataList",
        "metadata": metadata,
        "items": [{**partial, "metadata": each["metadata"]} for each in items],
    }


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _position(token: str) -> tuple[str, str]:
    try:
        namespace, _, name = base64.urlsafe_b64decode(token).decode().partition("/")
    except ValueError as error:
        raise ApiError(400, "BadRequest", f"continue key is not valid: {error}") from error
    return namespace, name
