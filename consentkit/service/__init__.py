"""What the app asks for. Orchestrates core, log and store; owns the transactions.

========================  ====================================================
``installation``          what one app's consentkit is made of
``keyring``               its keys: collector, log, and the secret for the rest
``starting``              from configuration values to a running installation
``beginning``             the first leaves of a log, also of one that follows another
``closing``               the end of a log
``recording``             a signed leaf of one person, in their chain
``asking``                a notice, logged before anybody sees it
``reasking``              when somebody who said no may be asked again
``comparing``             what has changed since their last answer
``honouring``             a browser's opt-out signal, for the account behind it
``choosing``              a form that was sent: one act, once
``ages``                  how old somebody is, as far as the app knows
``representing``          somebody acts for somebody else, or may not
``maturity``              whose yes it takes: the person's, a guardian's, or both
``joining``               one yes of the two of a joint consent
``checking``              may this be shared? one read, no write
``checking_many``         the same of many, for one visit to the database
``selecting``             the same as a condition of the app's own SQL
``sharing``               the same, written down before anything leaves
``batching``              the same with many people, in one line
``staleness``             checks that accept the answer of a replica
``legal_release``         what leaves on a legal duty, without consent
``release``               what a yes hands over, and nothing beyond it
``guarding``              outgoing HTTP that cannot go past the gate
``sending``               what is leaving right now, and who has to wait for it
``watching``              calls past the gate, found while an app is tested
``revoking``              ending what was agreed
``narrowing``             what a new yes took back of the one before
``outbox``, ``telling``   recipients hear of it
``erasing``               forgetting a person, and the bytes that held them
``holding``               evidence of an erased person that is kept for claims
``retention``             how long evidence counts, and how long it is kept
``purging``               what is older than that goes, and leaves a tombstone
``receipts``              the copy that the person keeps
``importing``             what others claim was agreed, as a claim
``exporting``             the auditor's folder; ``personal`` the person's own file
``rebuilding``            is the state what the leaves say?
``evidence``              is the private evidence what the leaves commit to?
``publishing``            numbering, signing and writing the log's files
``witnessing``            showing the log to its witnesses, keeping what they say
``cosigners``             how a witness is reached
``stamping``              having it time-stamped, keeping the stamps
``authorities``           how a time-stamping authority is reached
``posting``               requests to either; ``looked_up`` those to recipients
``observing``             what happened, for whoever listens
``health``                can this process do its work?
``examining``             is the whole installation as it should be?
``background``            what goes on beside requests, in one process at a time
========================  ====================================================

No HTTP is served here: nothing imports Flask or Werkzeug. No SQL either: that is
``store``.
"""
