"""Plays the sandbox of HealthChain against a service, in HealthChain's own environment; not part of ours.

    python play_healthchain.py SERVICES < REQUESTS

``SERVICES`` is the address of ``/cds-services``; ``REQUESTS`` a JSON list of ``{name, id, request}``. For each the
sandbox client makes the call from hook, context and prefetch, as it does for its users. What it sends of a context is
``userId`` and ``patientId`` only, so the request it built is sent once more with the whole context, and its response
model judges that answer. Prints ``{"discovery": [...], "answers": {name: {...}}}``; of an answer: the members of the
context that the client sent, what it handed back, and of the whole request status, body and what the model found wrong.
"""

import json
import sys

import httpx
from healthchain.models import CDSResponse
from healthchain.models.responses import CDSServiceInformation
from healthchain.sandbox import SandboxClient
from healthchain.sandbox.requestconstructors import CdsRequestConstructor
from pydantic import ValidationError

services = sys.argv[1]


def faults(model, body):
    """What a model has against a body: for each fault the place, without the numbers of lists, and the kind."""
    try:
        model(**body)
    except ValidationError as error:
        return sorted(
            {
                f"{'.'.join(part for part in one['loc'] if isinstance(part, str))}: {one['type']}"
                for one in error.errors()
            }
        )
    return []


def play(service_id, request):
    """One call by the sandbox client, and the judgement of its response model on the answer to a whole request."""
    client = SandboxClient(url=f"{services}/{service_id}", workflow=request["hook"])
    made = CdsRequestConstructor().construct_request(
        request["prefetch"], workflow=client.workflow, context=request["context"] | {"encounterId": None}
    )
    client.requests.append(made)
    (handed_back,) = client.send_requests()
    whole = made.model_dump(exclude_none=True, mode="json")
    sent = sorted(whole["context"])
    whole["context"] = made.context.model_dump(exclude_none=True, mode="json")
    answer = httpx.post(str(client.url), json=whole, timeout=10)
    return {
        "sent": sent,
        "handed_back": handed_back,
        "status": answer.status_code,
        "body": answer.json(),
        "faults": faults(CDSResponse, answer.json()),
    }


discovery = httpx.get(services, timeout=10).json()
answers = {one["name"]: play(one["id"], one["request"]) for one in json.load(sys.stdin)}
json.dump({"discovery": faults(CDSServiceInformation, discovery), "answers": answers}, sys.stdout)
