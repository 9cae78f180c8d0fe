"""The tests; they mirror twisted_lab. Each runs under pytest and under twisted.trial alike."""

from hypothesis import settings

# A slow machine is not a bug: no example has a deadline.
settings.register_profile("socketlab", deadline=None)
settings.load_profile("socketlab")
