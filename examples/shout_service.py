"""The same in a process of your own: ``twistd -ny examples/shout_service.py``."""

import os

from twisted.application.service import Application
from twisted.internet import reactor

from examples.shout import Shout
from twisted_lab.serving import serve

application = Application("shout")
service = serve(Shout, reactor, port=os.environ.get("PORT", 9000), max_connections=100)
service.setServiceParent(application)
