import { createChannels } from './channels/channels.ts';
import type { Client } from './client.ts';
import { createEmitter } from './emitter.ts';
import { disconnected, readError, SwitchboardError } from './errors.ts';
import type { Frame } from './frames.ts';
import { createInbox } from './inbox.ts';
import { createLifecycle } from './connection/lifecycle.ts';
import { type Connection, openConnection } from './connection/connection.ts';
import { createLiveness } from './connection/liveness.ts';
import type { Settings } from './options.ts';
import { createOutbox } from './sending/outbox.ts';
import { post } from './sending/post.ts';
import { listenToPage } from './connection/page-events.ts';
import { createRecovery } from './channels/recovery.ts';
import { createRefresh } from './connection/refresh.ts';
import { createRequests } from './sending/requests.ts';
import type { Status } from './status.ts';
import { createSubscriptions } from './topics/subscriptions.ts';
import { readWithHandler, readWithLoop, type TopicHandler } from './topics/topic-reading.ts';

// A message of such a type reaches only `*` and its topic: a handler could not tell it from the event.
const eventNames = ['status', 'lost', 'error', '*'];

/** Composes the parts of the client, and routes frames between them. */
export function openSession(settings: Settings): Client {
  const { clock, url, page, ticketUrl } = settings;
  // Throws for an invalid URL at once. The WebSocket's own error would come later and contain the token.
  const address = new URL(url);
  const ending = new AbortController();
  const emitter = createEmitter();
  const requests = createRequests(clock, settings.answerTimeoutMs);
  const channels = createChannels({
    deliver,
    lost: (lost) => emitter.emit('lost', lost),
    gap: () => recovery.watch(),
  });
  const parts = {
    ...settings,
    requests,
    channels,
    connection: () => lifecycle.connection,
    signal: ending.signal,
    closeReason: () => lifecycle.closeReason,
    look() {
      if (lifecycle.connection) liveness.check(lifecycle.connection, settings.answerTimeoutMs / 2);
    },
    onError: (error: SwitchboardError) => {
      if (!lifecycle.closeReason) emitter.emit('error', error);
    },
  };
  const recovery = createRecovery(parts);
  const subscriptions = createSubscriptions(parts);
  const outbox = createOutbox(parts);
  const refresh = createRefresh({ ...parts, ...subscriptions });
  const liveness = createLiveness(clock, recovery.probe, settings.heartbeatAfterMs);
  const lifecycle = createLifecycle({
    ...settings,
    ...liveness,
    enter: (token) => (ticketUrl ? post(ticketUrl, 'ticket', token, ending.signal) : { content: token }),
    open(entry) {
      address.searchParams.set(settings.tokenParameter, String(entry));
      return openConnection(address.href, { ...settings, onFrame, onEnd });
    },
    restore: async (connection) => {
      await Promise.all([recovery.open(connection), subscriptions.restore(connection)]);
      await recovery.run(connection);
    },
    onStatus,
    onConnection(connection, token) {
      refresh.start(connection, token);
      void subscriptions.restore(connection);
    },
  });
  listenToPage(page, lifecycle.pause, lifecycle.wake, ending);

  function onFrame(frame: Frame, connection: Connection): void {
    const { type, content } = frame;
    if (requests.answer(frame)) return;
    if (type === 'closing') {
      const { retry } = Object(content) as { retry?: unknown };
      lifecycle.onClosing(connection, readError(content), retry);
    } else if (type === 'error') parts.onError(readError(content));
    else if (type !== 'ack' && type !== 'pong') channels.receive(frame);
  }

  function onEnd(connection: Connection, reason: SwitchboardError): void {
    requests.drop(lifecycle.closeReason ?? disconnected(), connection);
    subscriptions.drop(connection);
    lifecycle.onEnd(connection, reason);
  }

  function deliver(frame: Frame): void {
    const { type, content } = frame;
    for (const name of eventNames.includes(type) ? ['*'] : [type, '*']) {
      // A handler may close the client while held frames are being delivered.
      if (!lifecycle.closeReason) emitter.emit(name, content, frame);
    }
    subscriptions.deliver(frame);
  }

  function onStatus(status: Status): void {
    if (status.state === 'closed') {
      ending.abort();
      // A remaining timer would keep a Node process alive.
      recovery.stop();
      refresh.stop();
      liveness.stop();
      subscriptions.end(status.reason);
      requests.drop(status.reason);
    }
    outbox.flush();
    emitter.emit('status', status);
  }

  lifecycle.dial();
  return {
    get status() {
      return lifecycle.status;
    },
    inbox: createInbox(outbox, emitter),
    on: emitter.on,
    once: (name: string, handler: () => void) => emitter.on(name, handler, true),
    off: emitter.off,
    send: outbox.send,
    request: outbox.send,
    subscribe: (topic: string, handler?: TopicHandler) =>
      handler
        ? readWithHandler(subscriptions, topic, handler)
        : readWithLoop(subscriptions, topic, settings.bufferLimit),
    close: () => lifecycle.finish(new SwitchboardError('closed'), false),
  } as Client;
}
