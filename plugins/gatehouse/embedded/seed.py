"""What is on the platform when it starts: repositories, a pull request, images, templates, users."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from gatehouse.embedded.argocd.accounts import Account
from gatehouse.embedded.code_host.api import PREFIX
from gatehouse.embedded.code_host.pull_requests import PullRequest
from gatehouse.embedded.coder.api import new_token
from gatehouse.embedded.coder.records import User, new_id
from gatehouse.embedded.coder.templates import load_template
from gatehouse.embedded.kubernetes.access import EVERYTHING, Identity
from gatehouse.embedded.kubernetes.kinds import APP_PROJECT, APPLICATION_SET, GATEWAY, NAMESPACE, Object
from gatehouse.embedded.kubernetes.networking import GATEWAY_NAME, GATEWAY_NAMESPACE
from gatehouse.embedded.registry import Image
from gatehouse.embedded.sample import sample_folder
from gatehouse.embedded.systems import IMAGES, Systems

#: Previews are served at `<service>-pr-<number>.` below this.
DOMAIN = "preview.localhost"

#: The pull request that the suites test when they are not told another.
PULL_REQUEST = 7

WORKSPACE_IMAGE = "registry.preview.localhost/devcontainers/base"


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
    registry: str = field(default_factory=lambda: f"embedded-registry-{new_id()}")
    owner_password: str = field(default_factory=lambda: f"persona-{new_id()}")


def seed(systems: Systems, urls: Urls, folder: Path | None = None) -> Credentials:
    """Fill the systems with the sample; `folder` is another sample to use in its place."""
    sample = folder or sample_folder()
    credentials = Credentials()
    _code_host(systems, urls, credentials, sample)
    _cluster(systems, urls, credentials)
    _coder(systems, urls, credentials, sample)
    _argocd(systems, urls, credentials, sample)
    return credentials


def _code_host(systems: Systems, urls: Urls, credentials: Credentials, sample: Path) -> None:
    systems.code_host.url = urls.code_host
    systems.code_host_tokens.add(credentials.code_host)
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


def _cluster(systems: Systems, urls: Urls, credentials: Credentials) -> None:
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
    systems.external_secrets.vault["previews/personas"] = {
        "E2E_OWNER_USERNAME": "olga",
        "E2E_OWNER_PASSWORD": credentials.owner_password,
    }
    harness = Identity("system:serviceaccount:gatehouse:gatehouse", EVERYTHING)
    systems.kubernetes.tokens[credentials.kubernetes] = harness


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
    systems.registry.push(
        WORKSPACE_IMAGE, "1", Image(labels={"org.opencontainers.image.title": WORKSPACE_IMAGE})
    )
    for folder in sorted((sample / "templates").iterdir()):
        template = load_template(folder, {"shop_url": f"{urls.code_host}/acme/shop.git"})
        database.templates[template.id] = template


def _argocd(systems: Systems, urls: Urls, credentials: Credentials, sample: Path) -> None:
    systems.accounts.accounts["gatehouse"] = Account("gatehouse", credentials.owner_password)
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
        "owner_password": credentials.owner_password,
        "base_www": f"{IMAGES}/www@{systems.registry.tags(f'{IMAGES}/www')[main].digest}",
        "base_platform": f"{IMAGES}/platform@{systems.registry.tags(f'{IMAGES}/platform')[main].digest}",
    }
    for file in sorted((sample / "gitops" / "applicationsets").glob("*.yaml")):
        systems.store.create(APPLICATION_SET, _filled_in(file, values), "argocd")
    for file in (sample / "gitops" / "variants").glob("*.yaml"):
        systems.variants[file.stem] = _filled_in(file, values)


def _filled_in(file: Path, values: dict[str, str]) -> Object:
    manifest: Object = yaml.safe_load(string.Template(file.read_text()).safe_substitute(values))
    return manifest
