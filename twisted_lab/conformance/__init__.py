"""The checker: what is wrong with a server, told case by case. It shares no code with our server.

A case talks to the server in plain socket calls (``wire.py``, ``talk.py``), with what a
``probe.py`` gives it, and comes to a finding (``verdicts.py``); ``exam.py`` runs the cases.
"""
