"""The values in strace's lines, as strace 6.1 writes them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.watch.strace.values import Descriptor, Word, values


class ValueTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """Numbers, constants, strings and NULL."""
        found = values('3, AF_INET, SOCK_STREAM|SOCK_CLOEXEC, "\\x68\\x69"..., NULL, -1, 0x10')
        self.assertEqual(
            found, [3, Word("AF_INET"), Word("SOCK_STREAM|SOCK_CLOEXEC"), b"hi", None, -1, 16]
        )

    def test_descriptors(self) -> None:
        """What strace says a descriptor is; the arrow in it is no end of it."""
        one, two, three, four = values(
            "3<TCP:[12345]>, 4<TCP:[127.0.0.1:80->127.0.0.1:4000]>, 5<\\x2f\\x74>(deleted),"
            ' 6<UNIX-STREAM:[1->2,"@\\x61>"]>'
        )
        self.assertEqual((one.text, one.names), ("12345", ("", "")))
        self.assertEqual((two.kind, two.names), ("TCP", ("127.0.0.1:80", "127.0.0.1:4000")))
        self.assertEqual(three, Descriptor(5))
        self.assertEqual(four.kind, "UNIX-STREAM")

    def test_addresses(self) -> None:
        """A structure is a dict; functions around a value are looked through."""
        (found,) = values(
            '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("\\x31\\x2e\\x31")}'
        )
        self.assertEqual(found, {"sa_family": "AF_INET", "sin_port": 80, "sin_addr": "1.1"})
        (found,) = values(
            "{sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0),"
            ' inet_pton(AF_INET6, "\\x3a\\x3a\\x31", &sin6_addr), sin6_scope_id=0}'
        )
        self.assertEqual((found["sin6_addr"], found["sin6_port"]), ("::1", 80))

    def test_lists(self) -> None:
        """Lists, with commas or without; of a value that the call changed the later one counts."""
        self.assertEqual(values("[16], [128 => 16], [3 4]"), [[16], [16], [3, 4]])
        (found,) = values("[{fd=3, events=POLLIN}, {fd=4, events=POLLOUT|POLLERR}]")
        self.assertEqual([one["fd"] for one in found], [3, 4])

    def test_anything(self) -> None:
        """What is not understood ends nothing, and is not read for ever."""
        for odd in ("", "}", "))((", "{", '"', "3<", "[{a=", "=,=", "\\", "{" * 99, "a=b=c, 1"):
            self.assertIsInstance(values(odd), list)
