"""Writes the generated reference pages anew: ``make docs``, or ``python -m service.reference`` at the root."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path

import msgspec

from cards.content import load_content
from cards.reference.clinical import clinical_content
from cards.reference.clinicians import clinician_pages
from cards.reference.numbers import bands
from cards.reference.traceability import traceability
from service.clients import Client
from service.fhir.queries import Query, queries_for
from service.hooks.services import SERVICES, SPECIFICATION_VERSION, Service
from service.openapi import openapi
from service.settings import PREFIX, Settings, options, shown
from terminology.vocabulary import load

FOLDER = Path("docs/reference")
CLINICIANS = Path("docs/cards")
MADE = "Made by `make docs`; a test fails when it is not current."

CLIENT_KEYS: Mapping[str, str] = {
    "name": "Our name for the client, in logs and in the store: letters, digits, dots, hyphens and underscores.",
    "issuer": "The `iss` of its tokens, letter for letter.",
    "jwks_url": "Where its public keys are fetched, over https. Either this or `jwks_file`.",
    "jwks_file": "A JWK Set with its public keys, for keys agreed out of band. Either this or `jwks_url`.",
    "algorithms": "Signature algorithms it may use; never `none`, never a symmetric one.",
    "audiences": "Fixed `aud` values it may use besides the address it calls.",
    "fhir_bases": "FHIR servers that may be called for it. A `fhirServer` that is none of these is never called.",
    "open_server": "Whether those servers may be called without a token.",
    "replay": "`strict`: a token counts once. `off`: as often as it is sent, for test kits.",
    "origins": "Web origins of its pages, where it runs in a browser.",
    "tenants": "If any, the only `tenant` values it may send.",
    "topic_codes_plain": "Leave the hyphens out of topic codes for this client.",
}


def reference_pages() -> Mapping[str, str]:
    """The pages by file name. Raises BadContent if the content does not hold together."""
    content = load_content(load())
    queries = {one.id: queries_for(one.id, content.vocabulary) for one in SERVICES}
    document = msgspec.json.encode(openapi(SERVICES, content.version))
    return {
        "clinical-content.md": clinical_content(content),
        "traceability.md": traceability(content),
        "bands.md": bands(content),
        "settings.md": settings_page(),
        "services.md": services_page(queries),
        "prefetch.md": prefetch_page(queries),
        "openapi.json": msgspec.json.format(document, indent=2).decode() + "\n",
    }


def pages_for_clinicians() -> Mapping[str, str]:
    """The pages of docs/cards by file name. Raises BadContent if the content does not hold together."""
    return clinician_pages(load_content(load()))


def settings_page() -> str:
    """Every setting and every key of a client, from the tables that read them."""
    lines = [
        "# Settings",
        "",
        MADE,
        "",
        f"A setting is a key of the TOML file that `{PREFIX}CONFIG` names, or a variable in the environment, which",
        "wins. A name that is not in this table stops the start. `muscle-cds config check` prints those in force, and",
        "refuses unsafe ones. A commented file to start from: `deploy/muscle-cds.example.toml`.",
        "",
        "| Key in the file | Variable | Default | What it is for |",
        "|---|---|---|---|",
    ]
    for row, option in zip(fields(Settings), options(), strict=True):
        key = row.metadata.get("key", row.name)
        variable = "in the file only" if row.metadata.get("file_only") else f"`{option.variable}`"
        if row.metadata.get("secret"):
            variable += f", or `{option.variable}_FILE`: a file that holds it"
        lines.append(f"| `{key}` | {variable} | {_default(option.default)} | {option.help} |")
    lines += [
        "",
        "## Clients",
        "",
        "Each `[[client]]` table in the file is one caller, for the production profile.",
        "",
        "| Key | Default | What it is for |",
        "|---|---|---|",
        *_client_rows(),
    ]
    return "\n".join(lines) + "\n"


def _client_rows() -> Iterator[str]:
    for row in fields(Client):
        default = "required" if row.default is MISSING else _default(shown(row.default))
        yield f"| `{row.name}` | {default} | {CLIENT_KEYS[row.name]} |"


def _default(value: str) -> str:
    return f"`{value}`" if value else "none"


def services_page(queries: Mapping[str, tuple[Query, ...]]) -> str:
    """What is supported, for people (requirement B15): hooks, data, card behaviour."""
    lines = [
        "# Services",
        "",
        MADE,
        "",
        f"CDS Hooks {SPECIFICATION_VERSION}, FHIR R4. For machines: `GET /cds-services`, [openapi.json](openapi.json).",
        "Every requirement of the protocol with its test: [conformance](../conformance.md).",
        "Templates to type in by hand: [prefetch](prefetch.md).",
        "How to connect a record system: [integration](../integration/index.md).",
        "",
        "| Id | Hook | Title |",
        "|---|---|---|",
        *(f"| `{one.id}` | {one.hook} | {one.title} |" for one in SERVICES),
        "",
        "What holds for the cards of all of them:",
        "",
        "- At most four, the gravest first; `critical` only where the sheets say so. Nothing to say is an empty list.",
        "- A summary below 140 characters; details in Markdown without HTML, tables or pictures.",
        "- `source.topic` on every card, the same for the same kind of card; a `uuid` on every card and suggestion.",
        "- Suggestions with one action each: a new draft (create), or, where a site wishes it, one of the drafts of",
        "  the request taken away (delete). `selectionBehavior` is always `any`. No system actions, no smart links.",
        "- `overrideReasons` from a short fixed list; feedback is taken at the address of the service and `/feedback`.",
    ]
    for service in SERVICES:
        lines += ["", f"## {service.id}", "", *_service(service, queries[service.id])]
    return "\n".join(lines) + "\n"


def _service(service: Service, queries: tuple[Query, ...]) -> Iterator[str]:
    yield from (service.description, "", service.needs, "")
    yield from ("| Prefetch key | Resource | Needed |", "|---|---|---|")
    for query in queries:
        resource = query.template.partition("?")[0].partition("/")[0]
        yield f"| `{query.key}` | {resource} | {'yes' if query.needed else 'welcome'} |"


def prefetch_page(queries: Mapping[str, tuple[Query, ...]]) -> str:
    """Every prefetch template in full, for record systems in which they are typed in by hand (requirement B8)."""
    lines = [
        "# Prefetch templates",
        "",
        MADE,
        "",
        "For a record system that does not read discovery. Type each template in under its key, letter for letter, on",
        "one line; the record system puts its ids in place of `{{context.patientId}}` and `{{context.encounterId}}`.",
        "",
        "- A key keeps its name and its meaning from release to release. The codes of `results` can grow: compare this",
        "  page after an update.",
        "- Where an overlay adds local codes, their codes belong to the template too: take it from",
        "  `GET /cds-services` of your own installation instead.",
        "- A key that is not sent is searched for, if the call names a FHIR server that the service may call. One that",
        "  is sent as `null` says that there is nothing. What cannot be had by either road is named on the cards.",
    ]
    shown: dict[tuple[str, str], str] = {}
    for service in SERVICES:
        lines += ["", f"## {service.id}", ""]
        for query in queries[service.id]:
            where = shown.get((query.key, query.template))
            if where is None:
                shown[query.key, query.template] = service.id
                lines += [f"`{query.key}`", "", "```text", query.template, "```", ""]
            else:
                lines += [f"`{query.key}`: as for `{where}`.", ""]
        lines.pop()
    return "\n".join(lines) + "\n"


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Write pages into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER, reference_pages())
    write(CLINICIANS, pages_for_clinicians())
