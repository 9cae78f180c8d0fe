"""Programs that are watched: right ones, and wrong ones with a mistake each.

The line of the mistake ends with ``# MISTAKE``; the first line of each says what it does.
"""
