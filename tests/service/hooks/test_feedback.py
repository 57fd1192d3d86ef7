"""Feedback over HTTP: what is taken, what is kept of it, and what never is (I1-I10, R17)."""

import json
import sqlite3
from datetime import UTC, datetime

import pytest

from cards.card import Reason
from service.errors import BadCall, Overloaded, StoreDown, StoreUnavailable
from service.hooks.feedback import MAX_BODY, MAX_ITEMS, reader
from service.hooks.request import MAX_DEPTH
from service.hooks.routes import RETRY_AFTER, RETRY_SOON
from service.settings import Profile, Settings
from service.store import FeedbackItem, MemoryStore, Outcome, open_store, schema
from tests.contract.cds_hooks import empty_members, faults
from tests.service.hooks.test_routes import has_the_usual_headers, is_a_refusal
from tests.service.stand_ins import a_card, advises, an_app, body

CALL = "/cds-services/muscle-patient-view"
FEEDBACK = CALL + "/feedback"
CANARY = "canary4711"
CARD = "1f2e3d4c-0000-4000-8000-000000000001"
RECEIVED = datetime(2026, 6, 15, 12, tzinfo=UTC)
REASONS = (Reason("known-baseline", "Known baseline for this patient"), Reason("patient-declined", "Patient declined"))


def an_item(**changed):
    item = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-06-15T10:00:00Z"} | changed
    return {name: member for name, member in item.items() if member is not None}


def a_report(*items, **changed):
    return json.dumps({"feedback": list(items or [an_item(**changed)])}).encode()


def read(*, comments=False, **changed):
    (item,) = reader(REASONS, comments=comments).read(a_report(**changed), RECEIVED)
    return item


def post(app, raw, path=FEEDBACK):
    return app.test_client().post(path, data=raw)


# --- the address --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["muscle-patient-view", "muscle-order-select", "muscle-order-sign"])
def test_every_service_takes_feedback(service):
    response = post(an_app(), a_report(), f"/cds-services/{service}/feedback")

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.get_json() == {"recorded": 1, "repeated": 0, "unmatched": 1, "timedAtReceipt": 0}
    has_the_usual_headers(response)


@pytest.mark.parametrize("path", [FEEDBACK + "/", "/cds-services//muscle-patient-view/feedback"])
def test_a_slash_too_many_does_no_harm(path):
    assert post(an_app(), a_report(), path).status_code == 200


def test_a_card_that_was_shown_is_matched_by_its_uuid():
    app = an_app(advises(a_card(), a_card(topic="thyroid")))
    cards = app.test_client().post(CALL, data=body()).get_json()["cards"]
    raw = a_report(*(an_item(card=card["uuid"].upper()) for card in cards))

    assert faults("feedback", json.loads(raw)) == []
    assert post(app, raw).get_json() == {"recorded": 2, "repeated": 0, "unmatched": 0, "timedAtReceipt": 0}


def test_the_same_report_twice_is_answered_twice_and_counted_once():
    app, raw = an_app(), a_report()

    assert post(app, raw).get_json()["recorded"] == 1
    again = post(app, raw)
    assert again.status_code == 200
    assert again.get_json() == {"recorded": 0, "repeated": 1, "unmatched": 0, "timedAtReceipt": 0}


