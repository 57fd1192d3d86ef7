"""Seen tokens, cards shown, feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the three tables."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "seen_token",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("expires", instant, nullable=False, index=True),
    )
    op.create_table(
        "card_shown",
        sa.Column("card", sa.String(36), primary_key=True),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("content_version", sa.String(100), nullable=False),
        sa.Column("content_hash", sa.String(100), nullable=False),
        sa.Column("client", sa.String(200), nullable=False),
        sa.Column("hook", sa.String(100), nullable=False),
        sa.Column("at", instant, nullable=False, index=True),
    )
    op.create_table(
        "feedback",
        sa.Column("report", sa.String(64), primary_key=True),
        sa.Column("card", sa.String(36), nullable=False, index=True),
        sa.Column("client", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("suggestions", sa.Integer, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("at_receipt", sa.Boolean, nullable=False),
        sa.Column("received", instant, nullable=False, index=True),
        sa.Column("comment", sa.Text, nullable=False),
    )
