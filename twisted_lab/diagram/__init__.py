"""The one drawing: a conversation as a sequence diagram, in SVG.

:func:`draw` draws what one end saw, :func:`draw_both` what both did, and :func:`draw_lanes` several
runs to one scale. ``layout.py`` decides where each event stands, ``marks.py`` what it looks like,
``joining.py`` which of them belong together, and ``svg.py`` writes it down.
"""

from twisted_lab.diagram.both import End, draw_both
from twisted_lab.diagram.drawing import draw
from twisted_lab.diagram.lanes import Group, Lane, Mark, Span, draw_lanes

__all__ = ["End", "Group", "Lane", "Mark", "Span", "draw", "draw_both", "draw_lanes"]
