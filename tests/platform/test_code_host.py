"""The embedded code host: git over HTTP, and GitHub's REST API for pull requests, statuses and check runs."""

import httpx
import pytest

from gatehouse.core.errors import AuthenticationError, NotFound
from gatehouse.github.client import GitHubClient
from tests.platform.conftest import eventually, git, push_edit, repository_url

REPO = "/api/v3/repos/acme/shop"


@pytest.fixture
def rest(platform):
    headers = {"Authorization": f"Bearer {platform.credentials.code_host}"}
    with httpx.Client(base_url=platform.urls.code_host, headers=headers) as client:
        yield client


@pytest.fixture
def head(rest):
    return rest.get(f"{REPO}/pulls/7").json()["head"]["sha"]


def test_anyone_may_clone_and_gets_the_branches_of_the_pull_requests(platform, tmp_path, head):
    git("clone", "-q", repository_url(platform), str(tmp_path / "shop"))

    assert git("rev-parse", "origin/prices-with-tax", cwd=tmp_path / "shop").stdout.strip() == head
    assert (tmp_path / "shop" / "packages" / "cart" / "package.json").is_file()


def test_a_shallow_clone_and_a_fetch_of_one_commit_work(platform, tmp_path, head):
    folder = tmp_path / "shop"
    git("clone", "-q", "--depth", "1", repository_url(platform), str(folder))
    git("fetch", "-q", "--depth", "1", "origin", head, cwd=folder)
    assert git("cat-file", "-t", head, cwd=folder).stdout.strip() == "commit"


@pytest.mark.parametrize("token", ["", "wrong"], ids=["no token", "wrong token"])
def test_a_push_without_a_valid_token_is_refused(platform, tmp_path, token):
    folder = tmp_path / "shop"
    git("clone", "-q", repository_url(platform), str(folder))
    refused = git("push", repository_url(platform, token), "HEAD:refs/heads/new", cwd=folder, check=False)
    assert refused.returncode != 0
    assert "Authentication failed" in refused.stderr or "could not read" in refused.stderr


def test_a_push_moves_the_pull_requests_head_and_its_images_are_built(start, tmp_path):
    platform = start()
    head = push_edit(platform, tmp_path / "shop", "packages/cart/src/cart.js", "1 + percent", "2 + percent")

    with GitHubClient(platform.urls.code_host + "/api/v3", "acme/shop", None) as client:
        assert client.pull_request(7).head.sha == head

    def built(systems):
        return [tag for tag in systems.registry.tags("registry.preview.localhost/shop/www") if tag == head]

    eventually(lambda: platform.call(built))


def test_a_repository_that_is_not_there_cannot_be_cloned(platform, tmp_path):
    url = f"{platform.urls.code_host}/acme/nothing.git"
    assert "not found" in git("clone", url, str(tmp_path / "x"), check=False).stderr


def test_pull_requests_are_listed_by_state_and_read_by_number(rest):
    assert [pull["number"] for pull in rest.get(f"{REPO}/pulls").json()] == [7]
    assert rest.get(f"{REPO}/pulls", params={"state": "closed"}).json() == []
    pull = rest.get(f"{REPO}/pulls/7").json()
    assert (pull["state"], pull["base"]["ref"], len(pull["head"]["sha"])) == ("open", "main", 40)
    files = [file["filename"] for file in rest.get(f"{REPO}/pulls/7/files").json()]
    assert "packages/cart/src/cart.js" in files


def test_the_client_names_what_is_missing_and_a_token_that_is_refused(platform):
    api = platform.urls.code_host + "/api/v3"
    with GitHubClient(api, "acme/shop", platform.credentials.code_host) as client, pytest.raises(NotFound):
        client.pull_request(99)
    with GitHubClient(api, "acme/nothing", None) as client, pytest.raises(NotFound):
        client.open_pull_requests()
    with GitHubClient(api, "acme/shop", "wrong") as client, pytest.raises(AuthenticationError) as caught:
        client.open_pull_requests()
    assert "Bad credentials" in caught.value.seen


def test_the_newest_status_of_each_context_makes_the_combined_one(rest, head):
    def post(state, context):
        answer = rest.post(f"{REPO}/statuses/{head}", json={"state": state, "context": context})
        assert answer.status_code == 201

    def combined():
        answer = rest.get(f"{REPO}/commits/{head}/status").json()
        return answer["state"], answer["total_count"]

    assert combined() == ("success", 1), "the image build reports its own"
    post("pending", "gate")
    assert combined() == ("pending", 2)
    post("failure", "gate")
    assert combined() == ("failure", 2)
    post("success", "gate")
    assert combined() == ("success", 2)


