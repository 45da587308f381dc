import re

import pytest

from gatehouse.report.page import render_page
from tests.support.bundles import failure, leak, phases, proof, write_bundle

VERDICT = {
    "verdict": "closed",
    "class": "product",
    "subject": {"repository": "acme/shop", "pull_request": 7, "commit": "a" * 40},
    "allow_embedded": False,
    "suites": {},
    "reasons": [
        {"rule": "failures", "class": "product", "message": "it broke", "evidence": "", "next": "repair it"}
    ],
}


def page(tmp_path, *folders, verdict=None):
    return render_page(list(folders), verdict, tmp_path / "index.html")


def test_the_verdict_and_its_reasons_come_first(tmp_path):
    html = page(tmp_path, write_bundle(tmp_path / "smoke"), verdict=VERDICT)

    assert html.index("The gate is closed: product") < html.index("it broke") < html.index("smoke")


def test_a_failure_is_shown_with_its_words_and_next_step(tmp_path):
    tests = {
        "t.py::a": phases("t.py::a", outcome="failed", failure=failure(summary="sign-in fails", next="look"))
    }

    html = page(tmp_path, write_bundle(tmp_path / "smoke", "smoke", tests))

    assert "sign-in fails" in html
    assert "Next: look" in html


def test_nothing_that_a_test_printed_becomes_markup(tmp_path):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    tests = {
        f"t.py::a[{evil}]": phases(
            f"t.py::a[{evil}]", outcome="failed", failure=failure(summary=evil, text=evil)
        )
    }

    html = page(tmp_path, write_bundle(tmp_path / "smoke", "smoke", tests))

    assert "<script>" not in html
    assert "<img src=x" not in html


def test_the_page_asks_the_network_for_nothing(tmp_path):
    html = page(tmp_path, write_bundle(tmp_path / "smoke"), verdict=VERDICT)

    assert not re.search(r'(src|href)="https?:', html)


def test_proofs_and_leaks_are_on_the_page(tmp_path):
    with_proof = {**proof("start"), "proof": {"commit": "a" * 40, "proof": {"summary": "2 images of aaaa"}}}

    html = page(
        tmp_path,
        write_bundle(tmp_path / "preview", "preview", extra=(with_proof,)),
        write_bundle(tmp_path / "task", "task", extra=(leak("left", ["pods ws/pod"]),)),
    )

    assert "2 images of aaaa" in html
    assert "pods ws/pod" in html


@pytest.mark.parametrize(
    ("damage", "shown"),
    [("empty", "unfinished"), ("unfinished", "unfinished"), ("cut", "altered"), ("added", "altered")],
)
def test_a_damaged_bundle_is_shown_as_what_it_is_and_never_as_passed(tmp_path, damage, shown):
    folder = write_bundle(tmp_path / "smoke", finish=damage != "unfinished")
    if damage == "empty":
        for path in folder.rglob("*"):
            path.unlink() if path.is_file() else None
    if damage == "cut":
        record = folder / "record.jsonl"
        record.write_text(record.read_text()[:-3])
    if damage == "added":
        (folder / "extra.txt").write_text("x")

    html = page(tmp_path, folder)

    assert f'<span class="{shown}">{shown}</span>' in html
    assert '<span class="passed">passed</span>' not in html
