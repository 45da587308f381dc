"""What runs left is found and removed; nobody else's things are."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from gatehouse import cli
from gatehouse.coder import patience
from gatehouse.coder.client import CoderClient
from gatehouse.coder.made import make_workspace
from gatehouse.coder.ownership import place_of
from gatehouse.coder.workspaces import delete, wait_for_build
from gatehouse.core.deadline import Deadline, SystemClock
from gatehouse.core.ledger import Ledger, outstanding, owner
from gatehouse.embedded.coder.users import User
from gatehouse.embedded.kubernetes import kinds
from gatehouse.embedded.platform import Platform
from gatehouse.evidence.manifest import read_manifest, verify_files, write_manifest
from gatehouse.kube.client import Cluster
from gatehouse.kube.inventory import workspace_inventory
from gatehouse.smoke.canaries import make_canary
from gatehouse.task.sweep import command, model
from gatehouse.task.sweep.command import sweep_command
from gatehouse.task.sweep.sweep import Wanted
from tests.platform.conftest import quick, target_of

RUN = "20260101T000000Z-abc123"
OTHER_RUN = "20260101T000000Z-def456"


class Place:
    """A platform, the bundles on this machine, and the commands of whoever sweeps."""

    def __init__(self, platform, folder, monkeypatch, capsys):
        self.platform, self.folder, self.capsys, self.monkeypatch = platform, folder, capsys, monkeypatch
        self.target = target_of(platform)
        self.coder = CoderClient(platform.urls.coder, platform.credentials.coder)
        self.cluster = Cluster(platform.kubeconfig)
        self.ledgers = []
        monkeypatch.chdir(folder)
        monkeypatch.setenv("GATEHOUSE_CONFIG", str(platform.configuration_file))

    def ledger(self, run=RUN):
        folder = self.folder / "reports" / run
        folder.mkdir(parents=True, exist_ok=True)
        self.ledgers.append(Ledger(folder / "ledger-main.jsonl"))
        return self.ledgers[-1]

    def make(self, ledger, run=RUN, ttl=3600, coder=None):
        coder = coder or self.coder
        made = make_workspace(
            coder,
            self.target.coder,
            ledger,
            "task",
            suite="task",
            run_id=run,
            ttl_seconds=ttl,
            on_intended=lambda _name: None,
        )
        wait_for_build(coder, made.id, Deadline.after(20))
        return made

    def left(self, run=RUN, ttl=3600):
        """A workspace of a run that has ended since."""
        ledger = self.ledger(run)
        made = self.make(ledger, run, ttl)
        ledger.close()
        return made

    def forget_ledgers(self):
        for each in self.ledgers:
            each.close()
            each.path.unlink(missing_ok=True)

    def sweep(self, *arguments):
        """Exit code and JSON of a sweep."""
        self.capsys.readouterr()
        code = cli.main(["sweep", "--json", *map(str, arguments)])
        return code, json.loads(self.capsys.readouterr().out)

    def state(self, workspace):
        return self.coder.workspace(workspace.id, include_deleted=True).latest_build.status

    def close(self):
        for each in self.ledgers:
            each.close()
        self.coder.close()
        self.cluster.close()


@pytest.fixture
def place(start, tmp_path, monkeypatch, capsys):
    places = []

    def place(*scenarios):
        places.append(Place(start(*scenarios), tmp_path, monkeypatch, capsys))
        return places[-1]

    yield place
    for each in places:
        each.close()


@pytest.fixture(scope="module")
def shared():
    with Platform(timings=quick()) as platform:
        yield platform


@pytest.fixture
def happy(shared, tmp_path, monkeypatch, capsys):
    """A place on a platform that is as new, as it is emptied after each test."""
    place = Place(shared, tmp_path, monkeypatch, capsys)
    yield place
    for each in place.coder.workspaces():
        delete(place.coder, each.id, Deadline.after(20))
    place.close()


class Later(SystemClock):
    def now(self):
        return datetime.now(UTC) + timedelta(hours=2)


def expired(monkeypatch):
    """For sweeps it is two hours later from now on."""
    monkeypatch.setattr(model.Context.__init__, "__defaults__", (Later(),))
    monkeypatch.setattr(command, "SYSTEM_CLOCK", Later())


def only(data):
    (row,) = data["rows"]
    return row


# --- from the ledger ---------------------------------------------------------------------------------------


def test_what_a_run_left_is_removed_proved_gone_and_noted_in_its_ledger(happy):
    workspace = happy.left()

    code, data = happy.sweep()

    row = only(data)
    assert (code, data["outcome"], row["outcome"], row["done"]) == (0, "clean", "clean", "deleted in Coder")
    assert (row["name"], row["run"], row["owner"]) == (workspace.name, RUN, owner())
    assert happy.state(workspace) == "deleted"
    assert workspace_inventory(happy.cluster, workspace.id).found == ()
    assert outstanding(happy.ledgers[0].path) == []
    assert happy.sweep() == (0, {**happy.sweep()[1], "rows": []})


def test_a_bundle_a_ledger_or_nothing_at_all_can_be_named(happy):
    happy.left()
    path = happy.ledgers[0].path

    for named in ([path], [path.parent], []):
        assert [row["source"] for row in happy.sweep("--dry-run", *named)[1]["rows"]] == ["ledger"]


def test_who_only_looks_removes_nothing_and_is_told_what_is_left(happy):
    workspace = happy.left()

    code, data = happy.sweep("--dry-run")

    assert (code, data["acted"], only(data)["outcome"]) == (11, False, "left")
    assert only(data)["done"] == "nothing yet (its run has ended)"
    assert happy.state(workspace) == "running"


def test_a_shared_target_is_only_looked_at_until_one_says_delete(happy, monkeypatch):
    workspace = happy.left()
    shared = happy.folder / "gatehouse.yaml"
    text = happy.platform.configuration_file.read_text()
    shared.write_text(text.replace("embedded: true", "embedded: false"))
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(shared))

    code, data = happy.sweep()
    assert (code, data["acted"]) == (11, False)
    assert happy.state(workspace) == "running"

    code, data = happy.sweep("--delete")
    assert (code, data["acted"]) == (0, True)
    assert happy.state(workspace) == "deleted"


def test_a_run_that_still_lives_is_left_alone_and_said_so(happy):
    ledger = happy.ledger()
    workspace = happy.make(ledger)

    code, data = happy.sweep("--delete")

    assert (code, only(data)["outcome"], only(data)["done"]) == (
        0,
        "left alone",
        "nothing: its run still lives",
    )
    assert happy.state(workspace) == "running"


def test_a_workspace_whose_create_call_was_not_answered_is_found_by_its_name(happy):
    workspace = happy.left()
    ledger = happy.ledgers[0]
    ledger.path.write_text(ledger.path.read_text().splitlines(keepends=True)[0])
    assert outstanding(ledger.path)[0].id is None

    code, data = happy.sweep()

    assert (code, only(data)["outcome"]) == (0, "clean")
    assert happy.state(workspace) == "deleted"


def test_a_workspace_that_somebody_has_deleted_is_only_proved_gone(happy):
    workspace = happy.left()
    delete(happy.coder, workspace.id, Deadline.after(20))

    code, data = happy.sweep()

    assert (code, only(data)["done"], only(data)["outcome"]) == (0, "nothing: it was gone", "clean")


def test_a_workspace_that_was_never_made_is_proved_to_be_nowhere(happy, monkeypatch):
    happy.ledger().intend("workspace", "gate-task-abc123-000000", RUN, 3600, where=place_of(happy.coder))
    happy.ledgers[0].close()
    expired(monkeypatch)

    code, data = happy.sweep()

    assert (code, only(data)["state"], only(data)["outcome"]) == (0, "never made", "clean")
    assert outstanding(happy.ledgers[0].path) == []


@pytest.mark.parametrize(
    ("knows_coder", "words"), [(False, "does not say on which Coder"), (True, "not that of the user")]
)
def test_who_is_asked_in_the_wrong_place_proves_nothing_by_not_knowing_a_workspace(
    happy, monkeypatch, knows_coder, words
):
    place = {"coder": happy.coder.url, "user": happy.coder.user("admin").id} if knows_coder else {}
    happy.ledger().intend("workspace", "gate-task-abc123-000000", RUN, 3600, where=place)
    happy.ledgers[0].close()
    expired(monkeypatch)

    code, data = happy.sweep()

    assert (code, only(data)["outcome"]) == (3, "unverified")
    assert words in only(data)["details"][0]
    assert len(outstanding(happy.ledgers[0].path)) == 1


def test_a_cluster_that_has_nothing_of_a_running_workspace_is_not_the_one_to_prove_anything(happy, start):
    workspace = happy.left()
    other = start("happy")
    text = happy.platform.configuration_file.read_text()
    settings = happy.folder / "gatehouse.yaml"
    settings.write_text(text.replace(str(happy.platform.kubeconfig), str(other.kubeconfig)))
    happy.monkeypatch.setenv("GATEHOUSE_CONFIG", str(settings))

    code, data = happy.sweep()

    assert (code, only(data)["outcome"]) == (3, "unverified")
    assert "is this the cluster that Coder uses?" in only(data)["done"]
    assert happy.state(workspace) == "running"


def test_the_workspace_of_another_run_that_has_the_same_name_is_not_touched(happy):
    """The second run's create call was refused, as the name was taken."""
    ledger = happy.ledger(OTHER_RUN)
    workspace = happy.make(ledger, OTHER_RUN)
    mine = happy.ledger(RUN)
    mine.intend("workspace", workspace.name, RUN, 3600, where=place_of(happy.coder))
    mine.close()

    code, data = happy.sweep(mine.path)

    assert code == 3
    assert only(data)["done"] == f"refused: the workspace of that name is of the run {OTHER_RUN}"
    assert happy.state(workspace) == "running"


