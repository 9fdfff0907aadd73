import { FrameReader, FrameSender } from "../store/frames.ts";

declare module "bun" {
  // Bun takes a descriptor; its types have the options but lack this overload.
  function connect<Data = undefined>(options: FdSocketOptions<Data>): Promise<Socket<Data>>;
}

/** One end of a supervisor's conversation with its runner. */
export type Channel = { send(message: unknown): void };

export type ChannelHandlers = {
  message(message: unknown): void;
  /** The other end is gone, or what it says cannot be read. Called once. */
  closed(): void;
};

/** Speaks framed msgpack over a socket that is open already, `fd`, both ways and with backpressure. */
export async function openChannel(fd: number, handlers: ChannelHandlers): Promise<Channel> {
  const reader = new FrameReader();
  let open = true;
  const close = () => {
    if (open) handlers.closed();
    open = false;
  };
  let sender: FrameSender | null = null;
  const socket = await Bun.connect({
    fd,
    socket: {
      data(_socket, chunk) {
        try {
          for (const message of reader.push(chunk)) handlers.message(message);
        } catch {
          close();
        }
      },
      drain: () => sender?.drain(),
      close,
      error: close,
    },
  });
  const made = new FrameSender(socket);
  sender = made;
  return {
    send(message) {
      if (open) made.send(message);
    },
  };
}
