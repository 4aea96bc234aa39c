"""What consent means. Standard library only, no I/O, no clock of its own.

========================  ====================================================
``vocabulary``            who and what can be declared
``registry``              all that one app declared, and whether it is complete
``declaration``           the same, read from ``consent.toml``
``notice``                what was shown, and its digest
``act``                   what a person did, and the closed lists it draws on
``purpose``               what data is asked for, and what the person is told
``legal_purpose``         what the law asks for, on which ``legal_basis``
``declared``              what all declared values have in common
``status``                what several acts amount to at one moment
``pairing``               two answers that count only together
``decision``              the only place that says yes
``record``                an act as an ISO/IEC TS 27560 consent record
``text``                  texts for people, and the forms of ids and codes
``completeness``          which mandatory elements of a notice are missing
``period``                a length of time by the calendar
``age``                   from when on people agree alone; what is forbidden before
``representative``        who acts for somebody, on what authority
``profile``               how long records are kept, and nobody is asked again
``change``                what an answer rested on, and what is asked now
``gpc``                   what a browser's opt-out signal says
``canonical``             one spelling for every value that is hashed or signed
========================  ====================================================

Nothing here may know Flask, SQL, keys or files. ``declaration`` alone opens the file
that it is asked to read (``docs/adr/0006``).
"""
