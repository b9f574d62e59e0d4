"""Who sends or reads too slowly is cut off, and nobody waits for them."""

import asyncio
import contextlib

import pytest
import uvicorn

from daftari.api.connections import MOST_HEAD_BYTES, BoundedProtocol


async def application(scope, receive, send):
    """Answers with as many bytes as the path names, once it has read the body."""
    if scope["type"] != "http":
        return
    taken = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        taken += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    size = int(scope["path"].strip("/") or 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-taken", b"%d" % taken)]})
    for _ in range(size // 2**16):
        await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
    await send({"type": "http.response.body", "body": b"end"})


@contextlib.asynccontextmanager
async def served(monkeypatch):
    for name, seconds in (("HEAD_SECONDS", 0.3), ("BODY_SECONDS", 0.3), ("WRITE_SECONDS", 0.3)):
        monkeypatch.setattr(f"daftari.api.connections.{name}", seconds)
    config = uvicorn.Config(application, port=0, http=BoundedProtocol, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


def asked(monkeypatch, *pieces, pause=0.0, wait=3.0):
    """All that comes back for *pieces*, sent with a pause between each two, until the connection ends."""

    async def ask():
        said = []

        async def listen(reader):
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(2**16):
                    said.append(piece)

        async with served(monkeypatch) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            listening = asyncio.create_task(listen(reader))
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
            await asyncio.wait_for(listening, wait)
            writer.close()
        return b"".join(said)

    return asyncio.run(ask())


HEAD = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ((), 0),
        ((b"GET / HT",), 0),
        ((HEAD,), 0),
        ((HEAD, *[b"x: y\r\n"] * 20), 0.1),
        ((HEAD + b"content-length: 1000\r\n\r\n",), 0),
        ((HEAD + b"content-length: 1000\r\n\r\n", *[b"x"] * 20), 0.1),
        ((HEAD + b"transfer-encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 20), 0.1),
    ],
    ids=["nothing", "half a line", "half a head", "a slow head", "no body", "a slow body", "slow chunks"],
)
def test_a_request_that_does_not_come_is_ended_with_408(monkeypatch, pieces, pause):
    assert asked(monkeypatch, *pieces, pause=pause).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_a_head_of_any_size_is_not_collected(monkeypatch):
    said = asked(monkeypatch, HEAD, *[b"x: " + b"y" * 8000 + b"\r\n"] * (2 * MOST_HEAD_BYTES // 8000))
    assert said.startswith(b"HTTP/1.1 431 ")


def test_a_request_in_pieces_that_keep_coming_is_answered(monkeypatch):
    body = [bytes(2**14)] * 8
    head = HEAD + b"content-length: %d\r\n\r\n" % (8 * 2**14)
    said = asked(monkeypatch, head, *body, pause=0.1)
    assert said.startswith(b"HTTP/1.1 200 OK\r\n") and b"x-taken: 131072\r\n" in said


def test_a_response_that_nobody_reads_is_cut(monkeypatch):
    async def ask():
        async with served(monkeypatch) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**10)
            writer.write(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % 2**26)
            await asyncio.sleep(1)
            with contextlib.suppress(ConnectionError):
                taken = 0
                while piece := await reader.read(2**16):
                    taken += len(piece)
                return taken

    taken = asyncio.run(ask())
    assert taken is None or taken < 2**26


def test_connections_are_kept_for_more_requests(monkeypatch):
    one = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    assert asked(monkeypatch, one, one, last, pause=0.1).count(b"HTTP/1.1 200 OK") == 3
