from gatehouse.inner.context import source_lines
from gatehouse.inner.model import Finding


def shown(tmp_path, text, line, path="a.py"):
    (tmp_path / "a.py").write_bytes(text)
    return source_lines(tmp_path, Finding(path, "bad", line))


def test_the_line_is_marked_between_its_neighbours(tmp_path):
    assert shown(tmp_path, b"one\ntwo\nthree\nfour\n", 2) == ["  1 | one", "> 2 | two", "  3 | three"]


def test_what_a_terminal_would_act_on_is_not_shown(tmp_path):
    assert shown(tmp_path, b"\x1b[31mred\x07\n", 1) == ["> 1 |  [31mred"]


def test_there_is_nothing_to_show_without_a_line_or_a_file(tmp_path):
    assert shown(tmp_path, b"one\n", None) == []
    assert shown(tmp_path, b"one\n", 7) == []
    assert shown(tmp_path, b"one\n", 1, path="gone.py") == []
    assert shown(tmp_path, b"one\n", 1, path=".") == []