def test_runs_and_ages_are_swept_one_by_one(happy):
    one, two = happy.left(RUN), happy.left(OTHER_RUN)

    assert only(happy.sweep("--run", RUN)[1])["name"] == one.name
    assert (happy.state(one), happy.state(two)) == ("deleted", "running")
    assert happy.sweep("--older-than", "1h")[1]["rows"] == []
    assert only(happy.sweep("--older-than", "0s")[1])["name"] == two.name


def test_a_ledger_that_is_cut_short_is_swept_as_far_as_it_goes(happy):
    workspace = happy.left()
    with happy.ledgers[0].path.open("a") as file:
        file.write('{"event": "intend", "kind": "works')

    code, _ = happy.sweep()

    assert code == 0
    assert happy.state(workspace) == "deleted"


def test_a_ledger_with_lines_that_nobody_understands_is_never_all_clean(happy):
    happy.left()
    with happy.ledgers[0].path.open("a") as file:
        file.write("garbage\n")

    code, data = happy.sweep()

    assert (code, only(data)["outcome"]) == (3, "clean")
    assert "cannot be read" in data["problems"][0]


def test_a_kind_that_is_not_known_is_told_and_not_touched(happy):
    happy.ledger().intend("bucket", "gate-bucket", RUN, 3600)
    happy.ledgers[0].close()

    code, data = happy.sweep()

    assert code == 3
    assert "knows no 'bucket'" in only(data)["done"]


