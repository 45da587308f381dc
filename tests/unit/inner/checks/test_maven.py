"""Maven. What is read was printed by Maven 3.8.7 with compiler 3.1, surefire 2.12 and 3.2, checkstyle and spotless."""

import os

import pytest

from gatehouse.inner.checks.java.maven import LANGUAGE
from gatehouse.inner.graph import build
from gatehouse.inner.model import ChildOutcome, Outcome

PARENT = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>g</groupId><artifactId>parent</artifactId><version>1</version><packaging>pom</packaging>
  <modules><module>core</module><module>app</module></modules>{more}
</project>
"""
MODULE = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>g</groupId><artifactId>parent</artifactId><version>1</version></parent>
  <artifactId>{name}</artifactId>
  <dependencies>{dependencies}</dependencies>{more}
</project>
"""
TEST = "package x;\npublic class ATest {}\n"
ALL = ("mvn", "java")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def module(name="core", dependencies="", more=""):
    return MODULE.format(name=name, dependencies=dependencies, more=more)


def reactor(more="", own=""):
    return {
        "pom.xml": PARENT.format(more=more),
        "core/pom.xml": module(more=own),
        "core/src/main/java/x/A.java": "package x;\n",
        "core/src/test/java/x/ATest.java": TEST,
    }


def plugin(name, inside=""):
    return f"<build><plugins><plugin><artifactId>{name}</artifactId>{inside}</plugin></plugins></build>"


def places(outcome):
    return [str(finding) for finding in outcome.findings]


UNPARSED = """\
SEVERE: Step 'google-java-format' found problem in 'core/src/test/java/x/ATest.java':
null
java.lang.reflect.InvocationTargetException
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
Caused by: com.google.googlejavaformat.java.FormatterException: 59:2: error: reached end of file while parsing
[ERROR] Failed to execute goal com.diffplug.spotless:spotless-maven-plugin:1.23.0:check (spotless) on project a: \
java.lang.reflect.InvocationTargetException: 59:2: error: reached end of file while parsing -> [Help 1]
"""


def test_a_file_that_the_formatter_cannot_read_is_named_with_the_place(bench):
    check = bench.checks(reactor(), *ALL)["maven-compile"]

    assert places(bench.judge(check, stdout=UNPARSED.replace("core/", f"{bench.root}/core/"), code=1)) == [
        "core/src/test/java/x/ATest.java:59:2: spotless: reached end of file while parsing"
    ]


TOOLCHAIN = """\
[ERROR] No toolchain found for type jdk
[ERROR] Cannot find matching toolchain definitions for the following toolchain types:
jdk [ version='8' ]
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-toolchains-plugin:3.1.0:toolchain (default) on project \
a: Cannot find matching toolchain definitions for the following toolchain types:
[ERROR] jdk [ version='8' ]
[ERROR] Please make sure you define the required toolchains in your ~/.m2/toolchains.xml file. -> [Help 1]
"""


def test_a_jdk_that_the_module_asks_for_and_this_machine_lacks_is_not_installed(bench):
    check = bench.checks(reactor(), *ALL)["maven-compile"]

    outcome = bench.judge(check, stdout=TOOLCHAIN, code=1)

    assert outcome.outcome is Outcome.NOT_INSTALLED
    assert "jdk [ version='8' ]" in outcome.reason
    assert "run `mvn test-compile` in the checkout once with network" in check.how_to_install


def test_a_module_is_compiled_and_tested_from_the_root_of_its_reactor_with_what_it_needs(bench):
    found = bench.checks(reactor(), *ALL)

    assert list(found) == ["maven-compile", "maven-test"]
    assert found["maven-test"].argv[1:] == (
        *("-o", "-q", "-B", "-Dstyle.color=never", "-f", "../pom.xml", "-pl", "core", "-am", "test"),
    )
    assert found["maven-test"].resource == "maven"


def test_a_module_of_its_own_is_built_in_its_folder(bench):
    files = {"a/pom.xml": module("a"), "a/src/main/java/x/A.java": "", "pom.xml": PARENT.format(more="")}

    assert bench.checks(files, *ALL)["maven-compile"].argv[5:] == ("-f", "pom.xml", "test-compile")


def test_a_module_without_sources_or_tests_has_no_such_check(bench):
    assert bench.checks({"pom.xml": module()}, *ALL) == {}
    assert list(bench.checks({"pom.xml": module(), "src/main/java/A.java": ""}, *ALL)) == ["maven-compile"]


