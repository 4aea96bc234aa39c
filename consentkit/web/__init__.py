"""The Flask surface: parse, call the service, render. No rule about consent is here.

========================  ====================================================
``extension``             ``ConsentKit``, what a developer holds
``config``, ``state``     the checked configuration; what is kept per app
``gpc``                   the browser's opt-out signal: read, kept, told
``gate``                  ``check``, ``share`` and ``require`` as views call them
``widgets``               the question in a template, as a notice in a form
``tokens``, ``origin``    who made this form, and which site sent it
``schemas``               what clients send, read once
``centre``, ``cards``     the person's pages and their cards
``receipts``              the receipt, to read and as files
``disclosures``           who received what
``erasure_routes``        the page that erases one's records, and what it says
``api``, ``problems``     JSON, and refusals as RFC 9457 documents
``log_views``             the published log, for auditors
``commands``              ``flask consent …``
``frame``, ``locale``     letterhead, headers, language
``pages`` and the rest    what templates are given, worded and escaped
========================  ====================================================
"""
