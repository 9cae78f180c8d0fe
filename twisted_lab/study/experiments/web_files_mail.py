"""Web, file transfer and mail: HTTP, FTP and SMTP on the wire."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_lab.explaining import counted
from twisted_lab.study.drawing import Picture, both
from twisted_lab.study.experiment import Observation, Task
from twisted_lab.study.seen import Seen

AIM = (
    "To see that the protocols of the web, of file transfer and of mail are what one has seen so"
    " far: streams, lines, lengths, and an end. The servers are Twisted's own, served by the bench,"
    " which records them; the clients are Python's."
)
ASKED = (
    "How does each of them frame its messages?",
    "How does the receiver of a page, of a file and of a mail know where it ends?",
    "How many connections does each need?",
)


def services():
    """Twisted's servers: socketlab serve run services:web, services:ftp and services:mail."""
    from functools import partial

    from twisted.cred import checkers, portal
    from twisted.internet import defer, reactor
    from twisted.mail import smtp
    from twisted.protocols import ftp as files
    from twisted.web import server, static
    from zope.interface import implementer

    web = server.Site(static.File("public"))

    class LoopbackFTP(files.FTP):
        listenFactory = staticmethod(partial(reactor.listenTCP, interface="127.0.0.1"))

    ftp = files.FTPFactory(
        portal.Portal(files.FTPRealm("public"), [checkers.AllowAnonymousAccess()])
    )
    ftp.protocol = LoopbackFTP

    @implementer(smtp.IMessage)
    class Letter:
        def __init__(self):
            self.lines = []

        def lineReceived(self, line):
            self.lines.append(line)

        def eomReceived(self):  # the line with a dot alone came
            with open("letter.txt", "wb") as file:
                file.write(b"\n".join(self.lines))
            return defer.succeed(None)

        def connectionLost(self):  # before its end: there is no letter
            pass

    @implementer(smtp.IMessageDelivery)
    class Post:
        def receivedHeader(self, helo, origin, recipients):
            return b"Received: by socketlab"

        def validateFrom(self, helo, origin):
            return origin

        def validateTo(self, user):
            return Letter

    class Mail(smtp.SMTPFactory):
        def buildProtocol(self, address):
            talk = smtp.ESMTP()
            talk.delivery = Post()
            return talk

    mail = Mail()


def client():
    """Gets a page, gets a file, sends a mail: with Python's own clients."""
    import ftplib
    import http.client
    import smtplib
    import sys

    web, ftp, mail = map(int, sys.argv[1:])

    page = http.client.HTTPConnection("127.0.0.1", web)
    page.request("GET", "/hello.txt")
    answer = page.getresponse()
    print("web:", answer.status, answer.read().decode().strip())
    page.close()

    with ftplib.FTP() as files:
        files.connect("127.0.0.1", ftp)
        files.login()
        blocks = []
        files.retrbinary("RETR hello.txt", blocks.append)
        print("ftp:", b"".join(blocks).decode().strip())
        files.quit()

    with smtplib.SMTP("127.0.0.1", mail, local_hostname="localhost") as post:
        letter = "Subject: hello\r\n\r\nThe first line\r\n.hidden dot\r\n"
        refused = post.sendmail("me@example.org", ["you@example.org"], letter)
        print("mail:", "refused" if refused else "taken")


PROGRAMS = (services, client)


def play(stage):
    """Three benches, and the client at each of them."""
    public = stage.folder / "public"
    public.mkdir()
    (public / "hello.txt").write_text("hello from a file\n")
    ports = [stage.bench(f"services:{name}").port for name in ("web", "ftp", "mail")]
    stage.start("client", *ports).finish()


def observe(seen: Seen) -> Iterator[Observation]:
    """What each of the three said, and how it marked its ends."""
    client = seen.client
    web, ftp, mail = seen["web"], seen["ftp"], seen["mail"]
    asked, answered = web.moved("received"), web.moved("sent")
    head, _, body = answered.partition(b"\r\n\r\n")
    length = [one for one in head.split(b"\r\n") if one.lower().startswith(b"content-length")]
    yield Observation(
        asked.endswith(b"\r\n\r\n") and length[0].split()[1] == b"%d" % len(body),
        f"HTTP: the request is {counted(asked.count(bytes([13, 10])), 'line')}, the last of them"
        f" empty; the answer says {length[0].decode()!r}, and {counted(len(body))} follow its"
        " empty line",
    )
    said = [line.decode() for line in ftp.moved("received").splitlines()]
    codes = [line[:3].decode() for line in ftp.moved("sent").splitlines()]
    data = [client.of(one) for one in client.connections()][2]
    yield Observation(
        "RETR hello.txt" in said and data.moved("received") == b"hello from a file\n",
        f"FTP: the commands were {', '.join(said)}; the replies {', '.join(codes)}",
    )
    came = [one for one in data.done("recv_into", "recv") if one.event == "peer-shutdown"]
    yield Observation(
        len(came) == 1,
        f"FTP: the file came by a connection of its own, from {data.done('connect')[0].peer}:"
        f" {counted(len(data.moved('received')))}, "
        + ("and its end was the file's end" if came else "which did not end"),
    )
    letter = mail.moved("received").partition(b"data\r\n")[2]
    yield Observation(
        b"\r\n.\r\n" in letter and b"\r\n..hidden" in letter,
        "SMTP: the letter on the wire was"
        f" {letter.partition(b'QUIT')[0].decode()!r}: "
        + ("a line with a dot alone ends it" if b"\r\n.\r\n" in letter else "no dot ends it"),
    )
    kept = seen.files.get("letter.txt", b"")
    yield Observation(
        b"\n.hidden dot" in kept,
        "SMTP: the letter that was kept has the line"
        f" {next((one for one in kept.decode().splitlines() if 'hidden' in one), '')!r}",
    )
    counts = [len(bench.connections()) for bench in (web, ftp, mail)]
    yield Observation(
        counts == [1, 1, 1] and len(client.connections()) == 4,
        f"the bench had {', '.join(map(str, counts))} connections for HTTP, FTP and SMTP; the"
        f" client made {len(client.connections())}",
    )


def pictures(seen: Seen) -> Iterator[Picture]:
    """The client's calls, and what the bench recorded of each."""
    client = seen.client
    ids = client.connections()
    for number, name, said in ((0, "web", "HTTP"), (1, "ftp", "FTP"), (3, "mail", "SMTP")):
        yield both(
            client.of(ids[number]),
            seen[name],
            f"{said}: the client's calls, and the bench's record",
        )


RESULT = (
    "HTTP sends lines, an empty one, and as many bytes as the head says. FTP talks in lines on one"
    " connection and sends each file by another, whose end is the file's. SMTP sends the letter as"
    " lines up to one with a dot alone, and doubles dots at the beginning of others. Streams need"
    " framing, and each of them chose another."
)
TRY = (
    Task(
        "Ask for a page that is not there.",
        "What does the answer's head say of its length?",
    ),
    Task(
        "Ask twice on the same HTTP connection.",
        "How does the client know where the first answer ends?",
    ),
    Task(
        "Send the letter with nc, without the last dot, and close.",
        "Is it kept? Who decides?",
    ),
)
