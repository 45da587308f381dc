"""Signs a persona in, and says whether both sides know it: the identity provider and the product."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import EnvironmentProblem, InfrastructureError, ProductFailure, UnexpectedAnswer
from gatehouse.core.journey_settings import MemberCheck, PersonaSettings, Refusal, SignInSettings
from gatehouse.preview.journeys.findings import origin_of
from gatehouse.preview.personas.credentials import Credentials
from gatehouse.preview.personas.visitor import Page, Visitor
from gatehouse.preview.route import Route, cookies_of


@dataclass(frozen=True)
class SignIn:
    """How personas sign in to the preview at `url`."""

    settings: SignInSettings
    url: str
    own: Collection[str]
    route: Route

    def sign_in(self, name: str, persona: PersonaSettings, credentials: Credentials) -> dict[str, Any]:
        """Sign in; returns Playwright's storage state.

        A persona that the product must turn away ends with what it has by then. Raises `EnvironmentProblem` that says
        which side does not know the persona, or that lets one in which it must turn away; and what `Visitor` raises.
        """
        settings = self.settings
        identity = {origin_of(each) for each in settings.identity_origins}
        deadline = Deadline.after(settings.timeout_seconds)
        visitor = Visitor(self.route, {*self.own, *identity}, deadline)
        form_page = self._begin(visitor)
        form = form_page.form(settings.password_field)
        if form is None:
            raise _no_form(form_page, settings)
        values = {
            settings.username_field: credentials.username,
            settings.password_field: credentials.password,
        }
        page = visitor.submit(form_page, form, values)
        if page.form(settings.password_field) is not None and page.status < 500:
            side = "identity provider" if origin_of(page.url) in identity else "login form"
            raise EnvironmentProblem(
                f"the {side} does not let the persona {name} ({credentials.username}) in: {page.words}",
                where=page.place,
                next_step=f"make the user there, or correct the credentials of preview.personas.{name}",
            )
        if page.status >= 500:
            raise InfrastructureError(
                f"the login of the persona {name} ended at an error: {page.status} {page.words}",
                where=page.place,
                next_step="look at the log of what answered",
            )
        if origin_of(page.url) in identity - {*self.own}:
            raise EnvironmentProblem(
                f"the login of the persona {name} ({credentials.username}) got no further than the identity provider",
                expected="a page of the product",
                seen=f"{page.status} {page.words}",
                where=page.place,
                next_step="sign in as this user once by hand: what the identity provider asks for is said there",
            )
        if persona.refused:
            self._require_refusal(name, persona.refused, page)
        else:
            self._require_membership(name, persona, credentials, visitor, page)
        return visitor.storage_state()

    def is_valid(self, state: Path, username: str) -> bool | None:
        """Whether the product still knows one who has signed in; None where there is no check, or no answer."""
        check = self.settings.member_check
        if check is None:
            return None
        visitor = Visitor(self.route, self.own, Deadline.after(self.settings.timeout_seconds))
        visitor.cookies = cookies_of(state)
        try:
            page = visitor.get(self.url + check.path)
        except InfrastructureError:
            return None
        except ProductFailure:  # to the login, or in a circle
            return False
        if page.status >= 500:
            return None  # it says nothing about the session
        return _passes(check, username, page)

    def _begin(self, visitor: Visitor) -> Page:
        """The page with the form in which name and password are asked for."""
        if self.settings.kind == "form":
            return visitor.get(self.url + self.settings.path)
        # Auth.js: https://authjs.dev/reference/core#rest-api
        provider = self.settings.provider
        providers = _json(visitor.get(f"{self.url}/api/auth/providers"))
        if provider not in providers:
            raise UnexpectedAnswer(
                f"the product has no provider {provider!r} to sign in with",
                seen=f"providers: {', '.join(providers) or 'none'}",
                where=f"{self.url}/api/auth/providers",
                next_step="correct preview.sign_in.provider, or look at the product's configuration",
            )
        token = str(_json(visitor.get(f"{self.url}/api/auth/csrf")).get("csrfToken", ""))
        data = {"csrfToken": token, "callbackUrl": f"{self.url}/", "json": "true"}
        page = visitor.post(f"{self.url}/api/auth/signin/{provider}", data)
        if page.form(self.settings.password_field):
            return page  # redirected at once
        way = str(_json(page).get("url") or "")
        if not way:
            raise _not_as_auth_js(page)
        return visitor.get(urljoin(page.url, way))

    @staticmethod
    def _require_refusal(name: str, refused: Refusal, page: Page) -> None:
        wrong = []
        if refused.status and page.status not in refused.status:
            wrong.append(f"status {' or '.join(map(str, refused.status))}")
        if refused.path is not None and page.path != refused.path:
            wrong.append(f"path {refused.path}")
        if refused.contains is not None and refused.contains not in page.text:
            wrong.append(f"text {refused.contains!r}")
        if wrong:
            raise EnvironmentProblem(
                f"the persona {name} is not turned away as it must be",
                expected=f"a page with {' and '.join(wrong)}",
                seen=f"{page.status} at {page.path}: {page.words}",
                where=page.place,
                next_step="look at what the product has about this user: a test of a refusal would prove nothing",
            )

    def _require_membership(
        self, name: str, persona: PersonaSettings, credentials: Credentials, visitor: Visitor, page: Page
    ) -> None:
        check = self.settings.member_check
        shown = page
        if check is not None:
            shown = visitor.get(self.url + check.path)
            if _passes(check, credentials.username, shown):
                self._require_that_not_all_pass(check, credentials.username)
                return
        elif page.status < 400 and origin_of(page.url) in self.own:
            return
        roles = f" as {', '.join(persona.roles)}" if persona.roles else ""
        raise EnvironmentProblem(
            f"the identity provider knows the persona {name} ({credentials.username}), the product does not{roles}",
            expected=f"{' or '.join(map(str, check.status))} from {check.path}"
            if check
            else "a page of the product",
            seen=f"the login ended at {page.path}: {page.words}"
            + (f"; {check.path} answered {shown.status}: {shown.words}" if check else ""),
            where=self.url,
            next_step="let the product have the user's membership; it is other data than the identity provider's",
        )

    def _require_that_not_all_pass(self, check: MemberCheck, username: str) -> None:
        """A check that is passed without signing in tells nothing about anybody."""
        origins = {*self.own, *map(origin_of, self.settings.identity_origins)}
        nobody = Visitor(self.route, origins, Deadline.after(self.settings.timeout_seconds))
        try:
            page = nobody.get(self.url + check.path)
        except ProductFailure:  # to the login, or in a circle
            return
        if _passes(check, username, page):
            raise EnvironmentProblem(
                f"preview.sign_in.member_check proves nothing: who has not signed in passes it with {check.path}",
                expected="another answer to one without a session",
                seen=f"{page.status} at {page.path}: {page.words}",
                where=page.place,
                next_step="let it ask for something that only members see, and name it with contains",
            )


def _passes(check: MemberCheck, username: str, page: Page) -> bool:
    wanted = check.contains
    return page.status in check.status and (
        wanted is None or wanted.replace("{username}", username) in page.body
    )


def _json(page: Page) -> dict[str, Any]:
    try:
        data = json.loads(page.body)
    except ValueError:
        data = None
    if page.status != 200 or not isinstance(data, dict):
        raise _not_as_auth_js(page)
    return data


def _not_as_auth_js(page: Page) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"{page.place} did not answer as Auth.js does: {page.status} {page.words}",
        next_step="correct preview.sign_in, or look at the product's log",
    )


def _no_form(page: Page, settings: SignInSettings) -> InfrastructureError:
    if page.status >= 500:
        return InfrastructureError(
            f"the login cannot begin, it leads to an error: {page.status} {page.words}",
            where=page.place,
            next_step="look at the log of what answered, and at whether the identity provider is there",
        )
    return UnexpectedAnswer(
        f"there is no form with the field {settings.password_field!r} where one signs in",
        seen=f"{page.status} {page.words}",
        where=page.place,
        next_step="correct preview.sign_in (path, password_field), or look at what answers there",
    )
