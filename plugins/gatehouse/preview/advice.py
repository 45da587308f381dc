"""What to do about an environment that does not get on, where no single object is to blame."""

from __future__ import annotations

from gatehouse.argocd.judge import State
from gatehouse.preview.judge import EnvironmentJudgement
from gatehouse.preview.stages import Stage

#: What to do about an environment that stays in a stage, where no object says more.
_ADVICE = {
    Stage.GENERATION: "look at the ApplicationSet's conditions, its webhook and the labels it asks for",
    Stage.IMAGES: "see whether the job that publishes this image is running, or has failed",
    Stage.SYNC: "open the Application in Argo CD: its operation and conditions tell what it waits for",
    Stage.ROLLOUT: "open the Application in Argo CD: its pods tell what they wait for",
    Stage.EDGE: "ask the address yourself, and look at the gateway, the route and the endpoints behind it",
}


def advice_for(judgement: EnvironmentJudgement) -> str:
    """What to do about an environment, in a sentence."""
    if "CERTIFICATE_VERIFY_FAILED" in judgement.reason:
        return "name the authority in preview.tls.ca_file, or have the certificate issued"
    if judgement.stage is Stage.GENERATION and judgement.state is State.FAILED:
        return "repair the ApplicationSet's generator; until then no preview can be complete"
    return _ADVICE.get(judgement.stage or Stage.SYNC, "open the Application in Argo CD")
