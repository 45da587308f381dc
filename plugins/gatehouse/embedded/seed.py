"""What is on the platform when it starts: repositories, a pull request, images, templates, users."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.embedded import yaml_texts
from gatehouse.embedded.argocd.accounts import Account as ArgoCDAccount
from gatehouse.embedded.code_host.accounts import Account
from gatehouse.embedded.code_host.api import PREFIX
from gatehouse.embedded.code_host.pull_requests import PullRequest
from gatehouse.embedded.coder.api import new_token
from gatehouse.embedded.coder.templates import load_template
from gatehouse.embedded.coder.users import ExternalProvider, User, new_id
from gatehouse.embedded.control_plane import add_control_plane, push_workspace_image
from gatehouse.embedded.identity.realm import Client
from gatehouse.embedded.identity.realm import User as Person
from gatehouse.embedded.kubernetes.access import EVERYTHING, Identity
from gatehouse.embedded.kubernetes.kinds import (
    APP_PROJECT,
    APPLICATION_SET,
    GATEWAY,
    NAMESPACE,
    SECRET,
    Object,
)
from gatehouse.embedded.kubernetes.networking import GATEWAY_NAME, GATEWAY_NAMESPACE
from gatehouse.embedded.sample import sample_folder
from gatehouse.embedded.suite_image import push_suite_image
from gatehouse.embedded.systems import IMAGES, Systems

#: Previews are served at `<service>-pr-<number>.` below this.
DOMAIN = "preview.localhost"

#: The base environment: its namespace, and the hostnames of its identity provider and of its own platform.
BASE_NAMESPACE = "shop-dev"
IDENTITY_HOST = f"auth.{DOMAIN}"
BASE_HOST = f"platform.{DOMAIN}"
ORCHESTRATOR_HOST = f"sessions.{DOMAIN}"
E2E_PERSONAS = "e2e-personas"

#: The users of the identity provider, by the part that each plays in tests, and whom of them the product knows.
PERSONAS = {"OWNER": "olga", "VIEWER": "vera", "INVITED": "ivan", "SUSPENDED": "sara", "NONMEMBER": "nina"}
MEMBERS = "olga=owner vera=viewer ivan=viewer/invited sara=viewer/suspended"

#: The product as the identity provider knows it, and where people who signed in may be sent back to.
CLIENT = "platform"
REDIRECT_URIS = rf"https?://platform-pr-[^./]+\.{re.escape(DOMAIN)}(:\d+)?/.*"

#: The user of the code host as whom automation tasks push.
BOT = "task-bot"

#: The pull request that the suites test when they are not told another.
PULL_REQUEST = 7

#: Systems that workspaces may connect to.
_PORTS = ("code_host", "coder", "preview", "kubernetes")


@dataclass(frozen=True)
class Urls:
    """Where each system listens."""

    code_host: str
    coder: str
    kubernetes: str
    argocd: str
    preview: str
    registry: str

    def preview_url(self, service: str, domain: str = DOMAIN) -> str:
        """The address pattern of a previewed service."""
        return self.preview.replace("127.0.0.1", f"{service}-pr-{{number}}.{domain}")


@dataclass
class Credentials:
    """The tokens of the harness, made anew at each start."""

    coder: str = field(default_factory=new_token)
    argocd: str = ""
    kubernetes: str = field(default_factory=lambda: f"embedded-kubernetes-{new_id()}")
    code_host: str = field(default_factory=lambda: f"embedded-code-host-{new_id()}")
    #: Of the user as whom tasks push, in the form of GitHub's classic tokens.
    bot: str = field(default_factory=lambda: f"ghp_{secrets.token_hex(18)}")
    registry: str = field(default_factory=lambda: f"embedded-registry-{new_id()}")
    argocd_password: str = field(default_factory=lambda: f"account-{new_id()}")
    client_secret: str = field(default_factory=lambda: f"client-{new_id()}")
    session_secret: str = field(default_factory=lambda: f"session-{new_id()}")
    passwords: dict[str, str] = field(
        default_factory=lambda: {name: f"persona-{new_id()}" for name in PERSONAS.values()}
    )


def seed(systems: Systems, urls: Urls, authority: str, folder: Path | None = None) -> Credentials:
    """Fill the systems with the sample; `folder` is another sample to use in its place.

    `authority` is the certificate, as PEM, that pods trust where the gateway speaks HTTPS.
    """
    sample = folder or sample_folder()
    credentials = Credentials()
    _code_host(systems, urls, credentials, sample)
    _cluster(systems, urls, credentials, authority)
    _coder(systems, urls, credentials, sample)
    _base_environment(systems, urls, credentials)
    _argocd(systems, urls, credentials, authority, sample)
    return credentials


def _code_host(systems: Systems, urls: Urls, credentials: Credentials, sample: Path) -> None:
    systems.code_host.url = urls.code_host
    accounts = systems.code_host_accounts.by_token
    accounts[credentials.code_host] = Account("gatehouse")
    accounts[credentials.bot] = Account(BOT, role="push")
    systems.image_registry.url = urls.registry
    systems.registry.accounts["gatehouse"] = credentials.registry
    shop = systems.shop
    main = shop.repository.commit_folder(sample / "monorepo", "Add the shop")
    changes = sample / "pull_requests" / str(PULL_REQUEST)
    head = shop.repository.commit_folder(
        changes, "Show prices with tax", branch="prices-with-tax", base="main"
    )
    for commit in (main, head):
        systems.builds.build_now(commit)
    labels = ["preview", "preview-images"]
    shop.open(PullRequest(PULL_REQUEST, "Show prices with tax", "prices-with-tax", labels=labels))


def _cluster(systems: Systems, urls: Urls, credentials: Credentials, authority: str) -> None:
    for name in ("default", "kube-system", "argocd", "coder", GATEWAY_NAMESPACE):
        systems.store.create(
            NAMESPACE, {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
        )
    systems.kubelet.register_node()
    scheme, _, address = urls.preview.partition("://")
    listener = {
        "name": scheme,
        "protocol": scheme.upper(),
        "port": int(address.rpartition(":")[2]),
        "hostname": f"*.{DOMAIN}",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    gateway = {"gatewayClassName": "envoy", "listeners": [listener]}
    systems.store.create(GATEWAY, {"metadata": {"name": GATEWAY_NAME}, "spec": gateway}, GATEWAY_NAMESPACE)
    systems.external_secrets.vault["previews/platform"] = {
        "AUTH_SECRET": credentials.session_secret,
        "AUTH_KEYCLOAK_SECRET": credentials.client_secret,
        "MEMBERS": MEMBERS,
    }
    accounts = systems.kubelet.service_accounts
    accounts.port, accounts.authority = _port(urls.kubernetes), authority
    systems.network.ports = [_port(getattr(urls, each)) for each in (*_PORTS, "argocd", "registry")]
    add_control_plane(systems)
    push_suite_image(systems.registry)
    systems.ingress.base[ORCHESTRATOR_HOST] = systems.orchestrator.application()
    harness = Identity("system:serviceaccount:gatehouse:gatehouse", EVERYTHING)
    systems.kubernetes.tokens[credentials.kubernetes] = harness


def _base_environment(systems: Systems, urls: Urls, credentials: Credentials) -> None:
    """What previews share: the identity provider, and the Secret that says who its users are in tests."""
    identity = systems.identity
    identity.url = urls.preview.replace("127.0.0.1", IDENTITY_HOST)
    identity.realm.clients[CLIENT] = Client(CLIENT, credentials.client_secret, [REDIRECT_URIS])
    secret: dict[str, str] = {}
    for part, username in PERSONAS.items():
        password = credentials.passwords[username]
        identity.realm.users[username] = Person(username, password)
        secret |= {f"E2E_{part}_USERNAME": username, f"E2E_{part}_PASSWORD": password}
    systems.ingress.base[IDENTITY_HOST] = identity.application()
    systems.store.create(NAMESPACE, {"metadata": {"name": BASE_NAMESPACE}})
    personas = {"metadata": {"name": E2E_PERSONAS}, "type": "Opaque", "stringData": secret}
    systems.store.create(SECRET, personas, BASE_NAMESPACE)


def _coder(systems: Systems, urls: Urls, credentials: Credentials, sample: Path) -> None:
    database = systems.database
    systems.coder.deployment.url = systems.provisioner.url = urls.coder
    for user in (
        User("admin", login_type="oidc", roles=("owner",)),
        User("gatehouse", login_type="password", roles=("owner",)),
    ):
        database.users[user.id] = user
        if user.username == "gatehouse":
            database.tokens[credentials.coder] = user
    github = ExternalProvider("github", "github", "GitHub", linked={"gatehouse"})
    database.external_providers[github.id] = github
    push_workspace_image(systems)
    values = {"shop_url": f"{urls.code_host}/acme/shop.git", "bot_token": credentials.bot}
    values |= {f"{name}_port": str(_port(getattr(urls, name))) for name in _PORTS}
    for folder in sorted((sample / "templates").iterdir()):
        template = load_template(folder, values)
        database.templates[template.id] = template


def _argocd(systems: Systems, urls: Urls, credentials: Credentials, authority: str, sample: Path) -> None:
    systems.accounts.accounts["gatehouse"] = ArgoCDAccount("gatehouse", credentials.argocd_password)
    credentials.argocd = systems.accounts.issue("gatehouse", lifetime=0)
    systems.gitops.repository.commit_folder(sample / "gitops", "Add the previews")
    for name in ("previews", "previews-system"):
        spec = {"sourceRepos": ["*"], "destinations": [{"namespace": "pr-*", "server": "*"}]}
        systems.store.create(APP_PROJECT, {"metadata": {"name": name}, "spec": spec}, "argocd")
    main = systems.shop.repository.resolve("main")
    scheme, _, preview = urls.preview.partition("://")
    values = {
        "git_url": urls.code_host,
        "github_api": urls.code_host + PREFIX,
        "registry": IMAGES,
        "scheme": scheme,
        "domain": preview.replace("127.0.0.1", DOMAIN),
        "host_suffix": DOMAIN,
        "auth_issuer": systems.identity.issuer,
        "auth_address": preview,
        "auth_ca": authority.replace("\n", "\\n") if scheme == "https" else "",
        "auth_secret": credentials.session_secret,
        "client_secret": credentials.client_secret,
        "members": MEMBERS,
        "base_www": f"{IMAGES}/www@{systems.registry.tags(f'{IMAGES}/www')[main].digest}",
        "base_platform": f"{IMAGES}/platform@{systems.registry.tags(f'{IMAGES}/platform')[main].digest}",
    }
    for file in sorted((sample / "gitops" / "applicationsets").glob("*.yaml")):
        systems.store.create(APPLICATION_SET, _filled_in(file, values), "argocd")
    for file in (sample / "gitops" / "variants").glob("*.yaml"):
        systems.variants[file.stem] = _filled_in(file, values)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _filled_in(file: Path, values: dict[str, str]) -> Object:
    manifest: Object = yaml_texts.load(string.Template(file.read_text()).safe_substitute(values))
    return manifest
