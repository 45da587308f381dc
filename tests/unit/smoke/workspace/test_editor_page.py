import pytest

from gatehouse.smoke.workspace.editor_page import asset_problem, assets

APP = "https://coder.example.com/@ada/one.main/apps/code-server/"


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="./_static/a.js"></script>', ["_static/a.js"]),
        ('<link rel="stylesheet" href="_static/a.css">', ["_static/a.css"]),
        ('<link rel="preload stylesheet" data-name="x" href="a.css?v=1&amp;w=2"/>', ["a.css?v=1&w=2"]),
        (
            '<script type="module" src="stable-1/static/out/workbench.js"></script>',
            ["stable-1/static/out/workbench.js"],
        ),
        ('<script src="/@ada/one.main/apps/code-server/a.js"></script>', ["a.js"]),
        ('<script src="https://elsewhere.example.com/a.js"></script>', []),
        ('<script src="/bin/other.js"></script>', []),
        ('<link rel="icon" href="favicon.ico"><script>var a = 1</script>', []),
        ('<script src="a.js"></script><script src="a.js"></script>', ["a.js"]),
        ("<p>no assets", []),
        ("", []),
    ],
)
def test_scripts_and_style_sheets_of_the_app_itself_are_found(html, found):
    assert assets(html, APP) == found


@pytest.mark.parametrize(
    ("status", "kind", "length", "problem"),
    [
        (200, "text/javascript; charset=utf-8", 10, ""),
        (200, "application/octet-stream", 10, ""),
        (404, "text/plain", 10, "a.js answers 404"),
        (200, "text/html; charset=utf-8", 10, "a page in the place of the asset"),
        (200, "application/json", 10, "a page in the place"),
        (200, "text/javascript", 0, "a.js is empty"),
    ],
)
def test_what_is_served_in_place_of_an_asset_is_told(status, kind, length, problem):
    told = asset_problem("a.js", status, kind, length)

    assert problem in told
    assert bool(told) is bool(problem)
