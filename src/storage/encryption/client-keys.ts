/** The keys under which a history's records are encrypted, one a client, kept apart from the history. */
export interface ClientKeys {
  /** The client's key, undefined where there is none. */
  find(client: string): Uint8Array | undefined;
  /** Whether the client's key was destroyed: nothing of it can be read again, nor written. */
  isDestroyed(client: string): boolean;
  /**
   * Makes the keys that are missing; they are on disk when this returns.
   *
   * @throws LETHE_USAGE_CLIENT_ERASED for a client whose key was destroyed
   */
  ensure(clients: readonly string[]): void;
  /** Destroys a client's key for good. */
  destroy(client: string): void;
}
