// A WebSocket server of the `ws` package with mutual TLS and permessage-deflate, for tests/integration/test_node.py.
//
// usage: node server.cjs FOLDER, which holds cert.pem, key.pem and ca.pem. Prints one JSON line: {"port": ...}. It echoes
// everything and greets with who the client is and what was agreed. {"type": "close", "code": C}, "ping" and "terminate"
// are done instead of echoed. At /fragments the echo comes in pieces of 997 bytes, which cut code points. It ends when its
// standard input does.

"use strict";

const fs = require("node:fs");
const https = require("node:https");
const path = require("node:path");
const { WebSocketServer } = require("ws");

const read = (name) => fs.readFileSync(path.join(process.argv[2], name));
const server = https.createServer({
  cert: read("cert.pem"),
  key: read("key.pem"),
  ca: read("ca.pem"),
  requestCert: true,
  rejectUnauthorized: true,
});
const sockets = new WebSocketServer({
  server,
  maxPayload: 64 * 1024 * 1024,
  perMessageDeflate: { threshold: 128 },
});

sockets.on("connection", (peer, request) => {
  const tls = request.socket;
  peer.send(
    JSON.stringify({
      type: "hello",
      client: tls.getPeerCertificate().subjectaltname,
      protocol: tls.getProtocol(),
      alpn: tls.alpnProtocol,
      resumed: tls.isSessionReused(),
      offered: request.headers["sec-websocket-extensions"] ?? "",
      extensions: peer.extensions,
    }),
  );
  peer.on("error", () => {});
  peer.on("pong", (payload) => peer.send(JSON.stringify({ type: "pong", payload: payload.toString() })));
  peer.on("close", (code, reason) => {
    console.log(JSON.stringify({ closed: code, reason: reason.toString() }));
  });
  peer.on("message", (data, isBinary) => {
    const order = isBinary || data.length > 200 ? {} : JSON.parse(data.toString());
    if (order.type === "close") return peer.close(order.code, order.reason);
    if (order.type === "ping") return peer.ping(order.payload);
    if (order.type === "terminate") return peer.terminate();
    if (request.url !== "/fragments") return peer.send(data, { binary: isBinary });
    const size = 997;
    for (let at = 0; at < data.length; at += size) {
      peer.send(data.subarray(at, at + size), { binary: isBinary, fin: at + size >= data.length });
    }
  });
});

process.stdin.on("end", () => process.exit(0)).resume();
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
