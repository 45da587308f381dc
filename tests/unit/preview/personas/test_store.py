import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from gatehouse.core.errors import EnvironmentProblem, ProductFailure, UsageError, WrongSubject
from gatehouse.core.journey_settings import PersonaSettings
from gatehouse.preview.personas.credentials import CredentialReader
from gatehouse.preview.personas.store import PersonaStore, private_folder

ENVIRONMENT = {
    name: value
    for who in ("OWNER", "VIEWER")
    for name, value in ((f"{who}_USERNAME", f"user-{who}"), (f"{who}_PASSWORD", f"password-of-{who}"))
}


def persona(who, **more):
    sources = {"username": {"env": f"{who}_USERNAME"}, "password": {"env": f"{who}_PASSWORD"}}
    return PersonaSettings.model_validate({**sources, **more})


SETTINGS = {"owner": persona("OWNER", roles=["owner"]), "viewer": persona("VIEWER")}


class Logins:
    """In place of `SignIn`: makes sessions, and knows which of them hold."""

    def __init__(self, failures=None):
        self.failures = failures or {}
        self.made = []
        self.valid = True
        self._lock = threading.Lock()

    def sign_in(self, name, _settings, credentials):
        with self._lock:
            if name in self.failures:
                raise self.failures[name]
            self.made.append(name)
            value = f"session-{credentials.username}-{os.getpid()}-{len(self.made)}"
        cookie = {"name": "session", "value": value, "domain": "shop.example.com", "path": "/"}
        return {"cookies": [cookie], "origins": []}

    def is_valid(self, state, username):
        session = json.loads(state.read_text())["cookies"][0]["value"]
        assert username in session
        return self.valid if not callable(self.valid) else self.valid(session)


@pytest.fixture
def store(tmp_path):
    """Makes stores on one folder, as the processes of a run do; `.learned` is what they were told."""

    def store(logins=None, settings=SETTINGS):
        learned = []
        made = PersonaStore(tmp_path, settings, logins or Logins(), learned.append)
        made.learned = learned
        return made

    return store


def reader(**changes):
    return CredentialReader(7, "c" * 40, None, {**ENVIRONMENT, **changes})


def cookie_of(persona):
    return json.loads(persona.storage_state.read_text())["cookies"][0]["value"]


def test_every_process_finds_those_who_have_signed_in(store):
    assert store().sign_in_all(reader()) == {"owner": None, "viewer": None}

    worker = store()
    owner = worker.persona("owner")

    assert (owner.name, owner.username, owner.roles) == ("owner", "user-OWNER", ("owner",))
    assert owner.password == "password-of-OWNER"
    assert "password-of-OWNER" not in repr(owner)
    assert cookie_of(owner).startswith("session-user-OWNER")
    assert [each.name for each in worker.signed_in()] == ["owner", "viewer"]


def test_nobody_else_can_read_any_of_it(store):
    with private_folder() as folder:
        made = PersonaStore(folder, SETTINGS, Logins(), [].append)
        made.sign_in_all(reader())
        made.persona("owner")

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        kept = [path for path in folder.iterdir() if path.read_bytes()]
        assert len(kept) == 4
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert not folder.exists()


def test_who_cannot_sign_in_fails_where_they_are_needed_and_the_others_do_not(store):
    failure = EnvironmentProblem(
        "the product does not know viewer",
        expected="200",
        seen="403",
        where="http://shop",
        next_step="make one",
    )
    problems = store(Logins({"viewer": failure})).sign_in_all(reader())

    worker = store()

    assert problems == {"owner": None, "viewer": failure}
    assert worker.persona("owner").username == "user-OWNER"
    with pytest.raises(EnvironmentProblem) as caught:
        worker.persona("viewer")
    assert str(caught.value) == str(failure)


@pytest.mark.parametrize("kind", [WrongSubject, ProductFailure])
def test_whose_fault_it_was_is_the_same_in_every_process(store, kind):
    store(Logins({"viewer": kind("it leads away")})).sign_in_all(reader())

    with pytest.raises(kind) as caught:
        store().persona("viewer")
    assert type(caught.value) is kind


