import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { domainNameOf, type Gateway } from '../gateway/gateway.ts';
import { headerOf, type GatewayRequest } from '../gateway/request.ts';
import {
  goingAway,
  maxMessageBytes,
  WebSocketConnection,
  type ConnectionEvents,
  type ConnectionLimits,
} from './connection.ts';
import type { WebSocketDefinition } from './definition.ts';
import { runDisconnect } from './disconnect.ts';
import type { AuthorizerContext, ConnectionFacts, Ending } from './events.ts';
import { shakeHands } from './handshake.ts';
import { handleMessage } from './messages.ts';
import { PendingSocket, refuseUpgrade } from './pending-socket.ts';
import { readUpgradeRequest } from './upgrade-request.ts';
import { createUpgrader } from './upgrader.ts';

/** One stage of a WebSocket API. It takes upgrades, holds the live connections and runs the functions of the routes. */
export class WebSocketApi {
  #definition: WebSocketDefinition;
  #gateway: Gateway;
  readonly #limits: ConnectionLimits;
  readonly #connections = new Map<string, WebSocketConnection>();
  readonly #work = new Set<Promise<void>>();
  readonly #upgrader = createUpgrader(maxMessageBytes);
  #isClosing = false;

  constructor(gateway: Gateway, definition: WebSocketDefinition, limits: ConnectionLimits) {
    this.#definition = definition;
    this.#gateway = gateway;
    this.#limits = limits;
  }

  get definition(): WebSocketDefinition {
    return this.#definition;
  }

  /** Takes the routes of another deployment. Connections stay open, as on AWS: their next message takes the new route. */
  update(gateway: Gateway, definition: WebSocketDefinition): void {
    this.#gateway = gateway;
    this.#definition = definition;
  }

  /** The live connection with this id. It is live from the return of `$connect` until it starts to close. */
  find(connectionId: string): WebSocketConnection | undefined {
    const connection = this.#connections.get(connectionId);
    return connection?.isOver() ? undefined : connection;
  }

  /** Answers a handshake. The socket waits until the authorizer and `$connect` have returned. */
  upgrade(incoming: IncomingMessage, request: GatewayRequest, socket: Socket, head: Buffer): Promise<void> {
    const pending = new PendingSocket(socket, head);
    const admitted = this.#admit(incoming, request, pending).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    return this.#track(admitted);
  }

  /** Closes every connection with 1001. `$disconnect` runs for each, for at most `graceMs`. */
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
    const { deployment, ids, now, log } = this.#gateway;
    const { apiId, stage } = this.definition;
    const requestId = ids.next();
    const connectedAt = now();
    const facts: ConnectionFacts = {
      apiId,
      stage,
      domainName: domainNameOf(deployment, apiId),
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

    const { definition } = this;
    const upgrade = readUpgradeRequest(request, ids.trace(connectedAt));
    const handshake = await shakeHands(this.#gateway, { definition, facts, upgrade, requestId });
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
    const { authorizer, subprotocol } = handshake;
    const webSocket = this.#upgrader.complete({ incoming, socket, head, subprotocol });
    if (webSocket) {
      this.#open(webSocket, socket, facts, authorizer);
      report(101);
      return;
    }
    // `$connect` has recorded the connection, so `$disconnect` must follow, although the connection never opened.
    report(499, 'the client went away before $connect returned');
    const ending = { code: 1006, reason: '' };
    await runDisconnect(this.#gateway, { definition, facts, authorizer, ending });
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
    const events: ConnectionEvents = {
      message: (text) => {
        void this.#track(handleMessage(this.#gateway, this.#definition, connection, text));
      },
      closed: (ending) => {
        this.#connections.delete(facts.connectionId);
        isOver(ending);
      },
    };
    const connection = new WebSocketConnection({
      gateway: this.#gateway,
      socket: webSocket,
      transport: socket,
      facts,
      authorizer,
      limits: this.#limits,
      events,
    });
    void this.#track(
      over.then((ending) =>
        runDisconnect(this.#gateway, { definition: this.#definition, facts, authorizer, ending }),
      ),
    );
    this.#connections.set(facts.connectionId, connection);
    this.#gateway.meter.count('websocket.connects');
  }

  /** Keeps the work that is under way, so that `close` can wait for it. */
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
