"""An automation task starts, runs one command in the checkout, hands over evidence and leaves nothing behind."""

from gatehouse.core.ledger import outstanding


def test_a_task_runs_a_command_hands_over_evidence_and_leaves_nothing(launcher, evidence):
    task = launcher.start()

    result = launcher.run(
        task, ["sh", "-c", "echo checked; echo noted >&2; git rev-parse HEAD > /tmp/head; exit 0"]
    )
    evidence.attach("stdout.txt", result.stdout.decode())
    assert (result.stdout, result.stderr, result.exit_code) == (b"checked\n", b"noted\n", 0)
    assert result.exit_code_source == "kubernetes exec status"

    readme = launcher.pull(task, "README.md")
    evidence.attach("README.md", readme, "text/markdown")
    assert readme.startswith(b"# ")

    launcher.destroy(task.name).require_clean()


def test_commands_run_in_a_clean_checkout_of_a_commit(launcher):
    task = launcher.start()

    commit = launcher.commit(task)

    assert launcher.run(task, ["git", "cat-file", "-t", commit]).stdout == b"commit\n"
    assert launcher.run(task, ["git", "status", "--porcelain"]).stdout == b""


def test_a_task_is_in_the_ledger_until_it_is_proved_gone(launcher):
    task = launcher.start()
    ledger = launcher.ledger.path

    entry = next(each for each in outstanding(ledger) if each.name == task.name)
    assert entry.id == task.workspace.id
    assert entry.owner
    assert entry.expires > entry.created

    launcher.destroy(task.name).require_clean()
    assert task.name not in {each.name for each in outstanding(ledger)}


def test_what_the_harness_makes_says_whose_it_is(launcher, cluster):
    from gatehouse.kube.client import NAMESPACES

    task = launcher.start()

    metadata = cluster.get(NAMESPACES, task.namespace)["metadata"]
    assert metadata["labels"]["gatehouse/run"]
    assert metadata["labels"]["gatehouse/owner"]
    assert metadata["annotations"]["gatehouse/expires"] > metadata["annotations"]["gatehouse/created"]
