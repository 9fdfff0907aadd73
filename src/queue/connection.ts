import { existsSync } from "node:fs";

import { isMessage, Peer } from "./peer.ts";

/** A connection to the queue: messages out, messages in, and word of its end. */
export type Connection = { send(message: object): void; close(): void };

export type ConnectionHandlers<M> = { message(message: M): void; closed(): void };

/**
 * Connects to a queue's socket; null when nobody listens there. `closed` is called once, however the
 * connection ends.
 */
export async function connect<M extends { type: string }>(
  socket: string,
  handlers: ConnectionHandlers<M>,
): Promise<Connection | null> {
  if (!existsSync(socket)) return null;
  let over = false;
  const end = () => {
    if (!over) handlers.closed();
    over = true;
  };
  try {
    const connected = await Bun.connect<Peer | undefined>({
      unix: socket,
      socket: {
        open: (opened) => {
          opened.data = new Peer(opened);
        },
        data(opened, chunk) {
          for (const message of opened.data?.receive(chunk) ?? []) {
            if (isMessage<M>(message)) handlers.message(message);
          }
        },
        drain: (opened) => opened.data?.drain(),
        close: end,
        error: end,
      },
    });
    const peer = connected.data;
    if (!peer) return null;
    return {
      send: (message) => peer.send(message),
      close: () => {
        over = true;
        peer.close();
      },
    };
  } catch {
    // ENOENT, ECONNREFUSED, or a queue that is just ending.
    return null;
  }
}