def test_tests_with_names_of_their_own_are_seen_where_surefire_is_told_them(bench):
    told = plugin(
        "maven-surefire-plugin",
        "<configuration><includes><include>**/*Spec.java</include></includes></configuration>",
    )
    sources = {"src/test/java/x/ASpec.java": TEST}

    assert "maven-test" not in bench.checks({"pom.xml": module(), **sources}, *ALL)
    assert "maven-test" in bench.checks({"pom.xml": module(more=told), **sources}, *ALL)


def test_tags_named_after_classes_of_tests_choose_the_phase(bench):
    files = {
        **reactor(),
        "core/src/test/java/x/BTest.java": '@Tag("integration")\npublic class BTest {}\n',
        "core/src/test/java/x/CTest.java": '@Tag("e2e")\npublic class CTest {}\n',
    }

    found = bench.checks(files, *ALL)

    assert found["maven-test"].argv[-1] == "-DexcludedGroups=integration,e2e"
    assert found["maven-integration"].argv[-2:] == ("-Dgroups=integration", "-DexcludedGroups=e2e")
    assert found["maven-integration"].phase == "integration-local"


def test_a_module_with_nothing_but_integration_tests_has_no_unit_check(bench):
    files = {"pom.xml": module(), "src/test/java/x/ATest.java": '@Tag("integration")\nclass ATest {}\n'}

    assert list(bench.checks(files, *ALL)) == ["maven-compile", "maven-integration"]


def test_tests_of_failsafe_run_in_their_phase_where_it_is_configured(bench):
    files = {"core/src/test/java/x/AIT.java": TEST}

    assert "maven-failsafe" not in bench.checks({**reactor(), **files}, *ALL)
    found = bench.checks({**reactor(more=plugin("maven-failsafe-plugin")), **files}, *ALL)
    assert found["maven-failsafe"].argv[-1] == "verify"


@pytest.mark.parametrize(("inside", "checked"), [("<configuration/>", True), ("<executions/>", False)])
def test_plugins_are_run_where_what_they_are_told_also_holds_for_a_goal_by_name(bench, inside, checked):
    found = bench.checks(reactor(own=plugin("spotless-maven-plugin", inside)), *ALL)

    assert ("maven-spotless" in found) == checked
    if checked:
        assert found["maven-spotless"].argv[-3:] == ("-pl", "core", "spotless:check")


@pytest.mark.parametrize(("programs", "missing"), [((), "java"), (("java",), "mvn"), (ALL, "")])
def test_java_and_maven_are_needed(bench, programs, missing):
    assert bench.checks(reactor(), *programs)["maven-compile"].missing == missing


@pytest.mark.parametrize(("here", "program"), [(True, "mvnw"), (False, "mvn")])
def test_the_wrapper_is_used_where_it_has_nothing_to_download(bench, here, program):
    bench.write({"mvnw": ""})
    (bench.root / "mvnw").chmod(0o755)
    if here:
        (bench.folder / "home/.m2/wrapper/dists/apache-maven-3.9.6").mkdir(parents=True)
    url = "distributionUrl=https://h.example/apache-maven-3.9.6-bin.zip\n"
    files = {**reactor(), ".mvn/wrapper/maven-wrapper.properties": url}

    assert os.path.split(bench.checks(files, *ALL)["maven-compile"].argv[0])[1] == program


@pytest.mark.parametrize(("text", "place"), [("<project>\n<a></project>", "2:6"), ("", "1:1")])
def test_a_broken_manifest_fails_at_its_place(bench, text, place):
    check = bench.checks({"pom.xml": text, "src/main/java/A.java": ""}, *ALL)["maven-manifest"]

    assert str(check.look().findings[0]).startswith(f"pom.xml:{place}: pom.xml: is no valid XML")


def test_modules_are_linked_by_group_and_artifact_and_to_their_reactor(bench):
    needs = "<dependency><groupId>${project.groupId}</groupId><artifactId>core</artifactId></dependency>"
    foreign = "<dependency><groupId>h</groupId><artifactId>other</artifactId></dependency>"
    files = {
        **reactor(),
        "app/pom.xml": module("app", needs + foreign),
        "other/pom.xml": module("other"),
    }
    bench.write(files)

    assert build(bench.packages(files), [LANGUAGE]).needs["app/pom.xml"] == {"core/pom.xml", "pom.xml"}


COMPILATION = """\
\x1b[0m[ERROR] COMPILATION ERROR :
[ERROR] {root}/core/src/main/java/x/A.java:[1,78] cannot find symbol
  symbol:   variable c
  location: class x.A
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin
[ERROR] {root}/core/src/main/java/x/A.java:[1,78] cannot find symbol
[ERROR]   symbol:   variable c
[ERROR]   location: class x.A
[ERROR] -> [Help 1]
"""


