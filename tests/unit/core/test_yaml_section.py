from pathlib import Path

import pytest

from gatehouse.core.errors import SettingsError
from gatehouse.core.yaml_file import StrictModel, load_section

LABEL = Path("0a1b2c:gatehouse.yaml")


class Section(StrictModel):
    name: str = "default"
    numbers: tuple[int, ...] = ()


def section(text):
    return load_section(text, LABEL, "mine", Section, "docs/x.md")


def test_only_the_section_is_read():
    assert section("others: {anything: [1]}\nmine:\n  name: a\n") == Section(name="a")


def test_a_file_without_the_section_has_none():
    assert section("others: 1\n") is None
    assert section("") is None


def test_an_empty_section_is_all_defaults():
    assert section("mine:\n") == Section()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nmine:\n  nmae: x\n", r"0a1b2c:gatehouse.yaml:3: nmae: unknown key; did you mean 'name'"),
        ("a: 1\nmine:\n  numbers:\n    - 1\n    - x\n", r"gatehouse.yaml:5: numbers\[1\]:"),
        ("mine: 3\n", r"gatehouse.yaml:1: "),
        ("mine: [\n", r"gatehouse.yaml:2: not valid YAML"),
        ("mine: {}\nmine: {}\n", r"gatehouse.yaml:2: the key 'mine' is already set"),
    ],
)
def test_faults_are_told_with_the_revision_and_the_line_of_the_whole_file(text, message):
    with pytest.raises(SettingsError, match=message):
        section(text)
