import json

import pytest

from gatehouse.kube.exec import _exit_code


def status(**data):
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (status(status="Success"), 0),
        (status(status="Failure", details={"causes": [{"reason": "ExitCode", "message": "42"}]}), 42),
        (status(status="Failure", message="container not found"), None),
        (status(status="Failure", details=None), None),
        (status(status="Failure", details={"causes": [{"reason": "ExitCode", "message": "?"}]}), None),
        (b"not json", None),
    ],
)
def test_an_exit_code_is_only_what_the_api_server_says_and_never_a_guess(frame, code):
    found, source = _exit_code(frame)

    assert found == code
    assert source.startswith("unknown") == (code is None)
