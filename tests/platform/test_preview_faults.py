"""What the wait for a preview makes of each fault: the state it ends in, how soon, and the first line of why.

The bounds are what a slow machine may need at most; on a quick one a fault is told in a second or two.
"""

import re
import time
from copy import deepcopy
from dataclasses import dataclass, field

import pytest

from gatehouse.argocd.client import ArgoCDClient
from gatehouse.argocd.judge import State
from gatehouse.argocd.token import TokenSource
from gatehouse.core.errors import (
    AuthenticationError,
    GatehouseError,
    InfrastructureError,
    PermissionDenied,
    ProductFailure,
    TerminalState,
    Transient,
    UnexpectedAnswer,
    WaitTimeout,
    WrongSubject,
)
from gatehouse.core.preview_settings import AnswerCheck, StageBudgets, TlsSettings
from gatehouse.embedded.argocd.accounts import Account
from gatehouse.embedded.scenarios import SCENARIOS
from gatehouse.github.client import GitHubClient
from tests.platform.conftest import push_edit
from tests.platform.previews import Watcher, prove_preview, refusal, waiting

#: Seconds a fault that ends the wait may take on a busy machine, and one that passes.
SOON, LATER = 20, 40


@dataclass
class Told:
    """What must be told of a fault: the error (None if it passes), the state, and words of the first line.

    `on_the_way` are words that must have been reported before.
    """

    error: type[GatehouseError] | None
    state: State | None
    words: str = ""
    on_the_way: str = ""
    seconds: float = SOON
    settings: dict = field(default_factory=dict)


def fails(words, **more):
    return Told(TerminalState, State.FAILED, words, **more)


def refused(words, **more):
    """As `fails`, but it is the platform that did not do its part."""
    return Told(InfrastructureError, State.FAILED, words, **more)


def blocked(words, **more):
    return Told(TerminalState, State.BLOCKED, words, **more)


def passes(on_the_way="", **more):
    return Told(None, State.READY, on_the_way=on_the_way, **{"seconds": LATER, **more})


def runs_out(words, stage, **more):
    """The stage's budget is cut to two seconds."""
    budgets = StageBudgets(**{f"{stage}_seconds": 2.0})
    return Told(
        WaitTimeout,
        State.TIMED_OUT,
        rf"{words}.*the budget of 2 s for {stage} is spent",
        settings={"budgets": budgets},
        **more,
    )


PLATFORM = "Application pr-7-platform is"
IMAGE = r"registry\.preview\.localhost/shop/platform:[0-9a-f]{12,40}"

