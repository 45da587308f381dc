"""What must not end a run: each language is given files that nobody would write on purpose."""

import pytest

from gatehouse.inner.checks import LANGUAGES
from gatehouse.inner.graph import build

PROGRAMS = (
    *("cargo", "cargo-fmt", "cargo-clippy", "mvn", "gradle", "java", "buf", "terraform", "helm", "kustomize"),
    *("sh", "bash", "shellcheck", "hadolint", "actionlint"),
)
NAMES = (
    *("Cargo.toml", "pom.xml", "build.gradle", "settings.gradle", "buf.yaml", "buf.work.yaml", "Chart.yaml"),
    *("kustomization.yaml", "main.tf", "a.sh", "Dockerfile", ".github/workflows/a.yml"),
)
OTHERS = {"src/lib.rs": "", "src/main/java/A.java": "", "src/test/java/ATest.java": "", "a.proto": ""}
TEXTS = {
    "empty": "",
    "brackets": "[[[",
    "list": "- a\n- 1\n",
    "wrong kinds": "directories: 5\nresources: {a: 1}\ndependencies: [1]\njobs: x\n",
    "wrong tables": '[package]\nname = "x"\n[test]\na = 1\n',
    "wrong features": 'features = 3\ndependencies = "x"\n[package]\nname = "x"\n',
    "markup": "<project><modules/></project>",
    "zeros": "\0\0",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", NAMES)
def test_every_content_of_a_manifest_gives_checks_and_links(bench, name, text):
    files = {name: text, **OTHERS}

    found = bench.checks(files, *PROGRAMS)
    build(bench.packages(files), LANGUAGES)

    for check in found.values():
        if check.look is not None:
            check.look()


@pytest.mark.parametrize("name", [*NAMES, *OTHERS])
def test_a_link_to_nowhere_in_place_of_any_file_gives_checks_and_links(bench, name):
    good = {
        "Cargo.toml": '[package]\nname = "x"\n',
        "pom.xml": "<project><artifactId>x</artifactId></project>",
        **dict.fromkeys(NAMES[2:], ""),
        **OTHERS,
    }
    files = {path: text for path, text in good.items() if path != name}
    bench.write(files)
    (bench.root / name).parent.mkdir(parents=True, exist_ok=True)
    (bench.root / name).symlink_to("nowhere")
    packages = bench.packages([*files, name])

    build(packages, LANGUAGES)
    bench.checks_of(packages, *PROGRAMS)
