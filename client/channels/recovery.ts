import type { Recovered } from '../../protocol/messages/channels.ts';
import type { Channels } from './channels.ts';
import type { Clock } from '../clock.ts';
import { isPassing, type SwitchboardError } from '../errors.ts';
import { messagesIn } from '../frames.ts';
import type { Connection } from '../connection/connection.ts';
import type { Requests } from '../sending/requests.ts';

/** Asks the server for the messages that channels miss. */
export interface Recovery {
  /** After an open: fetches the positions of the session's own channels, or recovers them from known positions. */
  readonly open: (connection: Connection) => Promise<void>;
  /** Asks for missed messages, and repeats while the server has more. */
  readonly run: (connection: Connection) => Promise<void>;
  /** Asks for an answer of any kind, and recovers missed messages with it. */
  readonly probe: (connection: Connection, timeoutMs: number) => Promise<unknown>;
  /** Asks after a delay, because a missing message may still arrive without a request. */
  readonly watch: () => void;
  readonly stop: () => void;
}

/** The parts that a request with retries needs. */
export interface Asking {
  readonly clock: Clock;
  readonly requests: Requests;
  readonly channels: Channels;
  /** The connection to ask on. */
  readonly connection: () => Connection | undefined;
  readonly onError: (error: SwitchboardError) => void;
}

export interface RecoverySettings extends Asking {
  readonly durable: boolean;
}

/** The session's own channels by their short names. Without an offset the server returns only the log's position. */
const ownChannels = [{ channel: 'user' }, { channel: 'type' }, { channel: 'everyone' }];

// Most gaps close without a request, and each request is billed. Posts overtake one another, because API Gateway keeps
// no order. A writer also takes a moment between taking an offset and writing the message.
const graceMs = 500;
const maxGraceMs = 30_000;

export function createRecovery(settings: RecoverySettings): Recovery {
  const { clock, requests, channels, durable, connection, onError } = settings;
  let cancel: (() => void) | undefined;
  let delayMs = graceMs;
  let asking = 0;

  /** Resolves to whether the server has more to recover at once. */
  async function recover(
    on: Connection,
    wanted: readonly { channel: string }[],
    timeoutMs?: number,
    isOpening?: boolean,
  ): Promise<boolean> {
    asking++;
    const { error, content } = await requests.ask(on, 'recover', { channels: wanted, messagesIn }, timeoutMs);
    asking--;
    if (!error) {
      const { channels: entries = [] } = Object(content) as Partial<Recovered>;
      return entries.filter((entry) => channels.answer(entry.channel, entry, isOpening)).length > 0;
    }
    if (error.code !== 'disconnected') onError(error);
    // Missed messages would stay unnoticed on this connection, so it must end.
    const isForbidden = error.code === 'forbidden';
    if (isOpening && (isForbidden || isPassing(error))) {
      // `forbidden`: the new token belongs to another user. The old user's session must end too.
      if (isForbidden) {
        for (const { channel } of wanted) channels.forget(channel);
        void connection()?.end();
      }
      await on.end();
    }
    return false;
  }

  async function ask(on: Connection, wanted = channels.gaps(), timeoutMs?: number): Promise<void> {
    if ((timeoutMs || wanted.length > 0) && (await recover(on, wanted, timeoutMs))) await ask(on);
    else watch();
  }

  function watch(): void {
    const isBehind = channels.gaps().length > 0;
    if (!isBehind) delayMs = graceMs;
    if (!isBehind || cancel) return;
    // All readers of a channel see a gap at the same time. Jitter spreads their requests.
    cancel = clock.after(delayMs * (1 + clock.random()), () => {
      cancel = undefined;
      const on = connection();
      // Without a connection, the next one recovers every channel. A request under way calls `watch` when it ends.
      if (on && !asking) void ask(on);
    });
    delayMs = Math.min(maxGraceMs, delayMs * 2);
  }

  return {
    run: (on) => ask(on),
    watch,
    // Asks for every channel: nothing else reveals the loss of a log's last message.
    probe: (on, timeoutMs) => ask(on, channels.all(), timeoutMs),
    async open(on) {
      const own = channels.own();
      const wanted = durable && own.length === 0 ? ownChannels : own;
      const release = channels.hold();
      if (wanted.length > 0) await recover(on, wanted, undefined, true);
      release();
    },
    stop() {
      cancel?.();
      // With `cancel` set, `watch` never starts another timer.
      cancel = () => undefined;
    },
  };
}