FAULTS = {
    # labels and images
    "no-preview-label": Told(
        ProductFailure, None, "pull request 7 has no preview: it lacks the label preview"
    ),
    "base-images": Told(
        WrongSubject, None, "base images: nothing runs [0-9a-f]{12}: pr-7-platform runs .*@sha256"
    ),
    "mixed-images": Told(WrongSubject, None, "mixed images: 1 running image .* but pr-7-platform runs"),
    "base-digest-images": passes(),
    "stale-tag": Told(
        WrongSubject, None, "pr-7-www runs .*, which the registry no longer has under this tag"
    ),
    "image-pending": passes("image pending: .*/shop/platform:.* is not in the registry"),
    "image-missing": runs_out(
        f"{PLATFORM} timed out: image pending: {IMAGE} is not in the registry", "images"
    ),
    "image-rate-limited": refused(f"{PLATFORM} failed: Pod pr-7/platform-.*429 Too Many Requests"),
    "image-forbidden": refused(f"{PLATFORM} failed: Pod pr-7/platform-.*401 Unauthorized"),
    "image-wrong-architecture": fails(
        f"{PLATFORM} failed: Pod pr-7/platform-.*no match for platform in manifest"
    ),
    "image-invalid-name": fails(f"{PLATFORM} failed: Pod .*: InvalidImageName: .*must be lowercase"),
    # generators and the pull request
    "generation-late": passes(
        "preview-apps has made 0 of 2 Applications labelled preview/pr=7, and 3 more are behind; without a webhook"
    ),
    "generator-error": refused(
        "the ApplicationSet preview-apps cannot generate Applications: .*401 Bad credentials"
    ),
    "generator-error-passing": passes(),
    "closed-while-waiting": Told(
        WrongSubject,
        State.GONE,
        "pull request 7 is closed: its preview is going or gone",
        seconds=40,  # the pull request itself is looked at every 20 s
    ),
    "pushed-while-waiting": Told(WrongSubject, State.SUPERSEDED, "pull request 7 is at another commit"),
    "one-application": passes(),
    "twelve-applications": passes("pr-7-part-10 is"),
    "application-late": passes("pr-7-platform is comparing"),
    "application-deleted": Told(
        TerminalState, State.GONE, "Application pr-7-baseline is gone: is being deleted since"
    ),
    "forbidden": Told(PermissionDenied, None, "the token may not read the Applications of project previews"),
    "application-sets-forbidden": Told(
        InfrastructureError, None, "no ApplicationSet has a pull-request generator"
    ),
    # comparison and status
    "manifest-error": fails(f"{PLATFORM} failed: ComparisonError: .*did not find expected key"),
    "comparison-error-passing": passes("ComparisonError: .*connection reset by peer"),
    "invalid-spec": fails(
        "Application pr-7-baseline is failed: InvalidSpecError: .*project preview which does not"
    ),
    "stale-status": passes("pr-7-platform is stale: its status is about an older spec"),
    "compared-to-behind": passes("pr-7-platform is stale: its status is about an older spec"),
    "same-second": passes(),
    "identical-manifests": passes(),
    "skip-reconcile": blocked("its status is frozen by the annotation argocd.argoproj.io/skip-reconcile"),
    # syncs
    "sync-failed": fails(f"{PLATFORM} failed: SyncError: Failed last sync attempt to .*denied the request"),
    "sync-retrying": passes("Retrying attempt|attempt 2"),
    "operation-on-older-commit": blocked(
        "an operation on [0-9a-f]{12} runs and keeps [0-9a-f]{12} from being synced"
    ),
    "hook-failing": fails("the last sync failed: PostSync hook Job/smoke: .*: smoke: GET /cart answered 500"),
    "hook-hanging": runs_out("waiting for completion of hook batch/Job/smoke", "sync"),
    "hook-not-run": fails("pr-7-migrate is failed: has no resources: nothing is deployed, or only hooks"),
    "hook-failed-before": passes(),
    "wave-waiting": runs_out("waiting for healthy state of apps/Deployment/platform", "sync"),
    "sync-window-closed": blocked(r"OutOfSync, and a sync window is closed \(deny"),
    "self-heal-loop": blocked("self-heal tried 3 times, and something undoes it: Deployment/platform"),
    "prune-only": blocked("OutOfSync only because of what is to be pruned: ConfigMap/old-settings"),
    "zero-resources": fails("pr-7-reports is failed: has no resources"),
    "zero-resources-refused": fails("auto-sync will wipe out all resources"),
    "shared-resource": fails("SharedResourceWarning: ConfigMap/shared is part of applications"),
    "namespace-terminating": passes("is being terminated|OutOfSync"),
    "resource-missing": runs_out("Synced as a whole, but not Service/platform", "sync"),
    # health and pods
    "degraded": fails(
        f"{PLATFORM} failed: Deployment pr-7/platform: Degraded: .*exceeded its progress deadline"
    ),
    "degraded-briefly": passes(),
    "health-flapping": passes("pr-7-platform is rolling out|pr-7-platform is settling"),
    "rollout-suspended": blocked(f"{PLATFORM} blocked: Suspended"),
    "healthy-while-pending": runs_out("Healthy, but its pod platform-.*Insufficient memory", "rollout"),
    "unschedulable": runs_out(f"{PLATFORM} timed out: Pod pr-7/platform-.*Insufficient memory", "rollout"),
    "quota-exceeded": runs_out("ReplicaSet pr-7/platform-.*exceeded quota", "rollout"),
    "crash-loop": fails(
        f"{PLATFORM} failed: Pod .*CrashLoopBackOff: ModuleNotFoundError: No module named 'tax'"
    ),
    "secret-store-not-ready": refused(
        "pr-7-secrets is failed: SecretStore pr-7/vault: Degraded: .*permission denied"
    ),
    "secret-late": passes(seconds=LATER),
    # the edge
    "edge-down": runs_out("answered 503: upstream connect error", "edge"),
    "gateway-timeout": passes("answered 504: upstream request timeout"),
    "no-endpoints": runs_out("no healthy upstream; EndpointSlice/www-.* has no ready endpoint", "edge"),
    "route-not-accepted": fails("HTTPRoute pr-7/platform: Degraded: NoMatchingListenerHostname"),
    "static-health-page": runs_out(
        r"www-pr-7.* answered 500: Internal Server Error: KeyError: 'tax'", "edge"
    ),
    "old-pods-served": passes("serves [0-9a-f]{12}, not [0-9a-f]{12}"),
    "hostname-unresolved": runs_out(
        "no route of the Applications serves platform-pr-7.preview.invalid", "edge"
    ),
    "self-signed-certificate": runs_out("CERTIFICATE_VERIFY_FAILED.*name it in preview.tls.ca_file", "edge"),
    # the server
    "stream-silent": passes(),
    "stream-cut": passes(),
    "proxy-504": passes(),
    "large-events": passes(),
}

