"""The app that ``serving`` puts behind gunicorn: one view, three ways to reach it."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from flask import Flask

from consentkit import ConsentKit
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import SPENDING
from tests.declared import registry

__all__ = ["ANSWER", "FOLDER", "PEOPLE", "create_app"]

FOLDER = "CONSENTKIT_BENCH_FOLDER"
"""The variable that names the folder of an app whose people have answered."""

PEOPLE = "people.json"
"""In it, those of them who agreed."""

ANSWER = {"score": 700}


def create_app() -> Flask:
    """Every request comes from one of the people, at random."""
    folder = os.environ[FOLDER]
    people = json.loads((Path(folder) / PEOPLE).read_text())
    app = Flask("bench", instance_path=folder)
    app.secret_key = "of a benchmark"  # noqa: S105  nobody signs in
    app.config["CONSENTKIT_PUBLISH"] = "command"
    app.config.from_prefixed_env()
    consent = ConsentKit(registry())
    consent.init_app(app)
    consent.subject_loader(lambda: random.choice(people))  # noqa: S311  no secret

    @app.get("/plain")
    def plain() -> dict[str, int]:
        return ANSWER

    @app.get("/checked")
    def checked() -> dict[str, int]:
        person = random.choice(people)  # noqa: S311  no secret
        yes = consent.check(person, SCORE, recipient=CREDIT, data={SPENDING})
        return ANSWER if yes else {}

    @app.get("/gated")
    @consent.require(SCORE, recipient=CREDIT, data={SPENDING})
    def gated() -> dict[str, int]:
        return ANSWER

    return app
