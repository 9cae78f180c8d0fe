"""``socketlab watch``: a running bench in a terminal.

How the parts stand (a line may import only from the lines below it)::

    command.py                            the command line
    plain.py  once.py  session.py         lines; the tables once; the live view and its threads
    board.py  terminal.py                 the model among threads; the terminal, left as it was
    screen.py  keyboard.py                the model as lines to show; what each key does to it
    overview.py  closeup.py               all of the bench; one conversation
    ladder.py  tables.py  model.py        what these are made of; what is shown, as values
    following.py  polling.py  opened.py   the event stream; the other answers; what is looked at
    http_reading.py  frames.py            one request; server-sent events taken apart
    values.py  amounts.py  glyphs.py      what the answers say; numbers as text; lines and arrows
    address.py  keys.py                   where the bench is; typed bytes as keys
"""
