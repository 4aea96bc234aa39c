"""What the app asks for. Orchestrates core, log and store; owns the transactions.

========================  ====================================================
``installation``          what one app's consentkit is made of
``keyring``               its keys: collector, log, and the secret for the rest
``starting``              from configuration values to a running installation
``recording``             a signed leaf of one person, in their chain
``asking``                a notice, logged before anybody sees it
``choosing``              a form that was sent: one act, once
``checking``              may this be shared? one read, no write
``sharing``               the same, written down before anything leaves
``release``               what a yes hands over, and nothing beyond it
``revoking``              ending what was agreed
``receipts``              the copy that the person keeps
``rebuilding``            is the state what the leaves say?
``publishing``            numbering, signing and writing the log's files
``witnessing``            showing the log to its witnesses, keeping what they say
``cosigners``             how a witness is reached
``background``            what goes on beside requests, in one process at a time
========================  ====================================================

No HTTP is served here: nothing imports Flask or Werkzeug. No SQL either: that is
``store``.
"""