#: What is tested elsewhere: in this module by other means, of other systems, or with pytest around it.
ELSEWHERE = {
    "happy",
    "html-answer",
    "login-broken",
    "unit-test-fails",
    "redeployed-during-tests",
    "claim-leaks",
    # of journeys through a preview that is ready
    "identity-provider-down",
    "page-never-settles",
    "persona-missing-in-identity-provider",
    "persona-missing-in-product",
    "resets-in-journey",
    "server-errors-in-journey",
    "sessions-expire",
    "sign-in-leaves-preview",
    "sign-in-redirect-loop",
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_state_the_bound_and_the_first_line(start, name):
    told = FAULTS[name]
    watcher = Watcher()
    began = time.monotonic()
    grace = 2.0 if told.error is None else 0.5
    options = {
        "watcher": watcher,
        "failure_grace_seconds": grace,
        "operation_grace_seconds": 0.5,
        **told.settings,
    }

    if told.error is None:
        assert prove_preview(start(name), **options).proof.outcome == "this commit"
    else:
        first_line = refusal(start(name), told.error, **options).splitlines()[0]
        assert re.search(told.words, first_line), first_line

    assert time.monotonic() - began < told.seconds
    if told.on_the_way:
        assert any(re.search(told.on_the_way, each) for each in watcher.everything), watcher.everything
    if told.state and watcher.looks:
        assert watcher.last.state is told.state


@pytest.mark.parametrize(
    ("scenarios", "words"),
    [
        (("crash-loop", "hook-failing"), "CrashLoopBackOff: ModuleNotFoundError: No module named 'tax'"),
        (("crash-loop", "secret-store-not-ready"), "SecretStore pr-7/vault: Degraded: .*permission denied"),
        (("image-wrong-architecture", "stream-silent"), "no match for platform in manifest"),
    ],
)
def test_of_several_faults_the_cause_is_told(start, scenarios, words):
    first_line = refusal(start(*scenarios), GatehouseError).splitlines()[0]
    assert re.search(words, first_line), first_line


def test_an_application_that_runs_something_else_is_the_one_that_is_blamed(start):
    words = refusal(start("stale-tag"), WrongSubject)
    assert "/applications/argocd/pr-7-www" in words
    assert "restart these pods so that they pull the tag anew" in words


def test_every_fault_of_a_preview_is_told_here():
    others = ("smoke_cluster", "smoke_edge", "smoke_posture", "workspaces", "editors")
    others += ("tasks", "leaks", "tokens", "coder_connections")
    about_previews = {
        name
        for name, each in SCENARIOS.items()
        if each.system != "coder" and not each.apply.__module__.endswith(others)
    }
    assert set(FAULTS) | ELSEWHERE == about_previews


# --- faults of what is asked, not of the platform -------------------------------------------------------------


def test_a_merge_commit_in_place_of_the_head_is_refused_before_any_wait(platform):
    words = refusal(platform, WrongSubject, commit="0" * 40)
    assert words.startswith("pull request 7 is at another commit than the one to be tested")
    assert "a merge commit was given" in words


def test_a_short_sha_of_the_head_is_the_head(platform):
    head = platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))
    assert prove_preview(platform, commit=head[:8]).commit == head


