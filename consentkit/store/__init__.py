"""Where it lives. The only room that speaks SQL.

========================  ====================================================
``schema``                the tables, on our own MetaData, all ``consent_*``
``migrations``            Alembic scripts with a version table of their own
``database``              an engine that keeps what it promised: journal, locks
``roles``, ``rights``     who may do what with the tables, and what this role may
``inspecting``            what a database says about itself
``autogenerate``          what a host's own Alembic is told of our tables
``connections``           how many there may be, and how long is waited for them
``postgres``, ``sqlite``  each kind of database; ``engine`` says what differs
``heartbeat``             when this database was last known to be the primary
``logs``, ``closures``    which logs there are, how each begins and ends
``ledger``                one write transaction: leaf, state and evidence together
``erasing``               what is taken out again, and the bytes that held it
``subjects``              the person's row: random handle, key, place in the chain
``representing``          delegations, and when children come of age
``reader``                the hot read behind every check
``standings``             the same for many keys in one statement
``clause``                the gate's rule, as a condition of the app's SQL
``addresses``             where a database is, and whether two are the same
``history``               what the person, the centre and the publisher read
``publications``          numbering, tiles and checkpoints
``witnesses``             cosignatures, and how each witness stands
``timestamps``            what time-stamping authorities answered
========================  ====================================================

SQLAlchemy Core only. Nothing here decides anything about consent, and no SQLAlchemy
exception leaves the room.
"""
