"""Secrets that come from a vault, as they are seen on the embedded platform's wire."""

import base64

from tests.platform.conftest import eventually, objects, ready, served, waiting

NAMESPACE = "apis/external-secrets.io/v1/namespaces/pr-7"


def condition(platform, plural):
    """The Ready condition of the only object of a kind, once it has one."""

    def found():
        items = objects(platform, f"{NAMESPACE}/{plural}")
        conditions = items[0].get("status", {}).get("conditions", []) if items else []
        return conditions[0] if conditions else None

    return eventually(found)


def health(platform):
    """The health of the Application that the secret belongs to."""
    found = objects(platform, "apis/argoproj.io/v1alpha1/namespaces/argocd/applications")
    (application,) = [each for each in found if each["metadata"]["name"] == "pr-7-secrets"]
    return application["status"].get("health", {}).get("status")


def test_a_store_that_cannot_sign_in_keeps_the_pod_from_starting(start):
    platform = start("secret-store-not-ready")

    words = waiting(platform, "platform", "CreateContainerConfigError")["message"]
    assert words == 'secret "platform-auth" not found'
    store = condition(platform, "secretstores")
    assert (store["status"], store["reason"]) == ("False", "InvalidProviderConfig")
    assert "Code: 403. Errors: * permission denied" in store["message"]
    secret = condition(platform, "externalsecrets")
    assert (secret["status"], secret["reason"]) == ("False", "SecretSyncedError")
    assert secret["message"] == 'could not get SecretStore "vault", store is not ready'
    eventually(lambda: health(platform) == "Degraded")


def test_a_secret_that_comes_late_lets_the_pod_start(start):
    platform = start("secret-late")

    waiting(platform, "platform", "CreateContainerConfigError")
    assert ready(platform, "platform")
    secret = condition(platform, "externalsecrets")
    assert (secret["reason"], secret["message"]) == ("SecretSynced", "secret synced")
    assert served(platform, "platform", "/login")
    eventually(lambda: health(platform) == "Healthy")


def test_the_secret_has_the_vaults_values_and_belongs_to_its_external_secret(start):
    platform = start("secret-late")

    def made():
        found = objects(platform, "api/v1/namespaces/pr-7/secrets")
        return next((each for each in found if each["metadata"]["name"] == "platform-auth"), None)

    secret = eventually(made)
    value = base64.b64decode(secret["data"]["AUTH_KEYCLOAK_SECRET"]).decode()
    assert value == platform.credentials.client_secret
    assert secret["metadata"]["ownerReferences"][0]["kind"] == "ExternalSecret"