@pytest.mark.parametrize("commit", ["abc", "", "zzzzzzzz"])
def test_what_is_no_commit_of_the_pull_request_is_refused(platform, commit):
    if commit:
        refusal(platform, WrongSubject, commit=commit)
    else:
        assert prove_preview(platform, commit=None).commit


def test_a_selector_that_matches_nothing_is_told_with_what_should_be_there(platform):
    words = refusal(
        platform,
        WaitTimeout,
        application_selector="preview/none={number}",
        budgets=StageBudgets(generation_seconds=1.0),
    )
    assert (
        "ApplicationSet preview-apps has made 0 of 2 Applications labelled preview/none=7"
        in words.splitlines()[0]
    )


def test_more_applications_can_be_asked_for_than_the_sets_are_known_to_make(platform):
    words = refusal(platform, WaitTimeout, application_count=9, budgets=StageBudgets(generation_seconds=1.0))
    assert "5 of at least 9 Applications are there" in words.splitlines()[0]


def test_without_a_selector_the_applications_are_those_that_the_sets_made_for_the_pull_request(platform):
    assert len(prove_preview(platform, application_selector=None).applications) == 5


def changed_sets(source, monkeypatch, change):
    """The source, whose ApplicationSets are other ones."""
    real = source.application_sets
    monkeypatch.setattr(source, "application_sets", lambda: change(real()))
    return source


def test_a_set_whose_filters_leave_the_pull_request_out_is_not_waited_for(platform, monkeypatch):
    def change(sets):
        other = deepcopy(sets[0])
        other["metadata"]["name"] = "release-previews"
        filters = [{"targetBranchMatch": "^release-"}]
        other["spec"]["generators"] = [
            {"pullRequest": {"github": {"owner": "acme", "repo": "shop"}, "filters": filters}}
        ]
        return [*sets, other]

    with argocd(platform, lambda: platform.credentials.argocd) as source:
        assert prove_preview(platform, source=changed_sets(source, monkeypatch, change))
    with argocd(platform, lambda: platform.credentials.argocd) as source:
        only = changed_sets(source, monkeypatch, lambda sets: change(sets)[-1:])
        words = refusal(platform, ProductFailure, source=only)
    assert "the filters of the ApplicationSet release-previews leave it out" in words


def test_a_project_that_the_template_does_not_tell_is_any(platform, monkeypatch):
    def change(sets):
        for each in sets:
            each["spec"]["template"]["spec"]["project"] = "{{ .team }}"
        return sets

    with argocd(platform, lambda: platform.credentials.argocd) as source:
        assert prove_preview(
            platform, source=changed_sets(source, monkeypatch, change), application_selector=None
        )


def test_applications_can_be_followed_by_name(platform):
    found = prove_preview(
        platform, application_selector=None, applications=["pr-{number}-www", "pr-{number}-platform"]
    )
    assert set(found.applications) == {"pr-7-www", "pr-7-platform"}