# --- without a ledger --------------------------------------------------------------------------------------


def test_without_its_ledger_a_workspace_is_found_by_name_and_labels_once_its_time_is_over(happy, monkeypatch):
    workspace = happy.left()
    happy.forget_ledgers()

    code, data = happy.sweep("--delete")
    assert (code, only(data)["outcome"], only(data)["source"]) == (0, "left alone", "Coder")
    assert happy.state(workspace) == "running"

    expired(monkeypatch)
    code, data = happy.sweep()
    assert (code, only(data)["outcome"]) == (0, "clean")
    assert happy.state(workspace) == "deleted"


def test_ones_own_run_can_be_named_before_its_time_is_over(happy):
    workspace = happy.left()
    happy.forget_ledgers()

    code, data = happy.sweep("--run", RUN)

    assert (code, only(data)["outcome"]) == (0, "clean")
    assert happy.state(workspace) == "deleted"


def test_a_name_like_ours_is_not_enough(happy):
    version = happy.coder.template("task").active_version_id
    people = happy.coder.create_workspace("gate-task-abc123-mine", template_version_id=version)
    wait_for_build(happy.coder, people.id, Deadline.after(20))

    code, data = happy.sweep("--delete", "--older-than", "0s")

    assert code == 3
    assert only(data)["done"] == "refused: nothing but its name says that a run of ours made it"
    assert happy.state(people) == "running"


