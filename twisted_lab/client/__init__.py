"""``socketlab connect``: a client for people, that shows its own events beside the text."""
