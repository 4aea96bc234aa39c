"""Evidence: bytes in, bytes out. No network, no files, no database, no clock.

What stands here is the smallest set of public formats that lets somebody who trusts
none of our servers check what was recorded:

``note``         signed notes, the one signature format (C2SP signed-note)
``keys``         names, ids and Ed25519 keys that notes are signed and opened with
``leaf``         one act as a signed note; ``leaf_grammar`` says what may stand in it,
                 ``leaf_spelling`` reads the usual ones faster
``checkpoint``   size and root hash of a log, signed (C2SP tlog-checkpoint)
``cosignature``  a witness's dated signature on a checkpoint (C2SP tlog-cosignature)
``witness``      how a log asks for one, and when it gets it (C2SP tlog-witness)
``policy``       whose cosignatures are enough (C2SP tlog-policy)
``merkle``       hashes, inclusion and consistency proofs (RFC 6962, RFC 9162)
``tiles``        the tree and the leaves cut into cacheable files (C2SP tlog-tiles)
``proof``        leaf, inclusion proof and checkpoint in one file (C2SP tlog-proof)
``publisher``    which files the next publication consists of
``disclosing``   salted disclosures, the facts behind a leaf (RFC 9901)
``sealing``      encryption of those that are private
``encoding``     decimal and base64, in the one spelling that we accept

Every reader accepts only what the writer beside it would have written, and every
verification returns what it verified or raises a ``VerificationError``. Which keys
to trust, and what a record means, is decided in the rooms above.
"""