def test_credentials_that_are_missing_are_the_personas_failure(store):
    problems = store().sign_in_all(reader(VIEWER_PASSWORD=""))

    assert "the password of the persona viewer is not there" in problems["viewer"].summary
    with pytest.raises(EnvironmentProblem, match="the password of the persona viewer is not there"):
        store().persona("viewer")


def test_an_unknown_persona_is_said_with_those_that_there_are(store):
    store().sign_in_all(reader())

    with pytest.raises(UsageError, match="there is no persona 'admin'") as caught:
        store().persona("admin")
    assert caught.value.expected == "one of preview.personas: owner, viewer"


@pytest.mark.parametrize("name", ["personas", "a/b", "../up", "secrets", "Ärztin"])
def test_a_persona_may_have_any_name(store, tmp_path, name):
    settings = {name: SETTINGS["owner"], "viewer": SETTINGS["viewer"]}
    store(settings=settings).sign_in_all(reader())

    found = store(settings=settings).persona(name)

    assert cookie_of(found).startswith("session-user-OWNER")
    assert found.storage_state.parent == tmp_path


def test_an_expired_session_is_made_anew_once_for_all_who_need_it(store):
    logins = Logins()
    store(logins).sign_in_all(reader())
    expired = {cookie_of(store(logins).persona("owner", verify=False))}
    logins.valid = lambda session: session not in expired
    stores = [store(logins) for _ in range(8)]

    threads = [threading.Thread(target=each.persona, args=("owner",)) for each in stores]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert logins.made.count("owner") == 2
    assert cookie_of(store(logins).persona("owner")) not in expired


OTHER_PROCESS = """
import sys
from pathlib import Path
from tests.unit.preview.personas.test_store import SETTINGS, Logins, cookie_of
from gatehouse.preview.personas.store import PersonaStore

logins = Logins()
logins.valid = lambda session: session != sys.argv[2]
owner = PersonaStore(Path(sys.argv[1]), SETTINGS, logins, print).persona("owner")
print("logins", len(logins.made))
"""


def test_two_processes_sign_in_again_only_once(store, tmp_path):
    store().sign_in_all(reader())
    expired = cookie_of(store().persona("owner", verify=False))

    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path), expired]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [each.communicate(timeout=60)[0] for each in both]

    assert sorted(output.splitlines()[-1] for output in outputs) == ["logins 0", "logins 1"]


@pytest.mark.parametrize("valid", [True, None])
def test_a_session_that_holds_or_of_which_nothing_is_known_is_kept(store, valid):
    logins = Logins()
    store(logins).sign_in_all(reader())
    logins.valid = valid

    store(logins).persona("owner")

    assert logins.made.count("owner") == 1


def test_one_who_must_be_turned_away_is_not_signed_in_again(store):
    settings = {"owner": persona("OWNER", refused={"status": [403]})}
    logins = Logins()
    store(logins, settings).sign_in_all(reader())
    logins.valid = False

    store(logins, settings).persona("owner")

    assert logins.made == ["owner"]


def test_one_who_cannot_sign_in_again_fails_with_the_reason(store):
    logins = Logins()
    store(logins).sign_in_all(reader())
    logins.valid, logins.failures = False, {"owner": EnvironmentProblem("suspended meanwhile")}

    with pytest.raises(EnvironmentProblem, match="suspended meanwhile"):
        store(logins).persona("owner")


def test_every_process_learns_every_secret_also_of_sessions_that_others_renew(store):
    controller, logins = store(), Logins()
    controller.sign_in_all(reader())
    worker = store(logins)
    worker.learn_secrets()
    assert set(worker.learned) == set(controller.learned)
    assert {"password-of-OWNER", "password-of-VIEWER"} < set(controller.learned)

    logins.valid = False
    first = cookie_of(worker.persona("owner"))
    second = cookie_of(worker.persona("owner"))
    controller.learn_secrets()

    assert {first, second} <= set(worker.learned)
    assert {first, second} <= set(controller.learned)


def test_nothing_is_learned_twice(store):
    made = store()
    made.sign_in_all(reader())
    before = len(made.learned)

    made.learn_secrets()

    assert len(made.learned) == before


def test_the_password_of_one_who_could_not_sign_in_is_a_secret_as_well(store):
    made = store(Logins({"owner": EnvironmentProblem("no")}))
    made.sign_in_all(reader())

    assert "password-of-OWNER" in made.learned
