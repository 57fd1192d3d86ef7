"""Keys and signed tokens of pretend clients, for tests of who may call."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from service.app import create_app
from service.clients import Client
from service.observe import AccessLog
from service.settings import Settings
from service.store import MemoryStore
from tests.service.stand_ins import a_card, advises, parts

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
ISSUER = "https://ehr.example/cds"
BASE = "https://cds.example/muscle"
CALL = "/cds-services/muscle-patient-view"
FEEDBACK = f"{CALL}/feedback"
KID = "key/1+a="  # Epic's are base64

EC = ECKey.generate_key("P-384", {"kid": KID})
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})
FOREIGN = ECKey.generate_key("P-384", {"kid": KID})


def public(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(path: str = CALL, **changed: Any) -> dict[str, Any]:
    """Good claims for a path of ours at NOW; a claim that is given as ``...`` is left out."""
    seconds = int(NOW.timestamp())
    made = {"iss": ISSUER, "aud": BASE + path, "exp": seconds + 300, "iat": seconds, "jti": "one"} | changed
    return {name: value for name, value in made.items() if value is not ...}


def headers(**changed: Any) -> dict[str, Any]:
    made = {"alg": "ES384", "kid": KID, "typ": "JWT"} | changed
    return {name: value for name, value in made.items() if value is not ...}


def signed(said: Any = None, header: dict[str, Any] | None = None, key: Any = EC) -> str:
    """A token. ``said``: claims, or the bytes of a payload. What joserfc would not sign is signed by hand."""
    header = headers() if header is None else header
    payload = said if isinstance(said, bytes) else json.dumps(claims() if said is None else said).encode()
    signing = f"{segment(header)}.{segment(payload)}"
    algorithm = jws.JWSRegistry.algorithms[header.get("alg", "ES384")]
    return f"{signing}.{segment(algorithm.sign(signing.encode(), key))}"


def a_client(folder: Any, **changed: Any) -> Client:
    """The client whose keys these are, with a key file in ``folder``."""
    file = folder / "jwks.json"
    file.write_text(json.dumps(public(EC, RSA)))
    return Client(**{"name": "ehr", "issuer": ISSUER, "jwks_file": file} | changed)


def a_production_app(
    *clients: Client, store: Any = None, lines: Any = None, now: Any = None, advise: Any = None, **settings: Any
) -> Any:
    """The application around a stand-in core, as a hospital runs it; the clock stands at NOW unless ``now`` is given."""
    log = AccessLog((lines if lines is not None else []).append, lambda: NOW)
    return create_app(
        Settings(**{"clients": clients, "public_url": BASE} | settings),
        parts(),
        advise=advise or advises(a_card()),
        log=log,
        store=store or MemoryStore(),
        now=now or (lambda: NOW),
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
