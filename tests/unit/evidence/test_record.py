import json

import pytest

from gatehouse.core.redaction import MASK, Redactor
from gatehouse.evidence.record import RecordError, RunRecord, read_record, shortened


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.jsonl"


def write(path, *events, redactor=None):
    record = RunRecord(path, redactor or Redactor())
    for event, data in events:
        record.append(event, **data)
    record.close()


START = ("run_started", {"schema": 1})


def test_every_event_is_on_disk_before_the_next(path):
    record = RunRecord(path, Redactor())
    for count, event in enumerate(("run_started", "collected", "run_finished"), start=1):
        record.append(event, schema=1)
        assert len(list(read_record(path))) == count
    record.close()


def test_secrets_never_reach_the_disk(path):
    write(
        path,
        START,
        ("phase", {"failure": {"text": "token s3cret-value-9 used"}}),
        redactor=Redactor(["s3cret-value-9"]),
    )

    assert "s3cret-value-9" not in path.read_text()
    assert MASK in path.read_text()


@pytest.mark.parametrize("text", ["\0", "\ud800", "\x1b[31mred", "\u2028", "ü", "x" * 100_000])
def test_any_text_can_be_written_and_read_again(path, text):
    write(path, START, ("phase", {"text": text}))

    events = list(read_record(path))
    assert len(events) == 2
    if "\ud800" not in text:
        assert events[1]["text"] == text


def test_what_json_does_not_know_is_written_as_text(path):
    write(path, START, ("phase", {"path": path, "set": {1}}))

    assert list(read_record(path))[1]["path"] == str(path)


def test_a_record_is_never_written_over(path):
    write(path, START)

    with pytest.raises(FileExistsError):
        RunRecord(path, Redactor())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-5], "cut short"),
        (
            lambda text: text.splitlines(keepends=True)[0] + text.splitlines(keepends=True)[2],
            "missing or out of order",
        ),
        (lambda text: "".join(text.splitlines(keepends=True)[1:]), "missing or out of order"),
        (lambda text: text.replace('"schema": 1', '"schema": 2'), "not a run record of schema 1"),
        (lambda text: text.replace("{", "", 1), "not JSON"),
        (lambda _text: "[]\n", "missing or out of order"),
    ],
    ids=["end cut", "line missing", "start missing", "other schema", "broken line", "no object"],
)
def test_a_damaged_record_is_refused_with_its_line(path, damage, words):
    write(path, START, ("a", {}), ("b", {}))
    path.write_text(damage(path.read_text()))

    with pytest.raises(RecordError, match=words):
        list(read_record(path))


def test_lines_are_plain_json_that_another_language_can_read(path):
    write(path, START)

    assert json.loads(path.read_text())["sequence"] == 1


def test_long_text_keeps_its_beginning_and_end():
    text = shortened("a" * 50 + "b" * 50, 20)

    assert text.startswith("a" * 10 + "\n")
    assert text.endswith("\n" + "b" * 10)
    assert "80 characters left out" in text


@pytest.mark.parametrize("written", [0, 20, 10_000])
def test_an_append_that_ctrl_c_ends_anywhere_leaves_the_following_in_order(path, written):
    record = RunRecord(path, Redactor())
    record.append("run_started", schema=1)
    file = record._file

    class Interrupted:
        def __getattr__(self, name):
            return getattr(file, name)

        def write(self, data):
            file.write(data[:written])
            raise KeyboardInterrupt

    record._file = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        record.append("phase", test="a" * 50)
    record._file = file
    record.append("interrupted", by="Ctrl-C")
    record.close()

    events = [each["event"] for each in read_record(path)]
    assert events == ["run_started", *(["phase"] if written > 1000 else []), "interrupted"]
