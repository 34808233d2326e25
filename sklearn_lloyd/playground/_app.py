"""The server: four static files, and questions in JSON that are answered in JSON.

Only this computer can connect. Pages of other sites, open in the same browser, can try to: the
guard refuses what they send by its Host (a name of theirs that they had resolve to this computer)
and by its Origin. Whatever comes is data: nothing of it is run, and no path is made of it.
"""

from __future__ import annotations

import json
import logging
import tempfile
from importlib.resources import files
from math import isfinite
from pathlib import Path
from threading import BoundedSemaphore

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.inspection._page import parts_of_page
from sklearn_lloyd.playground._run import Playground
from sklearn_lloyd.playground._settings import read_settings
from sklearn_lloyd.playground._tables import MOST_BYTES, read_table

_MOST_JSON = 1 << 16  # bytes of a question
_AT_WORK = BoundedSemaphore(4)  # answers at a time
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_EXPECTED = (ValueError, TypeError, ImportError, OverflowError, MemoryError)
log = logging.getLogger("sklearn_lloyd.playground")


def make_app(hosts):
    """The application.

    Parameters
    ----------
    hosts : set of str
        What a browser may call this server, with the port.
    """
    applications = import_optional("starlette.applications", extra="app")
    routing = import_optional("starlette.routing", extra="app")
    middleware = import_optional("starlette.middleware", extra="app")
    playground = Playground()
    questions = {
        "/steps": (playground.steps,),
        "/code": (playground.code, "start"),
        "/silhouettes": (playground.silhouettes, "start", "frame"),
        "/numbers": (playground.numbers,),
        "/findings": (playground.findings, "start"),
    }
    routes = [routing.Route(path, _static(*file)) for path, file in _files().items()]
    routes += [
        routing.Route(path, _question(*answer), methods=["POST"])
        for path, answer in questions.items()
    ]
    routes.append(routing.Route("/upload", _upload(playground), methods=["POST"]))
    return applications.Starlette(
        routes=routes, middleware=[middleware.Middleware(_Guard, hosts=hosts)]
    )


class _Guard:
    """Refuses requests that do not come from our own page, and adds headers to all answers."""

    def __init__(self, app, hosts):
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope, receive, send):
        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                more = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        app = self.app
        if not self._is_ours(scope):
            responses = import_optional("starlette.responses", extra="app")
            app = responses.PlainTextResponse("This page is for this computer.", status_code=403)
        await app(scope, receive, send_with_headers)

    def _is_ours(self, scope):
        def given(name):
            return [value.decode("latin-1") for key, value in scope["headers"] if key == name]

        hosts, origins, sites = given(b"host"), given(b"origin"), given(b"sec-fetch-site")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return False
        if scope["method"] in ("GET", "HEAD"):  # the files, which hold nothing of the user's
            return True
        is_of_page = all(site == "same-origin" for site in sites)
        return origins == [f"http://{hosts[0]}"] and is_of_page


def _files():
    """What is served, by path. The picture is that of the page of `LloydStepsDisplay`."""
    style, stage, script = parts_of_page()
    own = {kind: files(__package__).joinpath(f"page.{kind}").read_text("utf-8") for kind in _TYPES}
    return {
        "/": ("html", own["html"].replace("<!-- stage -->", stage)),
        "/page.css": ("css", style + own["css"]),
        "/steps.js": ("js", script),
        "/page.js": ("js", own["js"]),
    }


def _static(kind, text):
    responses = import_optional("starlette.responses", extra="app")

    async def endpoint(request):
        return responses.Response(text, media_type=_TYPES[kind])

    return endpoint


def _question(answer, *names):
    def answered(body):
        given = json.loads(body)
        return answer(read_settings(given), *(given.get(name) for name in names))

    async def endpoint(request):
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_JSON:
                return _said("The question is too long.")
        return await _in_a_thread(answered, body)

    return endpoint


def _upload(playground):
    async def endpoint(request):
        name = request.query_params.get("name", "")
        numbers_only = request.query_params.get("numbers_only") == "true"
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path, size = Path(folder, "table"), 0
            with open(path, "wb") as file:
                async for part in request.stream():
                    size += len(part)
                    if size > MOST_BYTES:
                        return _said(f"{name} has more than {MOST_BYTES >> 20:,} megabytes.")
                    file.write(part)
            return await _in_a_thread(_add, playground.tables, path, name, numbers_only)

    return endpoint


def _add(tables, path, name, numbers_only):
    table = read_table(path, name, numbers_only)
    n_rows, n_columns = table.X.shape
    return {
        "key": tables.add(table),
        "name": table.name,
        "n_rows": n_rows,
        "n_columns": n_columns,
        "note": table.note,
    }


async def _in_a_thread(function, *arguments):
    """The answer, or what is wrong with the question.

    The status is 200 in both cases: a browser writes others to its console as errors.
    """
    concurrency = import_optional("starlette.concurrency", extra="app")
    try:
        text = await concurrency.run_in_threadpool(_as_json, function, arguments)
    except _EXPECTED as error:
        log.debug("Refused.", exc_info=True)
        return _said(str(error) or type(error).__name__)
    return _json(text)


def _as_json(function, arguments):
    with _AT_WORK:
        answer = function(*arguments)
    try:
        return json.dumps(answer, allow_nan=False, separators=(",", ":"))
    except ValueError:  # the inertia of very large values
        return json.dumps(_without_infinity(answer))


def _without_infinity(answer):
    if isinstance(answer, dict):
        return {name: _without_infinity(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [*map(_without_infinity, answer)]
    return None if isinstance(answer, float) and not isfinite(answer) else answer


def _said(what):
    return _json(json.dumps({"error": what}))


def _json(text):
    responses = import_optional("starlette.responses", extra="app")
    return responses.Response(text, media_type="application/json")
