"""Sites without sockets: what `Route.send` is given, they answer."""

import httpx


class Site:
    """Answers requests from a table of `"GET http://host/path"`; keeps what it was asked.

    An answer is a function of the request, or what `answer` makes.
    """

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def send(self, request):
        self.asked.append(request)
        address = f"{request.method} {request.url.copy_with(query=None, fragment=None)}"
        found = self.answers.get(address, answer(404, "not found"))
        response = found(request) if callable(found) and not isinstance(found, httpx.Response) else found
        if isinstance(response, Exception):
            raise response
        # A response belongs to one request.
        return httpx.Response(
            response.status_code, headers=response.headers.raw, content=response.content, request=request
        )

    @property
    def lines(self):
        """Method and address of everything that was asked."""
        return [f"{each.method} {each.url}" for each in self.asked]


def answer(status=200, body="", *, location="", cookies=(), json=None):
    headers = [("set-cookie", each) for each in cookies]
    if location:
        headers.append(("location", location))
    if json is not None:
        return httpx.Response(status, headers=headers, json=json)
    return httpx.Response(status, headers=headers, text=body)


def sent_form(request):
    """The fields of a form that was sent."""
    return dict(httpx.QueryParams(request.content.decode()))