def test_what_is_kept_of_a_card_is_the_rule_set_and_no_patient():
    store = MemoryStore()
    app = an_app(advises(a_card(rules=("P14", "S2"))), store=store)
    (card,) = app.test_client().post(CALL, data=body()).get_json()["cards"]

    (kept,) = store.cards.values()
    assert (kept.card, kept.topic, kept.rules) == (card["uuid"], "missing-tests", ("P14", "S2"))
    assert (kept.content_version, kept.content_hash) == ("1.2.3", "0123abcd")
    assert (kept.client, kept.hook) == ("anyone", "patient-view")
    assert kept.at.tzinfo is not None


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"{", b"[]", b"null", b"7", b"\xff", b"\xef\xbb\xbf{}", b'{"feedback": []}', b'{"feedback": {}}',
        b'{"feedback": null}', b'{"feedback": [1]}', b'{"feedback": [[]]}', b'{"Feedback": [{"card": "a"}]}',
        b'{"feedback": [{"card": "a", "outcome": "accepted"}], "feedback": [{"card": "b", "outcome": "accepted"}]}',
        json.dumps(an_item()).encode(), a_report(card=None), a_report(card=""), a_report(card=7), a_report(card=[CARD]),
        a_report(outcome=None), a_report(outcome=""), a_report(outcome=True), a_report(an_item(), an_item(card=None)),
        *(a_report(acceptedSuggestions="?").replace(b'"?"', one) for one in (b"NaN", b"-Infinity", b"1e999", b"9" * 5_000)),
        b'{"feedback": [{"card": "' + b"[" * 200 + b'", "outcome": ' + b"[" * 100 + b"]" * 100 + b"}]}",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_nothing_of_it_kept(raw):
    store = MemoryStore()
    response = post(an_app(store=store), raw)

    is_a_refusal(response, 400, "invalid")
    assert not store.feedback


def test_the_refusal_names_the_item_and_the_member():
    response = post(an_app(), a_report(an_item(), an_item(outcome=None)))

    assert response.get_json()["issue"][0]["diagnostics"] == "feedback[1].outcome is missing: send it as a text."


def test_a_hundred_items_are_taken_and_one_more_is_not():
    items = [an_item(outcomeTimestamp=f"2026-06-15T10:{n // 60:02}:{n % 60:02}Z") for n in range(MAX_ITEMS + 1)]

    assert post(an_app(), a_report(*items[:MAX_ITEMS])).get_json()["recorded"] == MAX_ITEMS
    is_a_refusal(post(an_app(), a_report(*items)), 400, "invalid")


@pytest.mark.parametrize("size", [MAX_BODY + 1, 1024 * 1024])
def test_more_than_64_kib_is_refused(size):
    raw = a_report(overrideReason={"userComment": "x" * (size - len(a_report(overrideReason={"userComment": ""})))})
    assert len(raw) == size

    response = post(an_app(), raw)
    is_a_refusal(response, 413, "too-long")
    assert "64 KiB" in response.text


def test_feedback_of_exactly_64_kib_is_taken():
    raw = a_report(overrideReason={"userComment": "x" * (MAX_BODY - len(a_report(overrideReason={"userComment": ""})))})

    assert post(an_app(), raw).status_code == 200


def test_an_encoded_body_is_refused():
    response = an_app().test_client().post(FEEDBACK, data=a_report(), headers={"Content-Encoding": "gzip"})

    is_a_refusal(response, 415, "not-supported")


class Other(MemoryStore):
    """Holds one card of another client."""

    def record(self, items, client):
        return super().record(items, f"not-{client}")


def test_a_card_of_another_client_is_refused_by_its_place():
    app = an_app(store=(store := Other()))
    (card,) = app.test_client().post(CALL, data=body()).get_json()["cards"]

    response = post(app, a_report(an_item(), an_item(card=card["uuid"])))
    is_a_refusal(response, 400, "invalid")
    assert "feedback[1].card" in response.text
    assert card["uuid"] not in response.text
    assert not store.feedback


class Down(MemoryStore):
    def record(self, *_):
        raise StoreUnavailable(CANARY)


def test_feedback_that_could_not_be_written_is_not_said_to_be():
    is_a_refusal(post(an_app(store=Down()), a_report()), 503, "transient")


# --- what is read -------------------------------------------------------------------------------------------------


def test_an_item_is_read():
    item = read(outcome="accepted", acceptedSuggestions=[{"id": CARD}, {"id": CARD}])

    assert item == FeedbackItem(
        card=CARD, outcome=Outcome.ACCEPTED, at=datetime(2026, 6, 15, 10, tzinfo=UTC), received=RECEIVED, suggestions=2
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("accepted", Outcome.ACCEPTED), ("Accepted", Outcome.ACCEPTED), ("overridden", Outcome.OVERRIDDEN),
        ("ignored", Outcome.OTHER), (CANARY, Outcome.OTHER),
    ],
)  # fmt: skip
def test_an_outcome_is_one_of_three_words(sent, kept):
    assert read(outcome=sent).outcome is kept


