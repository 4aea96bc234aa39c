"""The Flask surface: parse, call the service, render. No rule about consent is here.

========================  ====================================================
``extension``             ``ConsentKit``, what a developer holds
``config``, ``state``     the checked configuration; what is kept per app
``gpc``                   the browser's opt-out signal: read, kept, told
``gate``                  ``check``, ``share`` and ``require`` as views call them
``bulk``, ``batches``     the same for many people at once
``releasing``             what leaves on a legal duty, without consent
``errands``               what somebody wanted whom a gate sent to a question
``app_database``          whether the consents are in the app's own database
``widgets``               the question in a template, as a notice in a form
``visit``, ``results``    what stands, what is asked, and what came of it
``tokens``, ``origin``    who made this form, and which site sent it
``schemas``               what clients send, read once; ``api_schemas`` the answers
``centre``, ``cards``     the person's pages and their cards
``acting``, ``others``    who acts for somebody: what they see, what it says
``delegations``           whom a person lets answer for them
``receipts``              the receipt, to read and as files
``disclosures``           who received what
``erasure_routes``        the page that erases one's records, and what it says
``api``, ``problems``     JSON, and refusals as RFC 9457 documents
``service_tokens``        which other service may ask whether it may
``openapi``               the same, described
``overriding``            templates of the host's in place of ours, judged
``sending``               the same once more, as the page goes out
``rehearsal``             pages as this app would show them, for who judges them
``form_contract``         what such a page has to carry to be answered
``log_views``             the published log, for auditors
``signals``, ``metering`` what the gate did, for whoever watches it
``health``                alive and ready, for a load balancer
``log_lines``             what happened, as lines with fields
``greenlets``             the servers on which nothing of this runs
``commands``              ``flask consent …``; ``following`` those that go on
``frame``, ``locale``     letterhead, headers, language
``pages`` and the rest    what templates are given, worded and escaped
========================  ====================================================
"""
