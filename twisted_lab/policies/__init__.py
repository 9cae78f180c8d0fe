"""The policies: one limit each, one small file each.

A policy implements only the hooks of :class:`twisted_lab.interfaces.Policy` it needs. Gates
(``admit``) see a connection before TLS; the others act inside the one layer.
"""
