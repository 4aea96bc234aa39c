"""The Flask surface. Parse, call the service, render; no ``if`` about consent here.

What a person sees is made in four steps, each of which knows nothing of the next:
``locale`` (which language), ``wording`` (whole sentences), ``questions``, ``answers``
and ``history`` (what a page says), ``templates/consentkit`` (how it is laid out).
``pages`` is the one place that view functions import all of it from.
"""