@pytest.mark.parametrize("sent", ["123456", "9434765919", CANARY, CARD + "0", CARD[:-1] + "g", f"{CARD}\n"])
def test_a_card_that_is_no_uuid_is_not_kept_as_sent(sent):
    assert read(card=sent).card == ""


@pytest.mark.parametrize(
    ("sent", "hour"),
    [
        ("2026-06-15T10:00:00Z", 10), ("2026-06-15T10:00:00.000+00:00", 10), ("2026-06-15T10:00:00", 10),
        ("2026-06-15T12:00:00+02:00", 10), ("2026-06-14T23:00:00-11:00", 10),
    ],
)  # fmt: skip
def test_a_time_is_brought_to_utc(sent, hour):
    item = read(outcomeTimestamp=sent)

    assert (item.at, item.at_receipt) == (datetime(2026, 6, 15, hour, tzinfo=UTC), False)


@pytest.mark.parametrize("sent", [None, "", "yesterday", 7, True, [], {}, "0001-01-01T00:00:00+14:00", "2026-13-01"])
def test_without_a_usable_time_that_of_receipt_counts_and_is_said(sent):
    item = read(outcomeTimestamp=sent)

    assert (item.at, item.at_receipt) == (RECEIVED, True)
    assert post(an_app(), a_report(outcomeTimestamp=sent)).get_json()["timedAtReceipt"] == 1


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ({"reason": {"code": "known-baseline", "system": "https://muscle-cds.example/fhir/x"}}, "known-baseline"),
        ({"reason": {"code": "known-baseline"}}, "known-baseline"),
        ({"reason": {"code": "knownbaseline"}}, "known-baseline"),
        ({"reason": {"code": "12", "display": "Patient declined"}}, "patient-declined"),
        ({"reason": "patient-declined"}, "patient-declined"),
        ({"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "Patient declined"}}, "patient-declined"),
        ({"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonDisplay": CANARY}}, "unlisted"),
        ({"reason": {"code": CANARY, "system": CANARY, "display": CANARY}}, "unlisted"),
        ({"reason": {"code": "???"}}, "unlisted"),
        ({"reason": {}}, ""), ({"reason": None}, ""), ({"reason": 5}, ""), ({"userComment": CANARY}, ""), ({}, ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("spelling", ["overrideReason", "overrideReasons"])
@pytest.mark.parametrize("as_list", [False, True])
def test_a_reason_is_kept_by_a_code_of_ours(override, code, spelling, as_list):
    assert read(**{spelling: [override] if as_list else override}).reason == code


@pytest.mark.parametrize("odd", [None, 5, "x", [], [5], [[]], {"reason": []}])
def test_an_odd_reason_is_no_error(odd):
    assert read(overrideReason=odd).reason == ""


def test_a_comment_is_kept_only_where_the_site_switched_that_on():
    sent = {"overrideReasons": {"userComment": "Seen by me"}}

    assert read(**sent).comment == ""
    assert read(**sent, comments=True).comment == "Seen by me"


@pytest.mark.parametrize("comment", ["a\0b", "\ud83d", "x" * 10_000, "'; DROP TABLE feedback; --"])
def test_any_comment_can_be_written(tmp_path, comment):
    url = f"sqlite:///{tmp_path}/state.sqlite"
    schema.upgrade(url)
    store = open_store(url)
    app = an_app(store=store, settings=Settings(profile=Profile.DEMO, store_feedback_comments=True))

    assert post(app, a_report(overrideReason={"userComment": comment})).status_code == 200
    store.close()
    with sqlite3.connect(tmp_path / "state.sqlite") as rows:
        ((kept,),) = rows.execute("SELECT comment FROM feedback").fetchall()
    assert 0 < len(kept) <= 2000


def test_of_a_comment_what_no_database_takes_is_left_out():
    assert read(comments=True, overrideReason={"userComment": "a\0b"}).comment == "ab"


@pytest.mark.parametrize(("levels", "taken"), [(MAX_DEPTH - 3, True), (MAX_DEPTH - 2, False)])
def test_feedback_nested_deeper_than_a_call_may_be_is_refused(levels, taken):
    nested = json.loads("[" * levels + "]" * levels)  # inside the item, the list of items and the body
    response = post(an_app(), a_report(extension=nested))

    assert (response.status_code == 200) is taken
    if not taken:
        is_a_refusal(response, 400, "invalid")
        assert "nested deeper" in response.text


@pytest.mark.parametrize(
    ("error", "seconds"), [(Overloaded("Try again."), RETRY_SOON), (StoreDown("Try again."), RETRY_AFTER)]
)
def test_what_cannot_be_taken_for_now_says_when_to_try_again(error, seconds):
    def refuse(_call):
        raise error

    assert RETRY_SOON != RETRY_AFTER
    assert an_app(refuse).test_client().post(CALL, data=body()).headers["Retry-After"] == seconds


def test_the_reader_refuses_more_than_64_kib_also_by_itself():
    with pytest.raises(Exception, match="64 KiB"):
        reader(REASONS).read(b" " * (MAX_BODY + 1), RECEIVED)
    with pytest.raises(BadCall):
        reader(REASONS).read(b"", RECEIVED)


# --- what is never kept -------------------------------------------------------------------------------------------


def planted(value):
    """The same report with the canary in every text, name and key but those that decide what it is."""
    if isinstance(value, dict):
        return {name: planted(member) for name, member in value.items()} | {CANARY: CANARY, f"x-{CANARY}": [CANARY]}
    if isinstance(value, list):
        return [planted(one) for one in value]
    return f"{value}{CANARY}" if isinstance(value, str) else value


REPORT = {
    "feedback": [
        an_item(outcome="accepted", acceptedSuggestions=[{"id": CARD}]),
        an_item(
            overrideReason={"reason": {"code": "known-baseline", "system": "s", "display": "d"}, "userComment": "c"}
        ),
        an_item(
            overrideReasons=[{"extension": {"e": "x"}, "userComment": "c"}], extension={"deep": {"userComment": "c"}}
        ),
    ],
    "extension": {"userComment": "c"},
}


def test_nothing_a_report_holds_reaches_the_store_or_the_log(tmp_path):
    url, lines = f"sqlite:///{tmp_path}/state.sqlite", []
    schema.upgrade(url)
    store = open_store(url)
    client = an_app(advises(a_card()), lines=lines, store=store).test_client()
    sent = body(context={"patientId": CANARY, "userId": f"Practitioner/{CANARY}"}, prefetch={"patient": {"resourceType": "Patient", "id": CANARY}})  # fmt: skip

    assert client.post(CALL, data=sent, headers={"X-Canary": CANARY}).status_code == 200
    for report in (REPORT, planted(REPORT)):
        response = client.post(f"{FEEDBACK}?{CANARY}=1", data=json.dumps(report), headers={"X-Canary": CANARY})
        assert response.status_code == 200
        assert CANARY not in response.text
    store.close()

    files = sorted(tmp_path.iterdir())
    assert files
    assert not any(CANARY.encode() in file.read_bytes() for file in files)
    with sqlite3.connect(tmp_path / "state.sqlite") as rows:
        assert rows.execute("SELECT count(*) FROM card_shown").fetchone() == (1,)
        assert rows.execute("SELECT count(*) FROM feedback").fetchone() == (3,)
    assert CANARY not in "".join(lines)
    assert [json.loads(line)["status"] for line in lines] == [200, 200, 200]


def test_the_log_tells_of_feedback_in_numbers():
    lines = []
    post(an_app(lines=lines), a_report())

    assert json.loads(lines[0])["feedback"] == {"recorded": 1, "repeated": 0, "unmatched": 1, "timedAtReceipt": 0}
    assert empty_members(json.loads(lines[0])) == []
