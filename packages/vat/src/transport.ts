// What the engine needs of whatever carries its frames. Implementations are thin files in transports/.

/** Carries frames in order, or closes. Nothing in between. */
export interface Transport {
  /**
   * True when a frame may hold several messages (`capstan.1`, or any byte stream); false when it must hold exactly one.
   * Read only after `handleOpen`.
   */
  readonly batched: boolean;
  /**
   * True when frames are packed on their way: zeros cost next to nothing then, and messages are laid out for that. Frames
   * that are sent and received here are as ever. Default false. Read only after `handleOpen`.
   */
  readonly packed?: boolean | undefined;
  /** Bytes accepted by `send` that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  /** Starts to report events. Called once, by the connection. `handleOpen` may be called before it returns. */
  start(receiver: TransportReceiver): void;
  /**
   * Sends one frame. The bytes belong to the transport from now on, until it calls `done`, which it need not. Never throws;
   * failure arrives as `handleClosed`.
   */
  send(frame: Uint8Array, done?: () => void): void;
  /** Runs `flush` once, soon: after the work of this turn that is still to come has had a chance to write. */
  schedule(flush: () => void): void;
  /**
   * Holds back what the peer sends, or lets it come again; a few frames that were read already may come all the same.
   * Undefined where that cannot be: then every frame is handled when it comes, however long that takes.
   */
  readonly hold?: ((isHeld: boolean) => void) | undefined;
  /** Sends what was accepted, then closes. Idempotent. `handleClosed` follows, unless it came already. */
  close(code: number, reason: string): void;
}

/** What a transport tells its connection. */
export interface TransportReceiver {
  handleOpen(): void;
  /**
   * The bytes belong to the receiver and are never changed afterwards. What comes while an earlier frame is handled, because
   * `send` delivers at once, waits for a later turn.
   */
  handleFrame(frame: Uint8Array): void;
  /** What came cannot be frames: the connection is to end, and the peer to be told why. */
  handleMalformed(reason: string): void;
  /** The last event. `reason` is for people. */
  handleClosed(reason: string): void;
}

/** Hears what passes over one transport, in order. Never throws, and never changes the bytes it is shown. */
export interface TrafficListener {
  /**
   * @param batched whether a frame may hold several messages.
   * @param packed whether frames are packed on their way; those that are heard are not.
   */
  handleOpen(batched: boolean, packed: boolean): void;
  /** This end sends `frame`, whose bytes may be gone when this returns. */
  handleSent(frame: Uint8Array): void;
  handleReceived(frame: Uint8Array): void;
  /** The last event: this end closes, or the transport did. */
  handleClosed(reason: string): void;
}

/** Gives each link that is made its listener. `peer` names the other end for people. */
export type TrafficRecorder = (peer: string) => TrafficListener;
