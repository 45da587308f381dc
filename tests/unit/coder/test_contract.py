import copy

import pytest

from gatehouse.coder import calls
from gatehouse.coder.calls import CALLS, Call
from gatehouse.coder.contract import load_description, missing_calls, report
from gatehouse.core.errors import UsageError
from tests.support import api_descriptions
from tests.support.api_descriptions import needs_descriptions


def described(base="/api/v2", rename=False, **top):
    """A Swagger 2 description of all calls, with relative paths below `base` or whole ones."""
    paths = {}
    for call in CALLS:
        if call.documented:
            path = call.path.removeprefix(base) if base else call.path
            path = path.replace("{", "{their") if rename else path
            paths.setdefault(path, {})[call.method.lower()] = {}
    return {"swagger": "2.0", "basePath": base or "/", "paths": paths, **top}


@pytest.mark.parametrize(
    "description",
    [
        described(),
        described(base=""),
        described(basePath="/api/v2", base=""),
        described(base="", basePath=None),
        described(rename=True),
        {
            **described(),
            "basePath": None,
            "swagger": None,
            "openapi": "3.1.0",
            "servers": [{"url": "https://x/api/v2"}],
        },
        {**described(base=""), "openapi": "3.0.0", "servers": [{"url": "/"}]},
        {**described(), "basePath": "/api/v2/"},
    ],
    ids=[
        "relative paths",
        "whole paths",
        "whole paths and a base path",
        "no base path",
        "other parameter names",
        "OpenAPI 3 with a server",
        "OpenAPI 3 with whole paths",
        "base path with a slash",
    ],
)
def test_a_description_that_has_all_calls_lacks_none(description):
    assert missing_calls(description) == []


@pytest.mark.parametrize("call", [call for call in CALLS if call.documented], ids=str)
def test_a_call_that_is_gone_is_missing(call):
    description = copy.deepcopy(described())
    del description["paths"][call.path.removeprefix("/api/v2")][call.method.lower()]

    missing = missing_calls(description)
    assert call in missing
    assert {(each.method, each.path) for each in missing} == {(call.method, call.path)}


def test_a_call_with_another_method_or_below_another_path_is_missing():
    moved = Call("GET", "/api/v2/organizations/{organization}/chats")
    description = {
        "swagger": "2.0",
        "basePath": "/api/v2",
        "paths": {"/chats": {"get": {}}, "/organizations/{o}/chats": {"post": {}}},
    }

    assert missing_calls(description, [moved]) == [moved]


def test_what_no_description_has_is_not_looked_for():
    names = {call.path for call in CALLS if not call.documented}

    assert {"/healthz", "/swagger/doc.json"} <= names
    assert not names & {call.path for call in missing_calls(described() | {"paths": {"/x": {"get": {}}}})}


@pytest.mark.parametrize("data", [{}, {"paths": {}}, {"paths": []}, {"openapi": "3.0.0"}])
def test_what_is_no_description_has_no_calls_to_miss(data):
    with pytest.raises(UsageError, match="no API description"):
        missing_calls(data)


@pytest.mark.parametrize("text", ['{"paths": {"/x": {}}}', "paths:\n  /x: {}\n"])
def test_descriptions_are_read_as_json_and_yaml(tmp_path, text):
    file = tmp_path / "swagger"
    file.write_text(text)

    assert load_description(file) == {"paths": {"/x": {}}}


@pytest.mark.parametrize("text", ["{", "[1]", "just text", "a: : b"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text):
    file = tmp_path / "swagger.json"
    file.write_text(text)

    with pytest.raises(UsageError) as caught:
        load_description(file)
    assert caught.value.where == str(file)
    with pytest.raises(UsageError):
        load_description(tmp_path / "absent")


@needs_descriptions
def test_the_published_description_has_every_call():
    assert missing_calls(api_descriptions.coder_as_swagger()) == []


def test_a_call_that_is_optional_says_why():
    assert "licensed" in calls.ENTITLEMENTS.optional
    assert not calls.BUILD_INFO.optional


def test_what_is_missing_is_told_with_what_matters_first():
    assert report([]) == ""
    lines = report([calls.ENTITLEMENTS, calls.TERMINAL]).splitlines()

    assert lines[0] == "WebSocket /api/v2/workspaceagents/{agent}/pty is not described: Gatehouse needs it"
    assert lines[1].startswith(
        "GET /api/v2/entitlements is not described: no harm, its route is in the licensed part"
    )
