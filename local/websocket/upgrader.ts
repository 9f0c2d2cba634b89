import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

export interface Upgrader {
  /** Answers 101. `undefined` if that is no longer possible: the client has gone, or its headers are unusable. */
  complete(upgrade: AcceptedUpgrade): WebSocket | undefined;
  close(): void;
}

export interface AcceptedUpgrade {
  readonly incoming: IncomingMessage;
  readonly socket: Socket;
  /** The bytes that the client sent behind its request. */
  readonly head: Buffer;
  readonly subprotocol: string | undefined;
}

/** The server of `ws`, set up as API Gateway is. It turns an accepted handshake into a WebSocket. */
export function createUpgrader(maxMessageBytes: number): Upgrader {
  const subprotocols = new WeakMap<IncomingMessage, string>();
  const options = {
    // A client that has vanished does not answer a close frame. `$disconnect` should not wait 30 seconds for it.
    closeTimeout: 2000,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    // Only the choice of `$connect` counts. Without its header the answer has none (websocket-connect-route-subprotocol).
    handleProtocols: (_offered: Set<string>, request: IncomingMessage) => subprotocols.get(request) ?? false,
  };
  const server = new WebSocketServer(options);
  return {
    complete({ incoming, socket, head, subprotocol }) {
      if (subprotocol !== undefined) subprotocols.set(incoming, subprotocol);
      const opened: WebSocket[] = [];
      // `ws` calls back before it returns, or not at all.
      server.handleUpgrade(incoming, socket, head, (webSocket) => opened.push(webSocket));
      return opened[0];
    },
    close() {
      server.close();
    },
  };
}
