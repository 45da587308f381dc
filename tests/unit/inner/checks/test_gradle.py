"""Gradle, which is not on the machines that run these tests: what is read is written after its documentation."""

import os

import pytest

from gatehouse.inner.checks.java.gradle import LANGUAGE
from gatehouse.inner.graph import build
from gatehouse.inner.model import Outcome

ALL = ("gradle", "java")
FILES = {
    "settings.gradle.kts": 'include(":libs:core")\n',
    "libs/core/build.gradle.kts": "plugins { java }\n",
    "libs/core/src/main/java/x/A.java": "package x;\n",
    "libs/core/src/test/java/x/ATest.java": "package x;\n",
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("GRADLE_USER_HOME", raising=False)


def places(outcome):
    return [str(finding) for finding in outcome.findings]


def test_a_project_is_compiled_and_tested_from_its_settings_offline_and_without_a_daemon(bench):
    found = bench.checks(FILES, *ALL)

    assert list(found) == ["gradle-compile", "gradle-test"]
    argv = found["gradle-test"].argv
    assert {"--offline", "--no-daemon"} <= set(argv)
    assert argv[argv.index("--project-dir") + 1] == "../.."
    assert argv[-2:] == (":libs:core:cleanTest", ":libs:core:test")
    assert found["gradle-compile"].argv[-2:] == (":libs:core:classes", ":libs:core:testClasses")
    assert found["gradle-test"].resource == "gradle"


def test_a_project_that_is_a_build_of_its_own_is_named_by_its_tasks(bench):
    files = {"build.gradle": "", "src/main/java/A.java": "", "src/test/java/ATest.java": ""}

    assert bench.checks(files, *ALL)["gradle-test"].argv[-1] == ":test"


def test_a_project_whose_folder_the_settings_choose_is_called_as_they_do(bench):
    settings = 'include(":core")\nproject(":core").projectDir = file("libs/core")\n'

    assert (
        bench.checks({**FILES, "settings.gradle.kts": settings}, *ALL)["gradle-test"].argv[-1] == ":core:test"
    )


@pytest.mark.parametrize(
    "files",
    [
        {"build.gradle": ""},
        {"settings.gradle": ""},
        {"buildSrc/build.gradle": "", "buildSrc/src/main/java/A.java": ""},
        {"build.gradle": 'plugins { id "com.android.library" }', "src/main/java/A.java": ""},
    ],
    ids=["no sources", "only settings", "buildSrc", "Android"],
)
def test_what_is_no_project_on_the_jvm_has_no_checks(bench, files):
    assert bench.checks(files, *ALL) == {}


def test_source_sets_named_after_classes_of_tests_choose_the_phase_and_cluster_tests_only_compile(bench):
    files = {
        **FILES,
        "libs/core/src/integrationTest/kotlin/B.kt": "",
        "libs/core/src/e2eTest/java/C.java": "",
        "libs/core/src/generated/java/D.java": "",
    }

    found = bench.checks(files, *ALL)

    assert list(found) == ["gradle-compile", "gradle-test", "gradle-integrationTest"]
    assert found["gradle-integrationTest"].phase == "integration-local"
    assert [task.rpartition(":")[2] for task in found["gradle-compile"].argv if task.startswith(":")] == [
        *("e2eTestClasses", "integrationTestClasses", "classes", "testClasses"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('plugins { id("com.diffplug.spotless") version "6.25.0" }', "gradle-spotlessCheck"),
        ("plugins {\n    checkstyle\n}", "gradle-checkstyleMain"),
        ("apply plugin: 'checkstyle'", "gradle-checkstyleMain"),
    ],
)
def test_plugins_are_run_where_the_build_file_names_them(bench, text, name):
    assert name in bench.checks({**FILES, "libs/core/build.gradle.kts": text}, *ALL)


@pytest.mark.parametrize(("programs", "missing"), [((), "java"), (("java",), "gradle"), (ALL, "")])
def test_java_and_gradle_are_needed(bench, programs, missing):
    assert bench.checks(FILES, *programs)["gradle-compile"].missing == missing


@pytest.mark.parametrize(("here", "program"), [(True, "gradlew"), (False, "gradle")])
def test_the_wrapper_is_used_where_it_has_nothing_to_download(bench, here, program):
    bench.write({"gradlew": ""})
    (bench.root / "gradlew").chmod(0o755)
    if here:
        (bench.folder / "home/.gradle/wrapper/dists/gradle-8.5-bin").mkdir(parents=True)
    url = "distributionUrl=https\\://h.example/distributions/gradle-8.5-bin.zip\n"
    files = {**FILES, "gradle/wrapper/gradle-wrapper.properties": url}

    assert os.path.split(bench.checks(files, *ALL)["gradle-compile"].argv[0])[1] == program


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("{root}/libs/core/src/main/java/x/A.java:3: error: cannot find symbol", "java/x/A.java:3"),
        ("e: file://{root}/libs/core/src/main/kotlin/B.kt:3:5 cannot find symbol", "kotlin/B.kt:3:5"),
        ("e: {root}/libs/core/src/main/kotlin/B.kt: (3, 5): cannot find symbol", "kotlin/B.kt:3:5"),
        (
            "[ant:checkstyle] [ERROR] {root}/libs/core/src/main/java/x/A.java:3:5: cannot find symbol",
            "java/x/A.java:3:5",
        ),
    ],
    ids=["javac", "Kotlin 2", "Kotlin 1", "checkstyle"],
)
@pytest.mark.parametrize("name", ["gradle-compile", "gradle-test"])
def test_an_error_of_a_compiler_has_a_place(bench, name, line, place):
    check = bench.checks(FILES, *ALL)[name]
    stderr = (
        line.replace("{root}", str(bench.root))
        + "\n        return c;\n\n* What went wrong:\nCompilation failed\n"
    )

    assert places(bench.judge(check, "", stderr, code=1)) == [
        f"libs/core/src/main/{place}: cannot find symbol"
    ]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("> No cached version of junit:junit:4.13 available for offline mode.", "junit:junit:4.13"),
        (
            "Plugin [id: 'a.b', version: '1'] was not found in any of the following sources:",
            "the plugin a.b",
        ),
        (
            "> Cannot find a Java installation on your machine (Linux 6.1 amd64) matching: "
            "{languageVersion=21, vendor=any vendor, implementation=vendor-specific}.",
            "a JDK of version 21",
        ),
    ],
)
def test_what_cannot_be_had_offline_is_not_installed(bench, text, missing):
    outcome = bench.judge(
        bench.checks(FILES, *ALL)["gradle-test"], "", f"* What went wrong:\n{text}\n", code=1
    )

    assert (outcome.outcome, outcome.reason) == (Outcome.NOT_INSTALLED, f"{missing} is not installed")


