"""``socketlab watch``: a running bench in a terminal.

How the parts stand (a line may import only from the lines below it)::

    command.py                         the command line
    plain.py  once.py  session.py      lines; the tables once; the live view and its threads
    board.py  terminal.py              the model among threads; the terminal, as it was at the end
    screen.py  keyboard.py             the model as lines to show; what each key does to it
    ladder.py  tables.py  model.py     what the screen is made of; what is shown, as values
    following.py  polling.py           the event stream; the other answers
    http_reading.py  frames.py         one request; server-sent events taken apart
    values.py  amounts.py  glyphs.py   what the answers say; numbers as text; lines and arrows
    address.py  keys.py                where the bench is; typed bytes as keys
"""
