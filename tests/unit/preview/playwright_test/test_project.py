import pytest

from gatehouse.core.errors import EnvironmentProblem, NotInstalled
from gatehouse.preview.playwright_test.project import find_config, install_command, installation, is_module


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def node(folder, version):
    path = folder / f"node-{version}"
    path.write_text(f"#!/bin/sh\necho v{version}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def project(tmp_path):
    """A project in a folder of a workspace that keeps its dependencies at its root."""
    package = tmp_path / "node_modules" / "@playwright" / "test" / "package.json"
    package.parent.mkdir(parents=True)
    package.write_text('{"version": "1.61.1", "engines": {"node": ">=18"}}')
    folder = tmp_path / "apps" / "e2e"
    folder.mkdir(parents=True)
    (folder / "playwright.config.ts").write_text("")
    return folder


def test_dependencies_of_a_workspace_are_found_where_node_finds_them(project, tmp_path):
    found = installation(project / "playwright.config.ts", [node(tmp_path, "20.1.0")])

    assert found.folder == tmp_path / "node_modules" / "@playwright" / "test"
    assert found.command[1].endswith("@playwright/test/cli.js")
    assert found.version == "1.61.1"


def test_the_first_node_that_is_new_enough_is_taken(project, tmp_path):
    nodes = [str(tmp_path / "missing"), node(tmp_path, "16.20.0"), node(tmp_path, "22.0.0")]

    assert installation(project / "playwright.config.ts", nodes).node == nodes[2]


@pytest.mark.parametrize("versions", [[], ["16.20.0"]])
def test_without_a_node_that_is_new_enough_it_says_what_there_is(project, tmp_path, versions):
    with pytest.raises(NotInstalled, match="there is no node that runs Playwright Test") as caught:
        installation(project / "playwright.config.ts", [node(tmp_path, each) for each in versions])

    assert caught.value.expected == "node 18 or newer"
    assert (versions or ["none"])[0] in caught.value.seen


def test_a_playwright_that_is_too_old_is_refused(project, tmp_path):
    (tmp_path / "node_modules/@playwright/test/package.json").write_text('{"version": "1.39.0"}')

    with pytest.raises(NotInstalled, match=r"Playwright Test 1\.39\.0 of .* is too old"):
        installation(project / "playwright.config.ts", [])


def test_missing_dependencies_say_how_they_are_installed(tmp_path):
    write(tmp_path, **{"e2e__playwright.config.ts": "", "pnpm-lock.yaml": ""})

    with pytest.raises(NotInstalled, match="not installed: there is no @playwright/test") as caught:
        installation(tmp_path / "e2e" / "playwright.config.ts", [])

    assert caught.value.next_step == f"run `pnpm install --frozen-lockfile` in {tmp_path}"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"package-lock.json": ""}, "npm ci"),
        ({"yarn.lock": ""}, "yarn install --frozen-lockfile"),
        ({"yarn.lock": "", ".yarnrc.yml": ""}, "yarn install --immutable"),
        ({"bun.lock": ""}, "bun install --frozen-lockfile"),
        ({".git": ""}, "npm install"),
    ],
)
def test_the_lockfile_tells_the_package_manager(tmp_path, files, command):
    write(tmp_path, **files)

    assert install_command(tmp_path) == f"`{command}` in {tmp_path}"


@pytest.mark.parametrize(
    ("files", "name", "words"),
    [
        ({}, None, "has no configuration of Playwright Test"),
        ({"playwright.config.ts": "", "playwright.config.js": ""}, None, "has several configurations"),
        ({"playwright.config.ts": ""}, "other.config.ts", "has no other.config.ts"),
    ],
)
def test_one_configuration_must_be_there(tmp_path, files, name, words):
    write(tmp_path, **files)

    with pytest.raises(EnvironmentProblem, match=words):
        find_config(tmp_path, name)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"the folder .*/nowhere of a Playwright Test project"):
        find_config(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "package", "module"),
    [
        ("playwright.config.ts", "{}", False),
        ("playwright.config.ts", '{"type": "module"}', True),
        ("playwright.config.cts", '{"type": "module"}', False),
        ("playwright.config.mts", "{}", True),
    ],
)
def test_a_configuration_is_a_module_as_node_sees_it(tmp_path, name, package, module):
    write(tmp_path, **{"package.json": package})

    assert is_module(tmp_path / name) is module
