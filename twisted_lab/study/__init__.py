"""The study: each concept of socket programming run for real, drawn, and checked.

``experiments/`` has a file for each; ``stage.py`` runs their programs, every call recorded;
``report.py``, ``notebook.py`` and ``telling.py`` say what came of it.
"""
