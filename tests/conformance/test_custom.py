"""A profile of one's own: a TOML file, or one sentence that says what is wrong with it."""

from __future__ import annotations

from tests.folder import FolderTestCase
from twisted_lab.conformance.case import Trait
from twisted_lab.conformance.checking import find_profile
from twisted_lab.conformance.custom import EXAMPLES, example, read_profile
from twisted_lab.conformance.profiles import Profile
from twisted_lab.errors import ConfigurationError


class CustomTests(FolderTestCase):
    def read(self, text: str) -> Profile:
        file = self.folder / "mine.toml"
        file.write_text(text)
        return read_profile(file)

    def refusal(self, text: str) -> str:
        said = str(self.assertRaises(ConfigurationError, self.read, text))
        self.assertIn("mine.toml' is wrong: ", said)
        return said.partition(" is wrong: ")[2]

    def judge(self, profile: Profile, seen: bytes, count: int = 1) -> tuple[bool, str]:
        judged = profile.judge(b"", count, seen)
        return judged.whole, judged.wrong

    def test_literal(self) -> None:
        """A reply is there when it is whole; the first byte that differs makes it wrong."""
        profile = self.read('send = "PING\\r\\n"\nreply = "+PONG\\r\\n"\n')
        assert profile.request is not None
        self.assertEqual((profile.name, profile.request(99)), ("mine", b"PING\r\n"))
        self.assertEqual(self.judge(profile, b"+PO"), (False, ""))
        self.assertEqual(self.judge(profile, b"+PONG\r\n"), (True, ""))
        self.assertEqual(self.judge(profile, b"+PONG\r\n", 2), (False, ""))
        self.assertEqual(self.judge(profile, b"+PONG\r\n" * 2, 2), (True, ""))
        self.assertEqual(self.judge(profile, b"-ERR")[1], "reply 1: '-ERR' came, not '+PONG\\r\\n'")
        self.assertEqual(self.judge(profile, b"+PONG\r\nx")[1], "'x' came after what was asked for")

    def test_length(self) -> None:
        """The group "length" says how many bytes follow what matched."""
        profile = example("http")
        head = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nConnection: x\r\n\r\n"
        self.assertEqual(self.judge(profile, head[:-1]), (False, ""))
        self.assertEqual(self.judge(profile, head + b"hell"), (False, ""))
        self.assertEqual(self.judge(profile, head + b"hello"), (True, ""))
        self.assertEqual(self.judge(profile, (head + b"hello") * 3, 3), (True, ""))
        long = head.replace(b"5", b"99999999999")
        self.assertIn("promises 99,999,999,999 bytes", self.judge(profile, long)[1])

    def test_greeting(self) -> None:
        """A greeting is read first, over several lines if need be."""
        profile = example("smtp")
        assert profile.greeting is not None
        seen = b"220-mail.example hello\r\n220 mail.example ready\r\n"
        self.assertEqual(profile.greeting(b"", 0, seen[:30]).whole, False)
        self.assertEqual(profile.greeting(b"", 0, seen).whole, True)
        self.assertNotIn(Trait.PIPELINES, profile.traits)

    def test_speaks_and_closes(self) -> None:
        """One that only speaks is like daytime."""
        profile = self.read('greeting_pattern = "[0-9]+"\ncloses = true\n')
        self.assertEqual(profile.traits, {Trait.SPEAKS_FIRST, Trait.CLOSES})
        self.assertEqual(self.judge(profile, b"12"), (True, ""))

    def test_hex(self) -> None:
        """Bytes may be written as hex."""
        profile = self.read('send = "hex:00 ff"\nreply = "hex:01"\ncloses = true\n')
        assert profile.request is not None
        self.assertEqual(profile.request(1), b"\0\xff")
        self.assertEqual(profile.traits, {Trait.REPLIES, Trait.CLOSES})

    def test_examples(self) -> None:
        """Those that are shipped are read, by name."""
        for name in EXAMPLES:
            self.assertEqual(find_profile(name).name, name)

    def test_wrong(self) -> None:
        """What is wrong is said in one sentence."""
        for text, said in (
            ("", "expected 'send', or a 'greeting'"),
            ('sned = "x"', "there is no key 'sned'; there are name, summary"),
            ("send = 5", "send = 5: expected a text"),
            ('closes = "yes"', "closes = 'yes': expected true or false"),
            ('send = "x"', "there is 'send', and no 'reply'"),
            ('reply = "x"', "there is a reply, and no 'send'"),
            ('send = "x"\nreply = ""', "reply is empty"),
            ('send = "x"\nreply = "hex:0"', "hex"),
            ('send = "x"\nreply = "y"\nreply_pattern = "z"', "one of them is enough"),
            ('send = "x"\nreply_pattern = "("', "reply_pattern: "),
            ('send = "x"\nreply_pattern = "y*"', "matches nothing at all"),
            ("send = ", "Invalid value"),
            ('send = "' + "x" * 70_000 + '"', "more than 65,536 bytes"),
        ):
            self.assertIn(said, self.refusal(text), text[:40])

    def test_no_file(self) -> None:
        """A file that is not there is named."""
        wrong = self.assertRaises(ConfigurationError, find_profile, "nope.toml")
        self.assertEqual(str(wrong), "cannot read 'nope.toml': No such file or directory")
        wrong = self.assertRaises(ConfigurationError, find_profile, "ecko")
        self.assertIn("there is no profile 'ecko'; there are echo, ", str(wrong))
