"""What stands between Coder and whoever asks it: certificates, clocks, limits, silence."""

from __future__ import annotations

from datetime import timedelta

from gatehouse.embedded.certificates import Terms
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

# --- certificates ----------------------------------------------------------------------------------------


@scenario("coder", https=["coder"])
def coder_private_authority(_systems: Systems) -> None:
    """Coder is served over HTTPS, with a certificate of an authority that clients do not know."""


@scenario("coder", https=["coder"])
def coder_certificate_for_another_name(systems: Systems) -> None:
    """Coder is served over HTTPS, with a certificate for another name."""
    systems.coder_certificate = Terms(names=("coder.example.com",))


@scenario("coder", https=["coder"])
def coder_certificate_expired(systems: Systems) -> None:
    """Coder is served over HTTPS, with a certificate that ended yesterday."""
    systems.coder_certificate = Terms(days=-1.0)


# --- time ------------------------------------------------------------------------------------------------


@scenario("all", clock_ahead=timedelta(hours=1))
def clocks_ahead(_systems: Systems) -> None:
    """The clocks of Coder and the cluster are an hour ahead of everybody else's."""


@scenario("all", clock_ahead=timedelta(hours=-1))
def clocks_behind(_systems: Systems) -> None:
    """The clocks of Coder and the cluster are an hour behind everybody else's."""


@scenario("coder")
def coder_slow(systems: Systems) -> None:
    """Coder takes a fifth of a second for each answer."""
    systems.coder.faults.seconds = 0.2


@scenario("coder")
def coder_silent(systems: Systems) -> None:
    """Coder takes requests and never answers."""
    systems.coder.faults.seconds = 86_400.0


# --- limits ----------------------------------------------------------------------------------------------


@scenario("coder")
def rate_limit_reached(systems: Systems) -> None:
    """After twenty requests Coder lets nobody through for three seconds (429)."""
    systems.coder.rate_limiter.let_through, systems.coder.rate_limiter.pause = 20, 3


@scenario("coder")
def rate_limit_for_ever(systems: Systems) -> None:
    """After twenty requests Coder lets nobody through any more (429)."""
    systems.coder.rate_limiter.let_through, systems.coder.rate_limiter.pause = 20, 86_400
