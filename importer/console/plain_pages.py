"""Pages without anything that runs: for strangers, and where a page cannot be shown."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus

from fastapi import FastAPI, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from importer.console.access import RefusedError
from importer.console.texts import t
from importer.core.errors import ImporterError


def plain_page(title: str, status: int = HTTPStatus.OK, *, problem: str = "", template: str = "plain") -> Response:
    """Draw a page.

    Args:
        problem: a sentence that says what is wrong; empty: nothing is.
        template: `plain`, or another one that extends it.
    """
    page = _templates().get_template(f"{template}.html.j2").render(t=t, title=title, problem=problem)
    return HTMLResponse(page, status)


def explain_errors(application: FastAPI) -> None:
    """Answer with a sentence where a page cannot be shown; a bug is logged by the server, and not shown."""
    application.add_exception_handler(HTTPStatus.NOT_FOUND, _missing)
    application.add_exception_handler(ImporterError, _refused)
    application.add_exception_handler(Exception, _bug)


def _refused(_: Request, error: Exception) -> Response:
    status = HTTPStatus.FORBIDDEN if isinstance(error, RefusedError) else HTTPStatus.NOT_FOUND
    return plain_page(t("plain.refused"), status, problem=str(error))


def _missing(_: Request, __: Exception) -> Response:
    return plain_page(t("plain.missing"), HTTPStatus.NOT_FOUND, problem=t("plain.where"))


def _bug(_: Request, __: Exception) -> Response:
    return plain_page(t("plain.bug"), HTTPStatus.INTERNAL_SERVER_ERROR, problem=t("app.bug"))


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("importer.console"), autoescape=True, undefined=StrictUndefined)
