import type { Recovered } from '../protocol/messages/channels.ts';
import type { Channels } from './channels.ts';
import type { Clock } from './clock.ts';
import { isPassing, type SwitchboardError } from './errors.ts';
import type { Connection } from './connection.ts';
import type { Requests } from './requests.ts';

/** Asks the server for what channels miss. */
export interface Recovery {
  /** After an open: learns where the session's own channels stand, or has them continued from their positions. */
  readonly open: (connection: Connection) => Promise<void>;
  /** Asks for what is missing, and again while the server has more. */
  readonly run: (connection: Connection) => Promise<void>;
  /** Has the server speak, of what the channels miss if of anything. */
  readonly probe: (connection: Connection, timeoutMs: number) => Promise<unknown>;
  /** Something is missing that may still come by itself: asks a little later. */
  readonly watch: () => void;
  readonly stop: () => void;
}

/** What is needed to ask the server for something, and to try that again later. */
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

/** The session's own channels by their short names; without an offset the server only says where the log stands. */
const ownChannels = [{ channel: 'user' }, { channel: 'type' }, { channel: 'everyone' }];

// Posts to a connection overtake one another (API Gateway keeps no order), and a writer takes a moment between taking
// an offset and writing the message: most gaps close by themselves, and a request is billed.
const graceMs = 500;
const maxGraceMs = 30_000;

export function createRecovery(settings: RecoverySettings): Recovery {
  const { clock, requests, channels, durable, connection, onError } = settings;
  let cancel: (() => void) | undefined;
  let delayMs = graceMs;
  let asking = 0;

  /** Resolves to whether there is more to ask for at once. */
  async function recover(
    on: Connection,
    wanted: readonly { channel: string }[],
    timeoutMs?: number,
    isOpening?: boolean,
  ): Promise<boolean> {
    asking++;
    const answer = await requests.ask(on, 'recover', { channels: wanted }, timeoutMs);
    asking--;
    if ('content' in answer) {
      const { channels: entries = [] } = Object(answer.content) as Partial<Recovered>;
      return entries.filter((entry) => channels.answer(entry.channel, entry, isOpening)).length > 0;
    }
    if (answer.error.code !== 'disconnected') onError(answer.error);
    // What was missed is not known now, and nothing would tell later: this connection will not do.
    const isForbidden = answer.error.code === 'forbidden';
    if (isOpening && (isForbidden || isPassing(answer.error))) {
      // The token is of another user than the one before, who is not connected any more.
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
    // One hole in a channel of many is seen by all of its readers at one time.
    cancel = clock.after(delayMs * (1 + clock.random()), () => {
      cancel = undefined;
      const on = connection();
      // Without a connection the next one asks for everything; an answer under way looks again by itself.
      if (on && !asking) void ask(on);
    });
    delayMs = Math.min(maxGraceMs, delayMs * 2);
  }

  return {
    run: (on) => ask(on),
    watch,
    // Of every channel: that the last message got lost shows by nothing else.
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
      // Nothing is set any more.
      cancel = () => undefined;
    },
  };
}
