"""A client in C: complete, with the line that compiles it; the sockets API as it is."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.protocols import Dialogue
from twisted_lab.trying.quoting import for_c
from twisted_lab.trying.target import PROXY_HEADER, Target

#: What is said on a stream; the others only listen.
_REQUESTS = {
    Dialogue.ECHO: b"hello\r\n",
    Dialogue.OWN: b"hello\r\n",
    Dialogue.LINES: b"hello\r\n/who\r\n",
    Dialogue.SILENT: b"hello\r\n",
}


def program(target: Target) -> str | None:
    """The text for *target*; None for TLS, which the sockets API does not have."""
    if target.secure:
        return None
    parts = [*_head(target), "int main(void)", "{"]
    parts += [f"    {line}" if line else "" for line in _body(target)]
    return "\n".join([*parts, "}"]) + "\n"


def _head(target: Target) -> Iterator[str]:
    yield "/* cc try.c -o try && ./try */"
    headers = {"err.h", "stdio.h", "sys/socket.h", "unistd.h"}
    headers |= {"sys/un.h"} if target.path is not None else {"netdb.h"}
    headers |= {"string.h"} if _counts(target) else set()
    headers |= {"sys/time.h"} if target.datagram else set()
    headers |= {"arpa/inet.h", "stdint.h", "time.h"} if _number(target) else set()
    yield from (f"#include <{header}>" for header in sorted(headers))
    yield ""


def _counts(target: Target) -> bool:
    """It asks for a length."""
    said = target.dialogue in _REQUESTS
    return said or target.proxied or target.path is not None


def _number(target: Target) -> bool:
    return target.dialogue is Dialogue.NUMBER


def _request(target: Target) -> bytes:
    if target.datagram:
        return b""
    header = PROXY_HEADER if target.proxied else b""
    return header + _REQUESTS.get(target.dialogue, b"")


def _body(target: Target) -> Iterator[str]:
    yield from _opening_unix(target.path) if target.path is not None else _opening(target)
    yield ""
    if target.datagram:
        yield from _datagram(target)
        return
    if request := _request(target):
        yield from _sending(request)
    if target.dialogue in _REQUESTS:
        yield "shutdown(fd, SHUT_WR); /* our FIN: no more comes from us */"
        yield ""
    elif _request(target):
        yield ""
    yield from _receiving(target)


def _opening(target: Target) -> Iterator[str]:
    kind = "SOCK_DGRAM" if target.datagram else "SOCK_STREAM"
    yield f"struct addrinfo hints = {{.ai_socktype = {kind}}}, *at;"
    yield f'if (getaddrinfo("{target.host}", "{target.port}", &hints, &at) != 0)'
    yield '    errx(1, "getaddrinfo");'
    yield "int fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);"
    yield "if (fd < 0 || connect(fd, at->ai_addr, at->ai_addrlen) < 0)"
    yield '    err(1, "connect");'
    yield "freeaddrinfo(at);"


def _opening_unix(path: bytes) -> Iterator[str]:
    # The length tells an abstract name's end; a path may have its NUL counted or not (unix(7)).
    yield "struct sockaddr_un at = {.sun_family = AF_UNIX};"
    yield f"const char path[] = {for_c(path)};"
    yield "memcpy(at.sun_path, path, sizeof path - 1);"
    yield "socklen_t size = sizeof at - sizeof at.sun_path + sizeof path - 1;"
    yield "int fd = socket(AF_UNIX, SOCK_STREAM, 0);"
    yield "if (fd < 0 || connect(fd, (struct sockaddr *)&at, size) < 0)"
    yield '    err(1, "connect");'


def _sending(request: bytes) -> Iterator[str]:
    yield f"const char *data = {for_c(request)};"
    yield "for (size_t left = strlen(data); left > 0;) { /* send() may take a part of it */"
    yield "    ssize_t sent = send(fd, data, left, 0);"
    yield "    if (sent < 0)"
    yield '        err(1, "send");'
    yield "    data += sent;"
    yield "    left -= sent;"
    yield "}"


def _receiving(target: Target) -> Iterator[str]:
    if _number(target):
        yield "uint32_t seconds; /* since 1900, in network byte order */"
        yield "if (recv(fd, &seconds, sizeof seconds, MSG_WAITALL) != 4)"
        yield '    errx(1, "4 bytes should have come");'
        yield from _SHOW_TIME
    elif target.dialogue is Dialogue.ENDLESS:
        yield "char buffer[740]; /* ten lines; it would never end by itself */"
        yield "ssize_t got = recv(fd, buffer, sizeof buffer, MSG_WAITALL);"
        yield from _SHOW
    else:
        yield "char buffer[4096];"
        yield "ssize_t got;"
        yield "while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0) /* 0: its FIN */"
        yield "    fwrite(buffer, 1, got, stdout);"
        yield "if (got < 0)"
        yield '    err(1, "recv");'
        yield from _DONE


_DONE = ("close(fd);", "return 0;")

_SHOW = ("if (got < 0)", '    err(1, "recv");', "fwrite(buffer, 1, got, stdout);", *_DONE)

_SHOW_TIME = (
    "time_t unix_time = ntohl(seconds) - 2208988800u; /* Unix counts from 1970 */",
    "fputs(ctime(&unix_time), stdout);",
    *_DONE,
)


def _datagram(target: Target) -> Iterator[str]:
    if target.dialogue in _REQUESTS:
        yield 'const char request[] = "hello";'
        yield "size_t size = strlen(request);"
    else:
        yield "const char request[512] = {0}; /* no reply is longer than its request */"
        yield "size_t size = sizeof request;"
    yield "if (send(fd, request, size, 0) < 0)"
    yield '    err(1, "send");'
    if target.dialogue is Dialogue.SILENT:
        yield 'printf("%zu bytes sent; nobody answers\\n", size);'
        yield from _DONE
        return
    yield ""
    yield "struct timeval wait = {.tv_sec = 2}; /* a datagram may be lost */"
    yield "setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);"
    if _number(target):
        yield "uint32_t seconds; /* since 1900, in network byte order */"
        yield "if (recv(fd, &seconds, sizeof seconds, 0) != 4)"
        yield '    err(1, "recv");'
        yield from _SHOW_TIME
    else:
        yield "char buffer[65536]; /* a datagram comes whole or not at all */"
        yield "ssize_t got = recv(fd, buffer, sizeof buffer, 0);"
        yield from _SHOW
