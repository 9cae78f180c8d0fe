"""TLS: takes versions that are broken."""

import ssl
import sys

from base import echo, serve

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
context.set_ciphers("ALL:@SECLEVEL=0")
context.options &= ~ssl.OP_NO_TLSv1 & ~ssl.OP_NO_TLSv1_1
context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED


def talk(client):
    with context.wrap_socket(client, server_side=True) as client:
        echo(client)
        client.unwrap()


serve(talk)
