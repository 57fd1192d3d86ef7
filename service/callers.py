"""Who may call, as the settings say: proven clients in production, anyone on this machine in the demo profile."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from service.clients import Client
from service.errors import BadSettings
from service.hooks.cors import Origins
from service.settings import Profile, Settings
from service.store import Store

if TYPE_CHECKING:
    from service.hooks.keys import Keys


def are_proven(settings: Settings) -> bool:
    """Whether callers must prove who they are with a signed token."""
    return settings.profile is Profile.PRODUCTION and settings.authentication


def refuse_unproven(settings: Settings) -> None:
    """Raises BadSettings unless it is clear who may call, and how their tokens are to be read."""
    if not are_proven(settings):
        return
    if not settings.clients:
        raise BadSettings(
            "The production profile needs client authentication: there is no [[client]] in the file that "
            "MUSCLE_CDS_CONFIG names. To try the service on this machine with synthetic patients, set "
            "MUSCLE_CDS_PROFILE=demo."
        )
    if settings.public_url is None and not all(client.audiences for client in settings.clients):
        raise BadSettings(
            "public_url (MUSCLE_CDS_PUBLIC_URL) must be set: tokens are meant for an address, and it is not taken from "
            "what a caller says. Only where each [[client]] has audiences can it be left out."
        )
    if settings.fhir_bases:
        raise BadSettings(
            "fhir_bases (MUSCLE_CDS_FHIR_BASES) has no effect where callers are proven: name the FHIR servers in "
            "fhir_bases of each [[client]]."
        )


def create_keys(settings: Settings) -> "Keys | None":
    """The keys of the clients; None where callers are not proven. Fetches nothing yet.

    Raises BadSettings if the key file of a client holds no usable key.
    """
    if not are_proven(settings):
        return None
    from service.hooks.keys import Keys  # noqa: PLC0415 -- who proves no callers needs no cryptography

    return Keys(settings.clients)


def create_proof(
    settings: Settings, keys: "Keys | None", store: Store, now: Callable[[], datetime]
) -> Callable[[str | None, str], Client] | None:
    """What tells from the Authorization header and the path of a call who calls; it raises NotTrusted.

    None where callers are not proven. ``keys`` are made of the settings if not handed in, and then not kept fresh.
    """
    keys = keys or create_keys(settings)
    if keys is None:
        return None
    from service.hooks.trust import Trust  # noqa: PLC0415 -- as in create_keys

    trust = Trust(settings.clients, keys, store, settings.public_url)
    return lambda authorization, path: trust.caller(authorization, path, now())


def create_origins(settings: Settings) -> Origins:
    """Web origins whose pages may call: in the demo profile all."""
    if settings.profile is Profile.DEMO:
        return Origins(frozenset("*"))
    return Origins.of(settings.origins, settings.clients)