def test_a_check_run_is_made_completed_and_found_at_its_commit(rest, head):
    made = rest.post(f"{REPO}/check-runs", json={"name": "gatehouse", "head_sha": head}).json()
    assert (made["status"], made["conclusion"]) == ("queued", None)
    rest.patch(f"{REPO}/check-runs/{made['id']}", json={"conclusion": "success"})
    found = rest.get(f"{REPO}/commits/{head}/check-runs").json()["check_runs"]
    assert [(run["status"], run["conclusion"]) for run in found] == [("completed", "success")]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{REPO}/statuses/{'0' * 40}", {"state": "success"}, 422),
        (f"{REPO}/statuses/main", {"state": "green"}, 422),
        (f"{REPO}/statuses/main", {"state": "success", "description": "x" * 141}, 422),
        (f"{REPO}/check-runs", {"name": "no commit"}, 422),
        (f"{REPO}/issues/99/labels", {"labels": ["x"]}, 404),
        ("/api/v3/nonsense", {}, 404),
    ],
    ids=[
        "unknown commit",
        "unknown state",
        "long description",
        "no commit",
        "unknown number",
        "unknown path",
    ],
)
def test_a_bad_request_is_refused_in_githubs_form(rest, path, body, status):
    answer = rest.post(path, json=body)
    assert answer.status_code == status
    assert {"message", "status", "documentation_url"} <= set(answer.json())


def test_a_body_that_is_not_json_is_400(rest):
    answer = rest.post(f"{REPO}/check-runs", content=b"{")
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_writing_needs_a_token_and_reading_does_not(platform):
    with httpx.Client(base_url=platform.urls.code_host) as anonymous:
        assert anonymous.get(REPO).json()["default_branch"] == "main"
        refused = anonymous.post(f"{REPO}/issues/7/labels", json={"labels": ["x"]})
        assert (refused.status_code, refused.json()["message"]) == (401, "Requires authentication")


@pytest.fixture
def bot(platform):
    headers = {"Authorization": f"Bearer {platform.credentials.bot}"}
    with httpx.Client(base_url=platform.urls.code_host, headers=headers) as client:
        yield client


def test_each_token_is_told_its_own_permissions_and_scopes(rest, bot):
    mine, bots = rest.get(REPO), bot.get(REPO)

    assert mine.json()["permissions"]["admin"]
    assert bots.json()["permissions"] == {
        "admin": False, "maintain": False, "push": True, "triage": True, "pull": True,
    }  # fmt: skip
    assert bots.headers["X-OAuth-Scopes"] == "repo"
    assert bot.get("/api/v3/user").json()["login"] == "task-bot"


def test_the_default_branch_is_protected_and_only_administrators_see_how(rest, bot):
    assert bot.get(f"{REPO}/branches/main").json()["protected"]
    assert bot.get(f"{REPO}/branches/main/protection").status_code == 404
    assert rest.get(f"{REPO}/branches/main/protection").status_code == 200


def test_the_bot_may_push_branches_and_not_to_a_protected_one(start, tmp_path):
    platform = start()
    url, folder = repository_url(platform, platform.credentials.bot), tmp_path / "shop"
    git("clone", "-q", url, str(folder))
    git("-c", "user.name=b", "-c", "user.email=b@c", "commit", "-q", "--allow-empty", "-m", "x", cwd=folder)
    assert git("push", url, "HEAD:refs/heads/agent/x", cwd=folder, check=False).returncode == 0
    refused = git("push", url, "HEAD:main", cwd=folder, check=False)

    assert refused.returncode != 0
    assert "GH006: Protected branch update failed for refs/heads/main" in refused.stderr


def test_a_pull_request_of_a_branch_that_is_not_there_is_invalid_and_of_another_is_opened(start):
    platform = start()
    headers = {"Authorization": f"Bearer {platform.credentials.bot}"}
    asked = {"title": "Try", "head": "nowhere", "base": "main"}
    with httpx.Client(base_url=platform.urls.code_host, headers=headers) as bot:
        assert bot.post(f"{REPO}/pulls", json=asked).status_code == 422
        opened = bot.post(f"{REPO}/pulls", json={**asked, "head": "prices-with-tax"})

    assert opened.status_code == 201
    assert opened.json()["user"]["login"] == "task-bot"
