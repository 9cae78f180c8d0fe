"""Echo: declares an idle time-out, and has none."""

from base import echo, serve

serve(echo)
