"""`malmoi serve --api`."""

from collections.abc import Sequence
from importlib.util import find_spec

from malmoi.commands.serve import HOST, check_free
from malmoi.commands.start_up import without_progress_bars
from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import bundled_name
from malmoi.models import NAMES

PORT = 8000
PACKAGES = ("fastapi", "prometheus_client", "uvicorn")


def serve_api(
    models: Sequence[str],
    *,
    host: str | None,
    port: int | None,
    trust_remote_code: bool,
    limits: dict[str, float | None],
) -> None:
    """Answer requests over HTTP until a signal ends the process.

    Args:
        models: Folders of models, or their names on the Hub; if there are none, those of the package are served.
        host: Address to listen on; by default that of this machine alone.
        port: Port to listen at; by default 8000.
        trust_remote_code: Whether code that comes with the models may run.
        limits: Fields of `Limits`; `None` for the default.

    Raises:
        UserError: If the extra `api` is missing, a limit is wrong, a model cannot be loaded, or nothing can listen
            there.
    """
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise UserError(f"`malmoi serve --api` needs {', '.join(missing)}: pip install 'malmoi[api]'")
    from malmoi.service.limits import Limits
    from malmoi.service.served_models import find_models
    from malmoi.service.server import run_service
    from malmoi.service.text_service import TextService

    checked = Limits(**{name: value for name, value in limits.items() if value is not None})  # type: ignore[arg-type]
    host, port = (host or HOST).strip("[]"), port or PORT
    check_free(host, port)
    names = models or [*map(bundled_name, NAMES)]
    for name in names:
        without_progress_bars(name, None)
    sources = find_models(names, trust_remote_code=trust_remote_code)
    run_service(TextService(sources, checked), host=host, port=port)
