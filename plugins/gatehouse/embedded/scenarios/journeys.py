"""What goes wrong on the way through the product: signing in, and what the signed in do."""

from __future__ import annotations

from gatehouse.embedded.identity.look_alike import LookAlike
from gatehouse.embedded.ingress import BrokenJourney, Outage
from gatehouse.embedded.kubernetes.kinds import APPLICATION_SET, Object
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import BASE_HOST, CLIENT, DOMAIN, IDENTITY_HOST, PERSONAS, PULL_REQUEST
from gatehouse.embedded.systems import Systems

PLATFORM = f"platform-pr-{PULL_REQUEST}.{DOMAIN}"
OWNER = PERSONAS["OWNER"]

#: The product's sources, in the monorepo, and the cookies of those who have signed in to it.
SOURCES = "services/platform/platform_app"
SESSION_COOKIES = ("authjs.session-token", "__Secure-authjs.session-token")

_SCRIPT = """<script>
const wait = () => fetch("/api/updates").then(wait, wait);
wait();
setInterval(() => fetch("/api/cart"), 300);
</script>"""


@scenario("identity")
def identity_provider_down(systems: Systems) -> None:
    """The identity provider answers 503."""
    systems.ingress.faults.down[IDENTITY_HOST] = Outage(503, "no healthy upstream")


@scenario("identity")
def persona_missing_in_identity_provider(systems: Systems) -> None:
    """The owner of the test Secret is no user of the identity provider."""
    del systems.identity.realm.users[OWNER]


@scenario("product")
def persona_missing_in_product(systems: Systems) -> None:
    """The owner of the test Secret is a user of the identity provider, but no member of the shop."""
    vault = systems.external_secrets.vault["previews/platform"]
    before = vault["MEMBERS"]
    vault["MEMBERS"] = " ".join(each for each in before.split() if not each.startswith(f"{OWNER}="))
    _change_patches(systems, "preview-secrets", before, vault["MEMBERS"])


@scenario("product")
def sign_in_leaves_preview(systems: Systems) -> None:
    """The preview's AUTH_URL names the base environment, which looks alike: whoever signs in ends up there."""
    base = systems.identity.url.replace(IDENTITY_HOST, BASE_HOST)
    own = '"path": "/data/AUTH_URL", "value": "' + base.replace("://platform.", "://platform-pr-{{.number}}.")
    _change_patches(systems, "preview-apps", own, f'"path": "/data/AUTH_URL", "value": "{base}')
    client = systems.identity.realm.clients[CLIENT]
    client.redirect_uris.append(f"{base}/.*")
    commit = systems.shop.repository.resolve("main")
    systems.ingress.base[BASE_HOST] = LookAlike(systems.identity.realm, client, base, commit).application()


@scenario("product")
def sign_in_redirect_loop(systems: Systems) -> None:
    """Once somebody has a session, the start page and the sign-in page send them to each other for ever."""
    steps.edit_pull_request(systems, f"{SOURCES}/sign_in.py", 'open("session", ', 'open("sessions", ')
    steps.edit_pull_request(
        systems,
        f"{SOURCES}/app.py",
        "if self._sign_in.member(request):\n            return redirect",
        'if any("session-token" in each for each in request.cookies):\n            return redirect',
    )


@scenario("ingress")
def server_errors_in_journey(systems: Systems) -> None:
    """The platform answers the signed in twice, then with 500 to whatever they ask."""
    systems.ingress.faults.broken[PLATFORM] = BrokenJourney(SESSION_COOKIES, 2)


@scenario("ingress")
def resets_in_journey(systems: Systems) -> None:
    """The platform answers the signed in twice, then their connections are reset without an answer."""
    systems.ingress.faults.broken[PLATFORM] = BrokenJourney(SESSION_COOKIES, 2, resets=True)


@scenario("product")
def page_never_settles(systems: Systems) -> None:
    """The start page of the signed in polls, and waits for an answer that never comes: its network is never idle."""
    script = _SCRIPT.replace("{", "{{").replace("}", "}}")
    steps.edit_pull_request(systems, f"{SOURCES}/pages.py", 'HOME = """', f'HOME = """{script}')
    route = '("GET", "/version.json"): self._version,'
    never = '("GET", "/api/updates"): lambda _request: threading.Event().wait(),'
    steps.edit_pull_request(systems, f"{SOURCES}/app.py", route, f"{route}\n            {never}")


@scenario("product")
def sessions_expire(systems: Systems) -> None:
    """A session lasts for a second and a half."""
    steps.edit(systems, "previews/platform/config.yaml", 'SESSION_SECONDS: "28800"', 'SESSION_SECONDS: "1.5"')


def _change_patches(systems: Systems, name: str, old: str, new: str) -> None:
    """Replace text in what an ApplicationSet changes of its manifests."""
    application_set: Object = systems.store.get(APPLICATION_SET, "argocd", name)
    patches = application_set["spec"]["template"]["spec"]["source"]["kustomize"]["patches"]
    assert any(old in each["patch"] for each in patches), f"{name} has no patch with {old}"
    for each in patches:
        each["patch"] = each["patch"].replace(old, new)
    systems.store.update(APPLICATION_SET, application_set)
