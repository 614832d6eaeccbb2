import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect } from "chai";
import { connect } from "../../packages/client/src/index.ts";

/** The mask of the first frame that a client sends to `host`, which it is told by `name`. */
async function firstMask(host: string, name = host): Promise<Buffer> {
  const server = createServer();
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  using link = connect(`ws://${name}:${port}`);
  link.service("x");
  const [socket] = (await once(server, "connection")) as [Socket];
  const [request] = (await once(socket, "data")) as [Buffer];
  const key = /sec-websocket-key: (.*)\r/i.exec(request.toString())?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: capstan.1\r\n\r\n`,
  );
  const [frame] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  server.close();
  expect((frame[1] as number) & 0x80, "masked").to.equal(0x80);
  const at = ((frame[1] as number) & 0x7f) === 126 ? 4 : 2;
  return frame.subarray(at, at + 4);
}

describe(`client: masks of frames`, () => {
  it("are zeros on loopback, where nobody is between", async () => {
    expect([...(await firstMask("127.0.0.1"))]).to.deep.equal([0, 0, 0, 0]);
  });

  it("are random towards what is not known to be loopback", async () => {
    expect([...(await firstMask("127.0.0.1", "[::ffff:127.0.0.1]"))]).to.not.deep.equal([0, 0, 0, 0]);
  });
});
