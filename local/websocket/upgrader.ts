import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** The part of `ws` that turns an accepted handshake into a WebSocket, set up as API Gateway is. */
export class Upgrader {
  readonly #subprotocols = new WeakMap<IncomingMessage, string>();
  readonly #server: WebSocketServer;

  constructor(maxMessageBytes: number) {
    const options = {
      // A client that has vanished does not answer a close frame; `$disconnect` should not wait 30 seconds for it.
      closeTimeout: 2000,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      // Only what `$connect` chose: without its header the answer has none (websocket-connect-route-subprotocol).
      handleProtocols: (_offered: Set<string>, request: IncomingMessage) =>
        this.#subprotocols.get(request) ?? false,
    };
    this.#server = new WebSocketServer(options);
  }

  /** Answers 101. `undefined` where that is no longer possible: the client has gone, or its headers are unusable. */
  complete(
    incoming: IncomingMessage,
    socket: Socket,
    head: Buffer,
    subprotocol: string | undefined,
  ): WebSocket | undefined {
    if (subprotocol !== undefined) this.#subprotocols.set(incoming, subprotocol);
    const opened: WebSocket[] = [];
    // Calls back before it returns, or not at all.
    this.#server.handleUpgrade(incoming, socket, head, (webSocket) => opened.push(webSocket));
    return opened[0];
  }

  close(): void {
    this.#server.close();
  }
}
