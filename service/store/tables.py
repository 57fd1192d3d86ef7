"""The three tables (R17). None of them has a column for a patient, a user, an encounter or a text of a record."""

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, String, Table, Text

METADATA = MetaData()
_INSTANT = DateTime(timezone=True)  # SQLite keeps no zone: there it is text, in UTC

SEEN_TOKENS = Table(
    "seen_token",
    METADATA,
    Column("token", String(64), primary_key=True),  # digest of issuer and nonce
    Column("expires", _INSTANT, nullable=False, index=True),
)

CARDS_SHOWN = Table(
    "card_shown",
    METADATA,
    Column("card", String(36), primary_key=True),
    Column("topic", String(100), nullable=False),
    Column("rules", Text, nullable=False),  # specification rows, separated by blanks
    Column("content_version", String(100), nullable=False),
    Column("content_hash", String(100), nullable=False),
    Column("client", String(200), nullable=False),
    Column("hook", String(100), nullable=False),
    Column("at", _INSTANT, nullable=False, index=True),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("report", String(64), primary_key=True),  # digest of client, card, outcome and time as sent
    Column("card", String(36), nullable=False, index=True),  # "" if what was sent is no uuid
    Column("client", String(200), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(100), nullable=False),  # a code of our list, "unlisted", or ""
    Column("suggestions", Integer, nullable=False),  # how many were accepted
    Column("at", _INSTANT, nullable=False),
    Column("at_receipt", Boolean, nullable=False),
    Column("received", _INSTANT, nullable=False, index=True),
    Column("comment", Text, nullable=False),  # "" unless the site stores comments
)
