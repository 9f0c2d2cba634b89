import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { headerOf, type Gateway, type GatewayRequest } from '../gateway/gateway.ts';
import { goingAway, maxMessageBytes, WebSocketConnection, type ConnectionLimits } from './connection.ts';
import type { AuthorizerContext, ConnectionFacts } from './context.ts';
import type { WebSocketDefinition } from './definition.ts';
import type { Ending } from './disconnect-event.ts';
import { runDisconnect } from './disconnect.ts';
import { shakeHands } from './handshake.ts';
import { handleMessage } from './messages.ts';
import { PendingSocket, refuseUpgrade } from './pending-socket.ts';
import { readUpgrade } from './upgrade-request.ts';
import { Upgrader } from './upgrader.ts';

/** One stage of a WebSocket API: takes upgrades, holds the live connections, runs the routes' functions. */
export class WebSocketApi {
  readonly definition: WebSocketDefinition;
  readonly #gateway: Gateway;
  readonly #limits: ConnectionLimits;
  readonly #connections = new Map<string, WebSocketConnection>();
  readonly #work = new Set<Promise<void>>();
  readonly #upgrader = new Upgrader(maxMessageBytes);
  #isClosing = false;

  constructor(gateway: Gateway, definition: WebSocketDefinition, limits: ConnectionLimits) {
    this.definition = definition;
    this.#gateway = gateway;
    this.#limits = limits;
  }

  /** The live connection with this id: none before `$connect` has returned, none once it is closing. */
  find(connectionId: string): WebSocketConnection | undefined {
    const connection = this.#connections.get(connectionId);
    return connection?.isOver() ? undefined : connection;
  }

  /** Answers a handshake; the connection is pending until the authorizer and `$connect` have spoken. */
  upgrade(incoming: IncomingMessage, request: GatewayRequest, socket: Socket, head: Buffer): Promise<void> {
    const pending = new PendingSocket(socket, head);
    const admitted = this.#admit(incoming, request, pending).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    return this.#track(admitted);
  }

  /** Closes every connection with 1001 and lets `$disconnect` run for each, but waits no longer than `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    for (const connection of this.#connections.values()) connection.close(goingAway);
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.#workDone(), bound]);
    clearTimeout(timer);
    for (const connection of this.#connections.values()) connection.terminate();
    this.#upgrader.close();
  }

  async #admit(incoming: IncomingMessage, request: GatewayRequest, pending: PendingSocket): Promise<void> {
    const startedAt = performance.now();
    const { ids, now, host, log } = this.#gateway;
    const { apiId, stage } = this.definition;
    const requestId = ids.next();
    const connectedAt = now();
    const facts: ConnectionFacts = {
      apiId,
      stage,
      domainName: host,
      connectionId: ids.next(),
      connectedAt,
      sourceIp: request.sourceIp,
      userAgent: headerOf(request, 'user-agent'),
    };
    const report = (status: number, detail?: string): void => {
      const what = `CONNECT ${stage} ${facts.connectionId}`;
      const ms = performance.now() - startedAt;
      log.request({ what, status, ms, ...(detail === undefined ? {} : { detail }) });
    };

    const parts = readUpgrade(request, ids.trace(connectedAt));
    const handshake = await shakeHands(this.#gateway, this.definition, facts, parts, requestId);
    if (!handshake.accepted) {
      refuseUpgrade(pending.release().socket, handshake.status, {
        connectionId: facts.connectionId,
        requestId,
      });
      report(handshake.status, handshake.why);
      return;
    }
    const { socket, head, hasLeft } = pending.release();
    if (hasLeft || this.#isClosing) socket.destroy();
    const webSocket = this.#upgrader.complete(incoming, socket, head, handshake.subprotocol);
    if (webSocket) {
      this.#open(webSocket, socket, facts, handshake.authorizer);
      report(101);
      return;
    }
    // `$connect` has recorded it, so `$disconnect` has to follow, though nothing ever was live.
    report(499, 'the client went away before $connect returned');
    const lost = { code: 1006, reason: '' };
    await runDisconnect(this.#gateway, this.definition, facts, handshake.authorizer, lost);
  }

  #open(
    webSocket: WebSocket,
    socket: Socket,
    facts: ConnectionFacts,
    authorizer: AuthorizerContext | undefined,
  ): void {
    let isOver: (ending: Ending) => void = () => undefined;
    const over = new Promise<Ending>((resolve) => {
      isOver = resolve;
    });
    const connection = new WebSocketConnection(
      webSocket,
      socket,
      facts,
      authorizer,
      this.#limits,
      this.#gateway,
      {
        message: (text) => {
          void this.#track(handleMessage(this.#gateway, this.definition, connection, text));
        },
        closed: (ending) => {
          this.#connections.delete(facts.connectionId);
          isOver(ending);
        },
      },
    );
    void this.#track(
      over.then((ending) => runDisconnect(this.#gateway, this.definition, facts, authorizer, ending)),
    );
    this.#connections.set(facts.connectionId, connection);
    this.#gateway.meter.count('websocket.connects');
  }

  /** Keeps count of what is under way, so that `close` can wait for it. */
  #track(work: Promise<void>): Promise<void> {
    const tracked = work
      .catch((error: unknown) => {
        const detail = error instanceof Error ? error.name : 'an unknown error';
        this.#gateway.log.request({ what: `WebSocket ${this.definition.stage}`, status: 500, ms: 0, detail });
      })
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
    return tracked;
  }

  async #workDone(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }
}
