"""Tools of the repository, run as ``python -m scripts.NAME``."""
