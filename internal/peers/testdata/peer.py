"""One side of a test, in AnyIO: it connects or accepts a connection for each of its
parts, one after another, plays them and exits. What it finds wrong is an exception. A server prints where it listens, under TLS
both sides print the version and the tls-unique channel binding.
"""

import argparse
import os
import socket
import ssl

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSListener, TLSStream

PIPED = b"through a pipe"
PACKETS = (1, 1400, 60_000)


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--backend", choices=["asyncio", "trio"], required=True)
    p.add_argument("--kind", choices=["tcp", "unix", "udp", "unixgram"], required=True)
    p.add_argument("--connect", metavar="ADDRESS")
    p.add_argument("--listen", metavar="ADDRESS")
    p.add_argument("--parts", type=lambda names: names.split(","), required=True)
    p.add_argument("--payload", metavar="FILE")
    p.add_argument("--ca", metavar="FILE", help="connect with TLS")
    p.add_argument("--name", default="localhost", help="what the certificate must be for")
    p.add_argument("--cert", metavar="FILE", help="serve with TLS")
    p.add_argument("--key", metavar="FILE")
    p.add_argument("--version", choices=["TLSv1.2", "TLSv1.3"])
    p.add_argument("--ragged", action="store_true", help="neither send nor expect close_notify")
    return p.parse_args()


def same(want, got):
    if want != got:
        raise AssertionError(f"{len(got)} bytes that are not the {len(want)} that were expected")


async def received(stream):
    """What comes until the end. AnyIO 3 on asyncio loses an end that comes while data
    waits, so there it is not waited for: TLS has one of its own."""
    got = 0
    async for data in stream:
        yield data
        got += len(data)
        if args.backend == "asyncio" and got == len(payload) and not isinstance(stream, TLSStream):
            return


async def everything(stream):
    return b"".join([data async for data in received(stream)])


async def end(stream):
    """Ends one direction; AnyIO cannot end that of TLS without closing, which is next."""
    if not isinstance(stream, TLSStream):
        await stream.send_eof()


# The parts on streams.


async def first(stream):
    await stream.send(payload)
    await end(stream)
    same(payload, await everything(stream))


async def second(stream):
    same(payload, await everything(stream))
    await stream.send(payload)
    await end(stream)


async def echo(stream):
    async for data in received(stream):
        await stream.send(data)
    await end(stream)


async def only_sends(stream):
    await stream.send(payload)


async def files(stream):
    """Sends a file with the payload and a pipe to write to, and gets the same."""
    with anyio.fail_after(20), open(args.payload, "rb") as file:
        reads, writes = os.pipe()
        await stream.send_fds(b"yours", [file, writes])
        os.close(writes)
        same(PIPED, await anyio.to_thread.run_sync(os.read, reads, 100))
        message, fds = await stream.receive_fds(100, 4)
        same(b"mine", message)
        with open(fds[0], "rb") as theirs:
            theirs.seek(0)
            same(payload, theirs.read())
        os.write(fds[1], PIPED)
        os.close(fds[1])


async def play(part, stream):
    async with stream:
        if isinstance(stream, TLSStream):
            unique = stream.extra(TLSAttribute.channel_binding_tls_unique) or b""
            print(stream.extra(TLSAttribute.tls_version), unique.hex(), flush=True)
        await globals()[part](stream)


def versions(context):
    if args.version:
        context.minimum_version = context.maximum_version = ssl.TLSVersion[args.version.replace(".", "_")]
    return context


def host_port(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


async def connect():
    if args.kind == "unix":
        return await anyio.connect_unix(args.connect)
    host, port = host_port(args.connect)
    if not args.ca:
        return await anyio.connect_tcp(host, port)
    return await anyio.connect_tcp(
        host,
        port,
        tls=True,
        tls_hostname=args.name,
        tls_standard_compatible=not args.ragged,
        ssl_context=versions(ssl.create_default_context(cafile=args.ca)),
    )


async def serve():
    if args.kind == "unix":
        listener = await anyio.create_unix_listener(args.listen)
        print(args.listen, flush=True)
    else:
        host, port = host_port(args.listen)
        listener = await anyio.create_tcp_listener(local_host=host, local_port=port)
        print(listener.extra(SocketAttribute.local_port), flush=True)
    if args.cert:
        context = versions(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
        context.load_cert_chain(args.cert, args.key)
        listener = TLSListener(listener, context, standard_compatible=not args.ragged)
    async with listener:
        with anyio.CancelScope() as scope:

            waiting, playing = args.parts.copy(), len(args.parts)

            async def handle(stream):
                nonlocal playing
                await play(waiting.pop(0), stream)
                playing -= 1
                if not playing:
                    scope.cancel()

            await listener.serve(handle)


# The parts on packets. AnyIO has no sockets for UNIX datagrams here, and waits for
# Python's.


async def udp_ask():
    host, port = host_port(args.connect)
    async with await anyio.create_connected_udp_socket(host, port) as conn:
        for n in PACKETS:
            await conn.send(bytes([n % 256]) * n)
            same(bytes([n % 256]) * n, await conn.receive())


async def udp_echo():
    host, port = host_port(args.listen)
    async with await anyio.create_udp_socket(local_host=host, local_port=port) as conn:
        print(conn.extra(SocketAttribute.local_port), flush=True)
        for _ in PACKETS:
            data, (host, port) = await conn.receive()
            await conn.sendto(data, host, port)


async def unixgram_ask():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as conn:
        conn.setblocking(False)
        conn.bind(args.connect + "-client")
        conn.connect(args.connect)
        for n in PACKETS:
            await anyio.wait_socket_writable(conn)
            conn.send(bytes([n % 256]) * n)
            await anyio.wait_socket_readable(conn)
            same(bytes([n % 256]) * n, conn.recv(100_000))


async def unixgram_echo():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as conn:
        conn.setblocking(False)
        conn.bind(args.listen)
        print(args.listen, flush=True)
        for _ in PACKETS:
            await anyio.wait_socket_readable(conn)
            data, address = conn.recvfrom(100_000)
            await anyio.wait_socket_writable(conn)
            conn.sendto(data, address)


async def main():
    if args.connect:
        print("connecting", flush=True)
    if args.kind in ("udp", "unixgram"):
        await globals()[f"{args.kind}_{args.parts[0]}"]()
    elif args.listen:
        await serve()
    else:
        for part in args.parts:
            try:
                stream = await connect()
            except ssl.SSLCertVerificationError as e:
                print("refused:", e.verify_message, flush=True)
            else:
                await play(part, stream)


args = parse()
payload = open(args.payload, "rb").read() if args.payload else b""
anyio.run(main, backend=args.backend)
