"""How streams and datagrams reach us: the endpoint grammar, certificates and TLS."""
