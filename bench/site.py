"""A hospital's set-up in a folder of its own: settings file, key, database with its tables, tokens of its client."""

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.jwk import ECKey

from bench.payloads import SIZES
from service import settings
from service.settings import Settings
from service.store import schema

ISSUER: Final = "https://ehr.example/cds"
PUBLIC_URL: Final = "https://cds.example"
_LIFE: Final = 3_000  # seconds a token lives; less than an hour, more than a run


def path_of(name: str) -> str:
    """Where a body of bench.payloads is posted to."""
    return f"/cds-services/muscle-{'order-select' if SIZES[name].orders else 'patient-view'}"


@dataclass(frozen=True)
class Site:
    """One set-up of the production profile: rules, terminology, record of cards shown and log are on, always.

    ``jwt``: whether callers must be proven, each by a token that counts once.
    """

    folder: Path
    jwt: bool
    key: ECKey

    @classmethod
    def made_in(cls, folder: Path, *, jwt: bool, fhir_bases: tuple[str, ...] = (), **more: int | str) -> "Site":
        """Write everything down and make the tables. ``fhir_bases``: servers on loopback that may be called."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ECKey.generate_key("P-384", {"kid": "bench"})
        (folder / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}), encoding="utf-8")
        risks = [*(() if jwt else ("auth-off",)), *(("http-fhir-base",) if fhir_bases else ())]
        lines = [
            f"public_url = {json.dumps(PUBLIC_URL)}",
            f"store = {json.dumps(f'sqlite:///{folder}/store.sqlite')}",
            f"authentication = {json.dumps(jwt)}",
            f"accept_risk = {json.dumps(risks)}",
            "drain_seconds = 0",  # nobody has to notice that it ends
            *(f"{name} = {json.dumps(value)}" for name, value in more.items()),
        ]
        if fhir_bases and not jwt:
            lines.append(f"fhir_bases = {json.dumps(fhir_bases)}")
        lines += ["[[client]]", 'name = "ehr"', f"issuer = {json.dumps(ISSUER)}"]
        lines.append(f"jwks_file = {json.dumps(str(folder / 'jwks.json'))}")
        if fhir_bases and jwt:
            lines.append(f"fhir_bases = {json.dumps(fhir_bases)}")
        site = cls(folder, jwt, key)
        site.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        schema.upgrade(site.settings().store)
        return site

    @property
    def file(self) -> Path:
        """The settings file, for MUSCLE_CDS_CONFIG."""
        return self.folder / "muscle-cds.toml"

    def settings(self) -> Settings:
        """The settings as the server command reads them."""
        return settings.load({f"{settings.PREFIX}CONFIG": str(self.file)})

    def tokens(self, path: str, how_many: int) -> list[str]:
        """Authorization headers for a path, each good for one call; empty ones where callers are not proven."""
        if not self.jwt:
            return [""] * how_many
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": PUBLIC_URL + path, "iat": now, "exp": now + _LIFE}
        header = {"alg": "ES384", "kid": "bench", "typ": "JWT"}
        return [
            "Bearer " + jwt.encode(header, claims | {"jti": str(uuid.uuid4())}, self.key, algorithms=["ES384"])
            for _ in range(how_many)
        ]
