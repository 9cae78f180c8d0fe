"""The one drawing: a conversation as a sequence diagram, in SVG.

:func:`draw` is all there is to call. ``layout.py`` decides where each event stands, ``marks.py``
what it looks like, ``svg.py`` writes it down.
"""

from twisted_lab.diagram.drawing import draw

__all__ = ["draw"]