def test_other_users_workspaces_are_not_even_looked_at_however_alike_their_names(happy, monkeypatch):
    workspace = happy.left()

    def another(systems):
        user = User("ada", login_type="password", roles=())
        systems.database.users[user.id] = user
        systems.database.tokens[token] = user

    token = "adaadaadaa-0123456789abcdefghijkl"
    happy.platform.call(another)
    with CoderClient(happy.platform.urls.coder, token) as ada:
        version = ada.template("task").active_version_id
        theirs = ada.create_workspace(f"{workspace.name}-x", template_version_id=version)
        wait_for_build(ada, theirs.id, Deadline.after(20))
    expired(monkeypatch)

    code, data = happy.sweep("--delete")

    assert (code, [row["name"] for row in data["rows"]]) == (0, [workspace.name])
    assert (happy.state(workspace), happy.state(theirs)) == ("deleted", "running")
    assert workspace_inventory(happy.cluster, theirs.id).found


def test_canaries_are_left_alone_until_their_time_is_over(happy, monkeypatch):
    ledger = happy.ledger()
    canary = make_canary(
        happy.coder, happy.target.coder, "code", "running", ledger, RUN, 3600, lambda _line: None
    )
    ledger.close()

    code, data = happy.sweep("--delete", "--run", RUN)
    assert (code, only(data)["outcome"]) == (0, "left alone")
    assert "left behind on purpose" in only(data)["done"]
    assert happy.state(canary) == "running"

    expired(monkeypatch)
    assert only(happy.sweep()[1])["outcome"] == "clean"
    assert happy.state(canary) == "deleted"


# --- what Coder leaves in the cluster ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "deleted"),
    [
        ("claim-leaks", "deleted namespaces coder-ws-"),
        ("secret-leaks", "deleted secrets coder/agent-gate-task-"),
        ("cluster-role-leaks", "deleted clusterroles workspace-"),
    ],
)
def test_what_coder_leaves_with_our_labels_is_removed(place, scenario, deleted):
    there = place(scenario)
    workspace = there.left()

    code, data = there.sweep()

    assert (code, only(data)["outcome"]) == (0, "clean")
    assert any(each.startswith(deleted) for each in only(data)["details"])
    assert workspace_inventory(there.cluster, workspace.id).found == ()


def test_what_carries_no_labels_is_left_and_told(place):
    there = place("volume-retained")
    workspace = there.left()

    code, data = there.sweep()

    assert (code, only(data)["outcome"]) == (11, "left")
    assert "reclaim policy is Retain" in only(data)["details"][-1]
    assert [each.kind for each in workspace_inventory(there.cluster, workspace.id).found] == [
        "persistentvolumes"
    ]
    assert [each.id for each in outstanding(there.ledgers[0].path)] == [workspace.id]


def test_what_is_left_in_the_cluster_alone_is_found_by_its_labels_once_its_time_is_over(place, monkeypatch):
    there = place("secret-leaks")
    workspace = there.left()
    delete(there.coder, workspace.id, Deadline.after(20))
    there.forget_ledgers()

    code, data = there.sweep("--delete")
    assert (code, only(data)["source"], only(data)["outcome"]) == (0, "cluster", "left alone")

    expired(monkeypatch)
    code, data = there.sweep()
    assert (code, only(data)["outcome"]) == (0, "clean")
    assert workspace_inventory(there.cluster, workspace.id).found == ()


def test_objects_of_a_workspace_that_coder_does_not_know_are_not_touched(place, monkeypatch):
    there = place("secret-leaks")
    workspace = there.left()
    there.forget_ledgers()
    there.platform.call(lambda systems: systems.database.workspaces.clear())
    expired(monkeypatch)

    assert there.sweep("--delete")[0] == 3
    assert workspace_inventory(there.cluster, workspace.id).found


def test_a_namespace_that_holds_a_neighbours_object_is_not_removed(place):
    there = place("service-account-leaks")
    workspace, neighbour = there.left(), "00000000-520e-41b9-bc24-139831ec7bb7"
    secret = {"metadata": {"name": "theirs", "labels": {"com.coder.workspace.id": neighbour}}}
    there.platform.call(
        lambda systems: systems.store.create(kinds.SECRET, secret, f"coder-ws-{workspace.id}")
    )

    code, data = there.sweep()

    assert (code, only(data)["outcome"]) == (11, "left")
    kept = there.platform.call(
        lambda systems: systems.store.find(kinds.SECRET, f"coder-ws-{workspace.id}", "theirs")
    )
    assert kept["metadata"].get("deletionTimestamp") is None