@pytest.mark.parametrize("name", ["maven-compile", "maven-test"])
def test_an_error_of_the_compiler_has_a_place_and_is_told_once(bench, name):
    check = bench.checks(reactor(), *ALL)[name]

    outcome = bench.judge(check, COMPILATION.replace("{root}", str(bench.root)), code=1)

    assert places(outcome) == ["core/src/main/java/x/A.java:1:78: cannot find symbol: variable c"]


@pytest.mark.parametrize(
    "line",
    [
        "[ERROR] {root}/core/src/main/kotlin/x/B.kt: (3, 5) Unresolved reference: c",
        "[ERROR] file://{root}/core/src/main/kotlin/x/B.kt:3:5 Unresolved reference: c",
    ],
    ids=["up to Kotlin 1.9", "from Kotlin 2 on"],
)
def test_an_error_of_the_compiler_of_kotlin_has_a_place(bench, line):
    check = bench.checks(reactor(), *ALL)["maven-compile"]

    assert places(bench.judge(check, line.replace("{root}", str(bench.root)), code=1)) == [
        "core/src/main/kotlin/x/B.kt:3:5: Unresolved reference: c"
    ]


ABSENT = {
    "[ERROR] Plugin p:maven-resources-plugin:2.6 or one of its dependencies could not be resolved: Cannot access "
    "central (https://h.example) in offline mode and the artifact p:maven-resources-plugin:jar:2.6 has not been "
    "downloaded from it before. -> [Help 1]\n": "p:maven-resources-plugin:jar:2.6",
    "[ERROR] Failed to execute goal on project core: Could not resolve dependencies: junit:junit:jar:4.13 was not "
    "found in https://h.example during a previous attempt.\n": "junit:junit:jar:4.13",
}


@pytest.mark.parametrize("name", ["maven-compile", "maven-test"])
@pytest.mark.parametrize(("text", "missing"), ABSENT.items(), ids=["never asked", "asked in vain"])
def test_what_is_not_in_the_local_repository_is_not_installed(bench, name, text, missing):
    outcome = bench.judge(bench.checks(reactor(), *ALL)[name], text, code=1)

    assert (outcome.outcome, outcome.reason) == (Outcome.NOT_INSTALLED, f"{missing} is not installed")


def test_files_that_spotless_would_change_are_named(bench):
    check = bench.checks(reactor(own=plugin("spotless-maven-plugin", "<configuration/>")), *ALL)[
        "maven-spotless"
    ]
    stdout = (
        "[ERROR] Failed to execute goal com.diffplug.spotless:spotless-maven-plugin:2.40.0:check on project core: "
        "The following files had format violations:\n[ERROR]     src/main/java/x/A.java\n"
        "[ERROR]         @@ -2,5 +2,6 @@\n[ERROR]          \n[ERROR]         -a\n[ERROR]         +b\n"
        "[ERROR]     src/main/java/x/B.java\n[ERROR] Run 'mvn spotless:apply' to fix these violations.\n"
    )

    assert places(bench.judge(check, stdout, code=1)) == [
        "core/src/main/java/x/A.java:3: spotless: is not formatted; run mvn spotless:apply",
        "core/src/main/java/x/B.java: spotless: is not formatted; run mvn spotless:apply",
    ]


def test_violations_of_checkstyle_come_from_its_report(bench):
    check = bench.checks(reactor(own=plugin("maven-checkstyle-plugin", "<configuration/>")), *ALL)[
        "maven-checkstyle"
    ]
    path = bench.root / "core/target/checkstyle-result.xml"
    path.parent.mkdir(parents=True)
    path.write_text(
        f'<checkstyle><file name="{bench.root}/core/src/main/java/x/A.java"><error line="3" column="1" '
        'severity="warning" message="No comment." source="com.x.MissingJavadocTypeCheck"/></file></checkstyle>'
    )
    stdout = "[ERROR] Failed to execute goal p:check on project core: You have 1 Checkstyle violation. -> [Help 1]\n"

    now = bench.judge(check, stdout, code=1, seconds=600.0)
    os.utime(path, (1, 1))
    before = bench.judge(check, stdout, code=1, seconds=600.0)

    assert places(now) == ["core/src/main/java/x/A.java:3:1: MissingJavadocTypeCheck: No comment."]
    assert places(before)[0].startswith("core/pom.xml: maven: Failed to execute goal")


