from gatehouse.evidence.results import Attempt, Failure, RunResults, Status, TestResult
from gatehouse.smoke.subsystems import State, Version, lines, subsystems


def result(
    name, status=Status.PASSED, reason="", failure_class="product", words="", file="test_edge.py", kind=""
):
    failures = [Failure(failure_class, words, type=kind)] if status is Status.FAILED else []
    attempt = Attempt(status, 0.5, reason, failures)
    path = f"suites/smoke/{file}"
    return TestResult(f"{path}::{name}", "smoke", path, 1, [attempt])


def run(*tests):
    return RunResults(tests={each.id: each for each in tests})


def states(*tests):
    return {each.name: each.state for each in subsystems(run(*tests))}


def test_a_file_is_a_subsystem():
    assert states(result("a"), result("b", file="test_control_plane.py")) == {
        "edge": State.WORKS,
        "control plane": State.WORKS,
    }


def test_a_test_can_belong_to_another_subsystem():
    test = result("a")
    test.properties["subsystem"] = "identity"

    assert states(test) == {"identity": State.WORKS}


def test_one_red_test_breaks_a_subsystem():
    assert states(result("a"), result("b", Status.FAILED)) == {"edge": State.BROKEN}


def test_a_fault_of_this_side_is_no_verdict_about_the_platform():
    assert states(result("a", Status.FAILED, failure_class="environment")) == {"edge": State.NO_VERDICT}


def test_what_nobody_was_allowed_to_look_at_is_no_pass():
    skipped = result("b", Status.SKIPPED, "Skipped: unverified: 403")

    assert states(result("a"), skipped) == {"edge": State.UNVERIFIED}


def test_a_skip_for_any_other_reason_is_unverified():
    assert states(result("a", Status.SKIPPED, "Skipped: later")) == {"edge": State.UNVERIFIED}


def test_what_is_not_configured_counts_only_where_there_is_nothing_else():
    skipped = result("a", Status.SKIPPED, "Skipped: not configured: no edge")

    assert states(skipped) == {"edge": State.NOT_CONFIGURED}
    assert states(skipped, result("b")) == {"edge": State.WORKS}


def test_what_did_not_run_is_said():
    assert states(result("a", Status.NOT_RUN), result("b")) == {"edge": State.NOT_RUN}


def test_tests_of_other_suites_are_left_out():
    other = result("a")
    other.suite = "preview"

    assert states(other) == {}


def test_the_table_names_states_versions_differences_reasons_and_what_to_do():
    found = subsystems(
        run(
            result("a", Status.FAILED, words="code-server answers 502", file="test_workspace.py"),
            result("b", Status.SKIPPED, "Skipped: unverified: 403: no"),
        )
    )

    text = lines(found, {"Coder": Version("Coder", "v2", "v1")}, ["suspicious: x"])

    assert text == [
        "workspace  broken      1 broken",
        "edge       unverified  1 unverified",
        "Coder: v1 → v2",
        "suspicious: x",
        "edge: unverified: 403: no",
        "suites/smoke/test_workspace.py::a",
        "  code-server answers 502",
        "  like: the web editor is blank or answers 502 (https://github.com/coder/coder/issues/6746)",
        "  next: in the workspace: is code-server running, for this processor (uname -m), and on the port of the app?",
    ]


def test_what_many_tests_say_of_one_cause_is_told_once():
    names = ("a", "b", "c")
    found = subsystems(run(*(result(name, Status.FAILED, words="Coder answered 500") for name in names)))

    assert lines(found, {}, []) == [
        "edge  broken  3 broken",
        "suites/smoke/test_edge.py::a and 2 more",
        "  Coder answered 500",
    ]


def test_while_coder_gives_no_sign_of_life_nothing_else_is_likened_to_a_fault_of_its_own():
    editor = result("test_x", Status.FAILED, words="code-server answers 502", file="test_editor.py")
    dead = result(
        "test_the_process_answers", Status.FAILED, words="nothing listens", file="test_control_plane.py"
    )

    assert [red.regression for each in subsystems(run(dead, editor)) for red in each.red] == [None, None]
    assert [red.regression.name for each in subsystems(run(editor)) for red in each.red] == ["web-editor"]


def test_one_cause_is_of_one_class_wherever_it_was_met():
    words = "no provisioner daemon can take the build"
    met = [
        result("a", Status.FAILED, words=words, file=f"test_{name}.py")
        for name in ("base_image", "workspace")
    ]

    assert {red.regression.name for each in subsystems(run(*met)) for red in each.red} == {"jobs-pending"}
