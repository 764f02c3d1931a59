/** Carries short messages between the processes of one Bursar. A message may be lost while a connection is broken, so
 *  what it tells must be true to read again afterwards. */
export interface FanOut {
  /** To every other process, in the order of the calls. Rejects when it cannot be sent. */
  publish(message: string): Promise<void>;
  /** To be called once, at the start. `onConnected` is called at every connection after a broken one, too: whatever was
   *  said meanwhile has been missed. */
  listen(listener: FanOutListener): void;
  close(): Promise<void>;
}

export interface FanOutListener {
  onMessage(message: string): void;
  onConnected(): void;
}

/** Bytes that surely fit into one message of any kind of fan-out. Source: NOTIFY takes less than 8000. */
export const MESSAGE_BYTES = 7500;