FAILURES = "[ERROR] Failed to execute goal p:surefire:2.12.4:test on project core: There are test failures.\n"
REPORT = """\
<?xml version="1.0" encoding="UTF-8" ?>
<testsuite tests="3" failures="1" name="x.ATest" time="0.02" errors="0" skipped="1">
  <testcase classname="x.ATest" name="adds" time="0.02">
    <failure message="expected:&lt;3&gt; but was:&lt;2&gt;" type="java.lang.AssertionError">java.lang.AssertionError: no
	at org.junit.Assert.fail(Assert.java:89)
	at x.ATest.adds(ATest.java:8)
	at java.base/java.lang.reflect.Method.invoke(Method.java:569)
</failure>
  </testcase>
  <testcase classname="x.ATest" name="fine" time="1,234.5"/>
  <testcase classname="x.ATest" name="later" time="0"><skipped message="not yet"/></testcase>
</testsuite>
"""


def report(bench, text=REPORT, age=0.0, plugin="surefire"):
    path = bench.root / f"core/target/{plugin}-reports/TEST-x.ATest.xml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    if age:
        written = path.stat().st_mtime - age
        os.utime(path, (written, written))


def test_a_failing_test_is_placed_at_its_first_line_in_the_package(bench):
    check = bench.checks(reactor(), *ALL)["maven-test"]
    report(bench)

    outcome = bench.judge(check, FAILURES, code=1, seconds=600.0)
    parsed = check.parse(check, outcome.completed)

    assert places(outcome) == ["core/src/test/java/x/ATest.java:8: adds: expected:<3> but was:<2>"]
    assert parsed.executed == 2
    assert [(test.id, test.outcome, test.seconds) for test in parsed.tests] == [
        ("x.ATest.adds", ChildOutcome.FAILED, 0.02),
        ("x.ATest.fine", ChildOutcome.PASSED, 1234.5),
        ("x.ATest.later", ChildOutcome.SKIPPED, 0.0),
    ]


def test_a_failing_test_of_failsafe_is_placed_too(bench):
    files = {**reactor(more=plugin("maven-failsafe-plugin")), "core/src/test/java/x/AIT.java": TEST}
    check = bench.checks(files, *ALL)["maven-failsafe"]
    report(bench, plugin="failsafe")
    stdout = "[ERROR] Failed to execute goal p:failsafe:3.2.5:verify (default) on project core: -> [Help 1]\n"

    outcome = bench.judge(check, stdout, code=1, seconds=600.0)

    assert places(outcome) == ["core/src/test/java/x/ATest.java:8: adds: expected:<3> but was:<2>"]


def test_a_failing_test_in_a_report_is_no_pass_although_maven_exits_with_0(bench):
    check = bench.checks(reactor(), *ALL)["maven-test"]
    report(bench)

    assert bench.judge(check, seconds=600.0).outcome is Outcome.FAILED


def test_a_report_of_an_earlier_run_is_none_of_this_one(bench):
    check = bench.checks(reactor(), *ALL)["maven-test"]
    report(bench, age=3600.0)

    assert bench.judge(check, seconds=600.0).reason == "exit code 0, but no test ran"


def test_a_failure_in_a_module_that_is_needed_is_told_as_maven_does(bench):
    check = bench.checks(reactor(), *ALL)["maven-test"]

    outcome = bench.judge(check, FAILURES.replace("core", "base"), code=1)

    assert places(outcome) == [
        "core/pom.xml: maven: Failed to execute goal p:surefire:2.12.4:test on project base: There are test failures."
    ]


def test_a_report_that_was_cut_short_is_no_pass(bench):
    check = bench.checks(reactor(), *ALL)["maven-test"]
    report(bench, REPORT[:200])

    assert bench.judge(check, seconds=600.0).outcome is Outcome.FAILED


def test_a_plugin_that_maven_cannot_look_up_offline_is_not_installed(bench):
    check = bench.checks(reactor(), *ALL)["maven-compile"]
    text = "[ERROR] No plugin found for prefix 'checkstyle' in the current project -> [Help 1]"

    outcome = bench.judge(check, text, code=1)

    assert outcome.reason == "the Maven plugin checkstyle is not installed"


def test_tests_of_the_same_name_are_told_apart(bench):
    check = bench.checks(reactor(), *ALL)["maven-test"]
    report(
        bench, '<testsuite><testcase classname="x" name="a"/><testcase classname="x" name="a"/></testsuite>'
    )

    parsed = check.parse(check, bench.judge(check, seconds=600.0).completed)

    assert [test.id for test in parsed.tests] == ["x.a", "x.a (2)"]
