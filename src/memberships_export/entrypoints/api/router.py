"""The routes of the exports, for any FastAPI app: `app.include_router(exports_router(...))`."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from memberships_export.entrypoints.api import documentation as answers
from memberships_export.entrypoints.api import export_endpoints as endpoints
from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.entrypoints.api.options_query import parameters
from memberships_export.entrypoints.api.problem_route import ProblemRoute, add_reading_route, share_paths
from memberships_export.entrypoints.api.provided import PROVIDED, provide
from memberships_export.entrypoints.api.schemas import ExportView
from memberships_export.entrypoints.api.webhook import add_webhook

_EXPORTS = "/memberships/exports"
_EXPORT = _EXPORTS + "/{exportId}"


def exports_router(api: ExportsApi) -> APIRouter:
    """Make the router: exports and the mail service's webhook. It needs no handlers or middleware of the app."""
    router = APIRouter(
        route_class=ProblemRoute,
        generate_unique_id_function=answers.operation_id,
    )
    _add_starting(router)
    _add_reading(router)
    _add_steering(router)
    add_webhook(router)
    return share_paths(router, {PROVIDED: provide(api)})


def _add_starting(router: APIRouter) -> None:
    router.add_api_route(
        "/memberships/export",
        endpoints.start_export,
        response_model=ExportView,
        status_code=202,
        summary="Start an export",
        tags=["exports"],
        openapi_extra={"parameters": parameters()},
        responses=answers.accepted() | answers.problems(401, 403, 422, 429, 503),
    )
    router.add_api_route(
        _EXPORTS,
        endpoints.start_export_with_options,
        response_model=ExportView,
        methods=["POST"],
        status_code=202,
        summary="Start an export with options",
        tags=["exports"],
        responses=answers.accepted() | answers.problems(400, 401, 403, 413, 422, 429, 503),
    )


def _add_reading(router: APIRouter) -> None:
    router.add_api_route(
        _EXPORTS,
        endpoints.list_exports,
        summary="List your exports",
        tags=["exports"],
        responses=answers.listed() | answers.problems(401, 422, 503),
    )
    router.add_api_route(
        _EXPORTS + "/options",  # before the next, which would take it for an id
        endpoints.get_options,
        summary="What may be chosen about the file",
        tags=["exports"],
        responses=answers.offered() | answers.problems(401, 422, 503),
    )
    router.add_api_route(
        _EXPORT,
        endpoints.get_export,
        response_model=ExportView,
        summary="Status of an export",
        tags=["exports"],
        responses=answers.status() | answers.problems(401, 404, 422, 503),
    )
    add_reading_route(
        router,
        _EXPORT + "/file",
        endpoints.get_file,
        response_class=Response,
        summary="Get the file",
        tags=["exports"],
        responses=answers.file() | answers.problems(401, 404, 409, 410, 422, 503),
    )
    add_reading_route(
        router,
        _EXPORT + "/download/{token}",
        endpoints.get_file_by_link,
        response_class=Response,
        summary="Get the file with the link from the mail",
        tags=["exports"],
        responses=answers.file() | answers.problems(404, 410, 422, 503),
    )


def _add_steering(router: APIRouter) -> None:
    router.add_api_route(
        _EXPORT + "/cancel",
        endpoints.cancel_export,
        methods=["POST"],
        summary="Cancel an export",
        tags=["exports"],
        responses=answers.cancelled() | answers.problems(401, 404, 409, 422, 503),
    )
    router.add_api_route(
        _EXPORT + "/resend",
        endpoints.resend_export,
        methods=["POST"],
        status_code=202,
        summary="Mail the file again",
        tags=["exports"],
        responses=answers.resent() | answers.problems(401, 404, 409, 422, 429, 503),
    )
    router.add_api_route(
        _EXPORT,
        endpoints.erase_export,
        dependencies=[Depends(endpoints.refuse_options)],
        methods=["DELETE"],
        summary="Erase an export",
        tags=["exports"],
        responses=answers.erased() | answers.problems(401, 404, 422, 503),
    )
