"""Where it lives. The only room that speaks SQL.

========================  ====================================================
``schema``                the tables, on our own MetaData, all ``consent_*``
``migrations``            Alembic scripts with a version table of their own
``database``              an engine that keeps what it promised: journal, locks
``ledger``                one write transaction: leaf, state and evidence together
``subjects``              the person's row: random handle, key, place in the chain
``reader``                the hot read behind every check
``history``               what the person, the centre and the publisher read
``publications``          numbering, tiles and checkpoints
``witnesses``             cosignatures, and how each witness stands
========================  ====================================================

SQLAlchemy Core only. Nothing here decides anything about consent, and no SQLAlchemy
exception leaves the room.
"""
