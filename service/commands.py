"""What the command line does with the parts of the service without serving: one answer, a prune, a seeded server."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from service import clock
from service.app import create_advisor, create_renderer, create_store, load_parts
from service.hooks.request import hook_named, parse
from service.hooks.services import SERVICES
from service.settings import Settings

if TYPE_CHECKING:
    from service.demo.seed import Seeded


def answer_once(settings: Settings, body: bytes, day: date | None) -> dict[str, Any]:
    """The response to one hook request, by the data it carries alone: no FHIR server is called.

    ``day``: the day the rules see, today if None. Raises CallRejected as the service would refuse it.
    """
    parts = load_parts(settings)
    advisor = create_advisor(replace(settings, fhir_bases=(), clients=()), parts, None if day is None else lambda: day)
    hook = hook_named(body)
    service = next((one for one in SERVICES if one.hook == hook), SERVICES[0])
    return create_renderer(settings, parts).body(advisor.advise(parse(body, service)))


def prune_store(settings: Settings) -> int:
    """Remove what has ended or is older than the retention; how many rows. Raises StoreUnavailable."""
    store = create_store(settings)
    try:
        return store.prune(clock.now())
    finally:
        store.close()


def seed_server(settings: Settings, base: str, token: str | None, wait: float) -> "Seeded":
    """Put the synthetic patients, as of today, into the FHIR server at ``base``. ``wait``: seconds for it to come up.

    Raises BadSettings, NotSeeded.
    """
    from service.demo.seed import seed  # noqa: PLC0415 -- the HTTP library, which only this command surely needs

    return seed(base, clock.today(settings.timezone), token=token, wait=wait)
