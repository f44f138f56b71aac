/** Messages in the order they came, for a reader that waits. */
export interface Inbox<Message> {
  put(message: Message): void;
  take(): Promise<Message>;
  /** How many wait. */
  size(): number;
}

/** Opens an empty inbox. */
export function createInbox<Message>(): Inbox<Message> {
  const waiting: Message[] = [];
  let wake: (() => void) | undefined;
  return {
    put(message) {
      waiting.push(message);
      wake?.();
    },
    async take() {
      while (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return waiting.shift() as Message;
    },
    size: () => waiting.length,
  };
}