def test_a_finalizer_is_never_taken_away(place, monkeypatch):
    there = place("namespace-finalizer-stuck")
    there.left()
    text = there.platform.configuration_file.read_text()
    there.platform.configuration_file.write_text(
        text.replace("teardown_timeout_seconds: 30", "teardown_timeout_seconds: 3")
    )

    code, data = there.sweep()

    assert code == 11
    assert "held by audit.example.com/record" in only(data)["details"][-1]


# --- who does not let anyone look, and who does not answer -------------------------------------------------


def test_a_token_that_may_not_list_everything_cleans_and_says_what_nobody_could_see(place):
    there = place("namespaces-forbidden")
    workspace = there.left()

    code, data = there.sweep()

    assert (code, only(data)["outcome"], only(data)["done"]) == (3, "unverified", "deleted in Coder")
    assert any("cannot list resource" in each for each in only(data)["details"])
    assert any("namespaces in the cluster: forbidden" in each for each in data["problems"])
    assert there.state(workspace) == "deleted"
    assert len(outstanding(there.ledgers[0].path)) == 1


def test_servers_that_are_overloaded_are_asked_again(place):
    there = place("overloaded-during-deletes")
    there.left()

    assert only(there.sweep()[1])["outcome"] == "clean"


def test_a_delete_that_always_fails_is_told_in_terraforms_words(place):
    there = place("delete-always-fails")
    there.left()

    code, data = there.sweep()

    assert (code, only(data)["done"]) == (11, "could not be removed")
    assert "unable to return a response" in only(data)["details"][-1]


def test_what_was_made_on_another_deployment_is_told_with_its_address(happy, monkeypatch):
    happy.left()
    monkeypatch.setenv("CODER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CODER_SESSION_TOKEN", "t")

    code, data = happy.sweep("--delete", happy.ledgers[0].path)

    assert code == 3
    assert f"it was made on {happy.platform.urls.coder}" in only(data)["done"]


def test_a_coder_that_does_not_answer_leaves_everything_unverified(place, monkeypatch):
    happy = place("happy")
    happy.left()
    token = happy.folder / "token"
    token.write_text(happy.platform.credentials.coder)
    settings = {"url": happy.platform.urls.coder, "token": {"file": str(token)}}
    (happy.folder / "gatehouse.yaml").write_text(json.dumps({"targets": {"dev": {"coder": settings}}}))
    monkeypatch.delenv("GATEHOUSE_CONFIG")
    happy.platform.stop()
    monkeypatch.setattr(patience, "READ_BUDGET", 0.1)

    code, data = happy.sweep("--delete")

    assert (code, only(data)["state"], only(data)["outcome"]) == (3, "unknown", "unverified")
    assert "nothing listens at" in only(data)["details"][0]
    assert len(outstanding(happy.ledgers[0].path)) == 1


# --- two at the same time ----------------------------------------------------------------------------------


def test_two_sweeps_at_the_same_time_both_end_well(happy):
    workspaces = [happy.left(RUN), happy.left(OTHER_RUN)]
    codes = []

    def run():
        codes.append(sweep_command([], None, Wanted()))

    sweeps = [threading.Thread(target=run) for _ in range(2)]
    for each in sweeps:
        each.start()
    for each in sweeps:
        each.join()

    assert codes == [0, 0]
    assert [happy.state(each) for each in workspaces] == ["deleted", "deleted"]
    assert all(not outstanding(each.path) for each in happy.ledgers)


def test_the_table_is_for_people(happy, capsys):
    workspace = happy.left()
    capsys.readouterr()

    assert cli.main(["sweep"]) == 0

    shown = capsys.readouterr()
    assert workspace.name in shown.out
    assert shown.out.splitlines()[-1] == "sweep: 1 clean"
    assert "its run has ended; removing it" in shown.err


def test_a_sealed_bundle_still_matches_its_manifest_after_the_sweep(happy):
    happy.left()
    folder = happy.ledgers[0].path.parent
    write_manifest(folder, {})

    assert happy.sweep()[0] == 0
    assert verify_files(folder, read_manifest(folder)) == []
    assert happy.sweep()[1]["rows"] == []


@pytest.mark.parametrize("arguments", [["--older-than", "soon"], ["--delete", "--dry-run"]])
def test_what_makes_no_sense_is_a_mistake_of_the_command_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["sweep", *arguments])
    assert ended.value.code == 2


def test_without_a_coder_there_is_nothing_to_sweep(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODER_URL", raising=False)
    assert cli.main(["sweep", "--target", "embedded"]) == 2
    assert "gatehouse up" in capsys.readouterr().err