def test_a_name_that_does_not_exist_is_waited_for_where_the_project_is_known(platform):
    options = {"application_selector": None, "applications": ["pr-{number}-blog"]}
    budgets = StageBudgets(generation_seconds=1.0)
    words = refusal(platform, WaitTimeout, project="previews", budgets=budgets, **options)
    assert "there is no Application pr-7-blog yet" in words.splitlines()[0]


def test_without_a_project_a_missing_application_cannot_be_told_from_a_forbidden_one(platform):
    words = refusal(platform, PermissionDenied, application_selector=None, applications=["pr-{number}-blog"])
    assert "or it does not exist" in words
    assert "argocd.project" in words


# --- hostnames ------------------------------------------------------------------------------------------------


def test_a_hostname_that_does_not_resolve_is_told_in_the_resolvers_words(start):
    words = refusal(
        start("hostname-unresolved"),
        WaitTimeout,
        cross_check_urls=False,
        budgets=StageBudgets(edge_seconds=1.0),
    )
    assert re.search(r"platform-pr-7\.preview\.invalid:\d+/: ConnectError: .*[Nn]ame", words.splitlines()[0])


def test_an_authority_of_ones_own_can_be_named(start):
    platform = start("self-signed-certificate")
    found = prove_preview(platform, tls=TlsSettings(ca_file=platform.authority))
    assert found.urls["www"].startswith("https://")
    assert found.notes == ()


def test_verification_can_be_switched_off_and_the_proof_says_so(start):
    found = prove_preview(start("self-signed-certificate"), tls=TlsSettings(verify=False))
    assert found.notes == ("certificates were not verified (preview.tls.verify is false)",)


def test_an_answer_must_hold_what_is_asked_of_it(platform):
    right = AnswerCheck(url="www", status=[200], contains="Prices include tax")
    assert prove_preview(platform, checks=[right]).urls
    wrong = right.model_copy(update={"contains": "Welcome back"})
    words = refusal(platform, WaitTimeout, checks=[wrong], budgets=StageBudgets(edge_seconds=1.0))
    assert "answered 200 without the text 'Welcome back'" in words.splitlines()[0]


def test_without_configured_addresses_those_of_the_routes_are_tested(platform):
    port = platform.urls.preview.rpartition(":")[2]
    found = prove_preview(platform, urls={}, discovered_url=f"http://{{host}}:{port}")
    assert found.urls == {
        "platform": f"http://platform-pr-7.preview.localhost:{port}",
        "www": f"http://www-pr-7.preview.localhost:{port}",
    }
    assert found.origins["www"] == "HTTPRoute/www"


def test_an_address_can_come_from_a_key_of_a_config_map(platform):
    source = {"config_map": "preview", "key": "PLATFORM_URL", "name": "shop"}
    found = prove_preview(platform, urls={}, probe=None, url_sources=[source_of(source)])
    assert found.urls["shop"].startswith("http://platform-pr-7.preview.localhost:")
    assert found.origins["shop"] == "ConfigMap preview, key PLATFORM_URL"


def source_of(data):
    from gatehouse.core.preview_settings import UrlSource

    return UrlSource(**data)


# --- tokens and answers ---------------------------------------------------------------------------------------


def argocd(platform, read):
    return ArgoCDClient(platform.urls.argocd, TokenSource(read))


def test_a_token_that_is_not_accepted_ends_the_wait_at_once(platform):
    with argocd(platform, lambda: "not.a.token") as source:
        assert "Argo CD does not accept the token" in refusal(platform, AuthenticationError, source=source)
        with pytest.raises(AuthenticationError, match="does not accept the token"):
            source.preflight(60)


def test_a_token_that_ends_before_the_wait_may_is_told_beforehand(platform):
    token = platform.call(lambda systems: systems.accounts.issue("gatehouse", lifetime=300))
    with argocd(platform, lambda: token) as source:
        assert re.match(
            r"the Argo CD token ends in (29\d|300) s, before the wait may \(1200 s\)", source.preflight(1200)
        )
        assert source.preflight(60) == ""


