"""Events as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from poise.classification.account import Account

SCHEMA_VERSION = 1
COLUMNS = ("source", "person", "label", "kind", "start", "end", "confidence")

Failure = tuple[str, str]  # a source, and why it could not be read


def to_document(account: Account) -> dict[str, Any]:
    """Return what happened in one source, ready for JSON."""
    return {"schema_version": SCHEMA_VERSION, **_entry(account)}


def to_collection(accounts: Sequence[Account], failed: Sequence[Failure] = ()) -> dict[str, Any]:
    """Return what happened in several sources, ready for JSON.

    Args:
        accounts: One for each source that could be read.
        failed: The others, and why.
    """
    document: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
    document["sources"] = [_entry(account) for account in accounts]
    document["failed"] = [{"source": source, "error": error} for source, error in failed]
    return document


def to_json(document: dict[str, Any]) -> str:
    """Return a document as text."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def to_csv(accounts: Sequence[Account]) -> str:
    """Return one line an event; the columns are ``COLUMNS``."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for account in accounts:
        table.writerows({"source": account.source, **event.to_dict()} for event in account.events)
    return text.getvalue()


def _entry(account: Account) -> dict[str, Any]:
    return {"source": account.source, "events": [event.to_dict() for event in account.events]}
