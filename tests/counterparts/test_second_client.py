"""A client nobody here wrote: HealthChain 0.16.1, whose sandbox client calls and whose response model judges.

Its model of a response demands two members that CDS Hooks has as optional (``isRecommended`` of a suggestion, and of a
link ``autoLaunchable``, which CDS Hooks spells in small letters). They are not sent: the service has nothing to say by
them. That the model wants these two and nothing else is stated here; its client hands such an answer on as it came.
"""

import json
import subprocess
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.demo import patients
from service.hooks.services import SERVICES
from tests.contract.cds_hooks import faults
from tests.counterparts.environments import program
from tests.counterparts.tally import count_of
from tests.repository import ROOT
from tests.service.test_server import server

IDS = {one.hook: one.id for one in SERVICES}
DEMANDED_THOUGH_OPTIONAL = {"cards.suggestions.isRecommended: missing", "cards.links.autoLaunchable: missing"}


def today():
    """The day of the service."""
    return datetime.now(ZoneInfo("Europe/London")).date()


def requests_made():
    """Every synthetic patient with every hook: a patient who orders nothing gets the quinine of the one who does."""
    order = patients()["order-quinine-with-digoxin"].on(today())["context"]
    for name, patient in patients().items():
        request = patient.on(today())
        context = json.loads(
            json.dumps({**order, **request["context"]}).replace(order["patientId"], request["context"]["patientId"])
        )
        for hook, members in (
            ("patient-view", ("userId", "patientId")),
            ("order-select", ("userId", "patientId", "selections", "draftOrders")),
            ("order-sign", ("userId", "patientId", "draftOrders")),
        ):
            made = {"hook": hook, "context": {member: context[member] for member in members}}
            yield {"name": f"{name}, {hook}", "id": IDS[hook], "request": made | {"prefetch": request["prefetch"]}}


CALLS = {one["name"]: one for one in requests_made()}


@pytest.fixture(scope="module")
def played():
    """What HealthChain made of discovery and of every answer of the real server command."""
    interpreter = program("healthchain", "python")
    with server("serve", MUSCLE_CDS_PROFILE="demo", MUSCLE_CDS_LOG_LEVEL="error") as service:
        done = subprocess.run(
            [interpreter, ROOT / "tests" / "counterparts" / "play_healthchain.py", f"http://127.0.0.1:{service.port}/cds-services"],
            input=json.dumps(list(CALLS.values())), capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_its_model_of_discovery_has_nothing_against_ours(played):
    assert played["discovery"] == []


@pytest.mark.parametrize("name", CALLS)
def test_its_model_takes_the_answer_for_every_patient_and_hook(played, request, name):
    answer = played["answers"][name]

    assert answer["status"] == 200
    assert faults("response", answer["body"]) == []
    assert set(answer["faults"]) <= DEMANDED_THOUGH_OPTIONAL
    count = count_of(request.config, "HealthChain")
    count["answers judged"] += 1
    count["with cards"] += bool(answer["body"]["cards"])
    count["with nothing at all against them"] += not answer["faults"]


@pytest.mark.parametrize("name", [name for name, one in CALLS.items() if one["id"] == IDS["patient-view"]])
def test_its_client_calls_patient_view_and_hands_the_cards_to_its_user(played, name):
    answer = played["answers"][name]

    assert answer["sent"] == ["patientId", "userId"]
    assert summaries(answer["handed_back"]) == summaries(answer["body"])


@pytest.mark.parametrize("name", [name for name, one in CALLS.items() if one["id"] != IDS["patient-view"]])
def test_its_client_leaves_the_orders_out_of_an_order_hook_and_is_refused(played, name):
    """Of a context it sends what all hooks have in common; without ``draftOrders`` there is nothing to judge: 400."""
    answer = played["answers"][name]

    assert answer["sent"] == ["patientId", "userId"]
    assert answer["handed_back"] == {}


def summaries(answer):
    return [card["summary"] for card in answer["cards"]]


def test_its_model_has_nothing_against_an_answer_with_the_two_members_it_demands(played):
    """So nothing hides behind the two: with them the same answers pass."""
    interpreter = program("healthchain", "python")
    bodies = [answer["body"] for answer in played["answers"].values()]
    for body in bodies:
        for card in body["cards"]:
            for suggestion in card.get("suggestions", ()):
                suggestion["isRecommended"] = None
            for link in card.get("links", ()):
                link["autoLaunchable"] = None
    judge = "import json, sys; from healthchain.models import CDSResponse; print(len([CDSResponse(**one) for one in json.load(sys.stdin)]))"  # fmt: skip
    done = subprocess.run([interpreter, "-c", judge], input=json.dumps(bodies), capture_output=True, text=True, timeout=60, check=False)  # fmt: skip

    assert (done.returncode, done.stdout.strip()) == (0, str(len(CALLS))), done.stderr


def test_cards_come_for_the_patients_who_should_have_some(played):
    day = (today() - timedelta(days=12)).isoformat()

    shown = summaries(played["answers"]["low-potassium-on-indapamide, patient-view"]["handed_back"])
    assert shown[0].startswith(f"Potassium 3.1 mmol/L ({day}) outside range")
    ordered = played["answers"]["order-quinine-with-digoxin, order-sign"]["body"]["cards"]
    assert "quinine" in {card["source"]["topic"]["code"] for card in ordered}