def test_a_token_that_ends_while_waiting_is_read_again_from_where_it_came_from(start):
    platform = start("application-late")
    tokens = [platform.credentials.argocd]
    with argocd(platform, lambda: tokens[-1]) as source:

        def act(_words):
            if len(tokens) == 1:  # the session that was begun with the first is revoked on the server
                tokens.append(platform.call(renew))

        assert prove_preview(platform, source=source, watcher=Watcher(act)).proof.outcome == "this commit"
        assert source.token.value == tokens[-1]


def renew(systems):
    systems.accounts.accounts["renewed"] = Account("renewed")
    del systems.accounts.accounts["gatehouse"]
    return systems.accounts.issue("renewed")


def test_a_token_that_ends_while_waiting_and_is_not_renewed_is_told_with_when_it_ended(start):
    platform = start("unschedulable")
    token = platform.call(lambda systems: systems.accounts.issue("gatehouse", lifetime=3600))
    with argocd(platform, lambda: token) as source:
        words = refusal(
            platform,
            AuthenticationError,
            source=source,
            watcher=Watcher(lambda _words: platform.call(lambda systems: systems.accounts.accounts.clear())),
        )
    assert "Argo CD does not accept the token (401)" in words
    assert "this one ends 20" in words


def test_a_page_in_place_of_argo_cd_is_told_before_the_wait(start):
    platform = start("html-answer")
    with (
        argocd(platform, lambda: "any.to.ken") as source,
        pytest.raises(UnexpectedAnswer, match="something other"),
    ):
        source.preflight(60)


def test_a_page_in_place_of_argo_cd_while_waiting_is_waited_out(start):
    platform = start("html-answer")
    words = refusal(platform, WaitTimeout, timeout_seconds=1.0)
    assert "no answer: something other than Argo CD answered" in words


def test_a_code_host_that_limits_requests_at_the_end_is_waited_for(platform, monkeypatch):
    real, calls = GitHubClient.pull_request, []

    def limited(self, number):
        calls.append(number)
        if len(calls) == 2:  # the first is made to begin with
            raise Transient("the code host limits the rate of requests (429)")
        return real(self, number)

    monkeypatch.setattr(GitHubClient, "pull_request", limited)
    seen = Watcher()
    assert prove_preview(platform, watcher=seen).proof.outcome == "this commit"
    assert "no answer: the code host limits the rate of requests (429)" in seen.words


def test_a_server_that_fails_when_the_wait_begins_is_waited_for(platform, monkeypatch):
    calls = []

    def failing(sets):
        calls.append(sets)
        if len(calls) < 3:
            raise Transient("Argo CD answered 503")
        return sets

    with argocd(platform, lambda: platform.credentials.argocd) as source:
        assert prove_preview(
            platform, source=changed_sets(source, monkeypatch, failing), application_selector=None
        )


# --- afterwards -----------------------------------------------------------------------------------------------


def test_a_push_after_the_proof_makes_the_next_one_fail(start, tmp_path):
    platform = start()
    with waiting(platform) as wait:
        wait.run(Watcher())
        push_edit(platform, tmp_path / "shop", "README.md", "# Shop", "# Shop, moved on")
        with pytest.raises(WrongSubject, match="at another commit"):
            wait.run(Watcher())


def test_a_restart_with_the_same_images_changes_the_deployment(start):
    platform = start("redeployed-during-tests")
    with waiting(platform) as wait:
        first = wait.run(Watcher())
        again = first
        limit = time.monotonic() + LATER
        while again.deployment == first.deployment and time.monotonic() < limit:
            again = wait.run(Watcher())
    assert again.deployment["pr-7-www"] != first.deployment["pr-7-www"]
    assert again.deployment["pr-7-platform"] == first.deployment["pr-7-platform"]