def test_what_else_goes_wrong_is_told_in_gradles_words(bench):
    stderr = (
        "FAILURE: Build failed\n\n* What went wrong:\nA problem occurred.\n> Task 'x' not found\n\n* Try:\n"
    )

    outcome = bench.judge(bench.checks(FILES, *ALL)["gradle-compile"], "", stderr, code=1)

    assert places(outcome) == ["libs/core/build.gradle.kts: gradle: A problem occurred. > Task 'x' not found"]


def test_a_failing_test_is_placed_by_its_report_and_not_by_gradles_words(bench):
    check = bench.checks(FILES, *ALL)["gradle-test"]
    report = bench.root / "libs/core/build/test-results/test/TEST-x.ATest.xml"
    report.parent.mkdir(parents=True)
    report.write_text(
        '<testsuite><testcase classname="x.ATest" name="adds()"><failure message="no">'
        "\n\tat app//x.ATest.adds(ATest.java:8)\n</failure></testcase></testsuite>"
    )
    stderr = "* What went wrong:\nExecution failed for task ':libs:core:test'.\n> There were failing tests.\n"

    outcome = bench.judge(check, "", stderr, code=1, seconds=600.0)

    assert places(outcome) == ["libs/core/src/test/java/x/ATest.java:8: adds(): no"]


def test_tests_that_leave_no_report_are_no_pass(bench):
    assert bench.judge(bench.checks(FILES, *ALL)["gradle-test"]).reason == "exit code 0, but no test ran"


def test_projects_are_linked_by_the_names_that_build_files_give_them(bench):
    files = {
        **FILES,
        "buildSrc/build.gradle": "",
        "some-lib/build.gradle": "",
        "app/build.gradle": "dependencies {\n  api project(':libs:core')\n  api projects.someLib\n}\n",
    }
    bench.write(files)

    assert build(bench.packages(files), [LANGUAGE]).needs["app/build.gradle"] == {
        "libs/core/build.gradle.kts",
        "some-lib/build.gradle",
        "buildSrc/build.gradle",
        "settings.gradle.kts",
    }
