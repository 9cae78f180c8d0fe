"""Servers in other languages that have none of the bugs: the checker may accuse none of them."""
