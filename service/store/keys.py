"""Keys of rows that must exist once. Digests, so that nothing a client sent is kept and every key has one length."""

from hashlib import sha256

from service.store.contract import FeedbackItem


def token_key(issuer: str, jti: str) -> str:
    """The key of a token: its issuer and its nonce (R3)."""
    return _digest(issuer, jti)


def feedback_key(item: FeedbackItem, client: str) -> str:
    """The key of a report: one counted outcome for each client, card, outcome and time (I6).

    A report without a time of its own is the same report when it is sent again.
    """
    return _digest(client, item.card, item.outcome.value, "" if item.at_receipt else item.at.isoformat())


def _digest(*parts: str) -> str:
    """Lengths go in too, so that no two different lists of parts are the same text."""
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()
