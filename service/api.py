"""The paths of the service, and how OpenAPI describes them."""

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.service.messages import (
    ClassifyRequest,
    ClassifyResponse,
    ErrorResponse,
    ModelCard,
    ModelsResponse,
    ServiceLimits,
    SpaceRequest,
    SpaceResponse,
    Status,
    TagRequest,
    TagResponse,
)
from malmoi.service.request_body import body_reader
from malmoi.service.request_log import RequestLog
from malmoi.service.served_models import PATHS
from malmoi.service.service_errors import (
    STATUSES,
    ServiceError,
    answer_http_error,
    answer_service_error,
)
from malmoi.service.text_service import TextService

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DESCRIPTION = """Names, spaces and sentiment in Korean texts.

Texts are JSON in UTF-8. Every error has the same form: a code for programs and a sentence for people."""


def make_api(service: TextService) -> FastAPI:
    """Return the application that answers HTTP for a service."""
    api = FastAPI(
        title="malmoi",
        version=version("malmoi"),
        description=DESCRIPTION,
        # these pages would load their scripts from another host
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.add_middleware(RequestLog, service=service)
    api.add_exception_handler(ServiceError, answer_service_error)
    api.add_exception_handler(HTTPException, answer_http_error)
    _add_tasks(api, service)
    _add_status(api, service)
    return api


def _add_tasks(api: FastAPI, service: TextService) -> None:
    """Add the paths at which models answer."""
    limits = service.limits

    @api.post(PATHS[Tagger.task], **_described(TagRequest, TagResponse))
    async def tag(request: Request, asked: Annotated[TagRequest, Depends(body_reader(TagRequest, limits))]) -> Any:
        """Find names in texts."""
        return _json(await service.answer(request, asked, Tagger.task))

    @api.post(PATHS[Spacer.task], **_described(SpaceRequest, SpaceResponse))
    async def space(
        request: Request, asked: Annotated[SpaceRequest, Depends(body_reader(SpaceRequest, limits))]
    ) -> Any:
        """Restore the spaces of texts; nothing else changes."""
        return _json(await service.answer(request, asked, Spacer.task))

    @api.post(PATHS[Classifier.task], **_described(ClassifyRequest, ClassifyResponse))
    async def classify(
        request: Request, asked: Annotated[ClassifyRequest, Depends(body_reader(ClassifyRequest, limits))]
    ) -> Any:
        """Find the class of texts."""
        return _json(await service.answer(request, asked, Classifier.task))


def _add_status(api: FastAPI, service: TextService) -> None:
    """Add the paths that tell how the service is."""

    @api.get("/v1/models", responses=_errors("loading", "stopping"))
    async def models() -> ModelsResponse:
        """List the models, and what the service takes at most."""
        service.check_taking()
        cards = [
            ModelCard(
                name=model.name,
                task=model.task,
                path=PATHS[model.task],
                labels=model.labels,
                default=service.default_model(model.task) == model.name,
            )
            for model in service.models.values()
        ]
        return ModelsResponse(models=cards, limits=ServiceLimits(**vars(service.limits)))

    @api.head("/health", include_in_schema=False)  # as some that watch a service ask
    @api.get("/health")
    async def health() -> Status:
        """Tell that the process is alive, whatever it is doing."""
        return Status(status="alive")

    @api.head("/ready", include_in_schema=False)
    @api.get("/ready", responses=_errors("loading", "stopping"))
    async def ready() -> Status:
        """Tell whether the models are loaded and requests are taken."""
        service.check_taking()
        return Status(status="ready")

    @api.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
    async def metrics() -> Response:
        """Return the metrics of the service in the format of Prometheus."""
        return Response(service.metrics.as_text(), headers={"Content-Type": METRICS_TYPE})


def _described(asked: type[BaseModel], answered: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI is told of a path that takes texts.

    The body is read by a dependency, of which FastAPI knows nothing.
    """
    schema = asked.model_json_schema()
    codes = [code for code in STATUSES if code not in ("not_found", "method_not_allowed", "client_gone")]
    return {
        "response_model": answered,
        "responses": _errors(*codes),
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
    }


def _errors(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI is told of errors."""
    statuses: dict[int | str, list[str]] = {}
    for code in codes:
        statuses.setdefault(STATUSES[code], []).append(f"`{code}`")
    return {status: {"model": ErrorResponse, "description": " or ".join(names)} for status, names in statuses.items()}


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
