"""A witness that anybody can host: a second memory for somebody else's log.

A regulator, an association or a partner runs it, on a machine that the log's operator
does not own. It keeps, for each log it was told of, the newest tree that it cosigned,
and cosigns only what continues it. So whoever holds all keys of the log can still not
rewrite it unseen.

``cosigning``    the duty: judge, remember, and only then answer
``memory``       the newest tree of each log, in a SQLite file of its own
``identity``     the witness's name and key, made at the first start
``server``       the HTTP interface (C2SP tlog-witness v1.0.0)
``command``      ``consentkit witness serve``

Log, cryptography and the standard library: no Flask, no SQLAlchemy, nothing of the
app whose log it is. A witness sees sizes and hashes, never a record.
"""
