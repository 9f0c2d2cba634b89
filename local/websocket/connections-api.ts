import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import type { GatewayRequest } from '../gateway/request.ts';
import { authorize } from '../iam/authorize.ts';
import { isConnectionId } from '../gateway/ids.ts';
import type { Reply } from '../services/reply.ts';
import type { WebSocketApi } from './websocket-api.ts';
import { maxMessageBytes, type WebSocketConnection } from './connection.ts';

/** How DELETE ends a connection. No request can choose another code or reason. */
const closedNormally = { code: 1000, reason: 'Connection Closed Normally' };

/**
 * The callback API of one stage, `/{stage}/@connections/{id}`, by the API model apigatewaymanagementapi 2018-11-29.
 * It checks the signature and the IAM decision first, then the id, then the connection.
 */
export function handleConnection(
  gateway: Gateway,
  api: WebSocketApi,
  encodedId: string,
  request: GatewayRequest,
): Reply {
  const { method } = request;
  const verification = gateway.keys.verify(request, 'execute-api', new Date(gateway.now()));
  if (!verification.ok) {
    return { ...failure(403, 'ForbiddenException', 'Forbidden'), detail: verification.message };
  }
  const { apiId, stage } = api.definition;
  const id = decode(encodedId);
  const resource = executeApiArn(gateway.deployment, `${apiId}/${stage}/${method}/@connections/${id ?? ''}`);
  const decision = authorize(verification.principal, 'execute-api:ManageConnections', resource);
  if (!decision.allowed) {
    return { ...failure(403, 'AccessDeniedException', decision.message), detail: decision.message };
  }
  if (id === undefined || !isConnectionId(id)) {
    return failure(400, 'BadRequestException', `Invalid connectionId: ${id ?? encodedId}`);
  }
  if (method === 'POST' && request.body.length > maxMessageBytes) {
    return failure(413, 'PayloadTooLargeException', 'Request Entity Too Large');
  }
  const { faults } = gateway;
  if (faults.shouldInject('throttled')) return failure(429, 'LimitExceededException', 'Too Many Requests');
  const connection = api.find(id);
  if (!connection) return gone;
  if (method === 'POST') {
    const isYoung = gateway.now() - connection.facts.connectedAt < 60_000;
    if (isYoung && faults.shouldInject('youngGone')) return gone;
    if (!faults.shouldInject('serverError')) return post(connection, request.body);
    if (faults.between('serverError', 0, 1) < 0.5) post(connection, request.body);
    return failure(500, 'InternalServerException', 'Internal server error');
  }
  if (method === 'GET') return describe(connection);
  if (method !== 'DELETE') return failure(405, 'MethodNotAllowedException', 'Method Not Allowed');
  connection.close(closedNormally);
  return { status: 204, headers: {}, body: '' };
}

/** The stage and the connection id in a path; `undefined` if the path is no callback address. */
export function connectionIdIn(
  path: string,
): { readonly stage: string; readonly encodedId: string } | undefined {
  const match = /^\/([^/]+)\/(?:@|%40)connections\/([^/]+)$/i.exec(path);
  return match?.[1] !== undefined && match[2] !== undefined
    ? { stage: match[1], encodedId: match[2] }
    : undefined;
}

function post(connection: WebSocketConnection, body: Buffer): Reply {
  const result = connection.send(body.toString());
  if (result === 'gone') return gone;
  // API model: "… or the WebSocket client side buffer is full".
  if (result === 'full') return failure(429, 'LimitExceededException', 'The client side buffer is full');
  return { status: 200, headers: {}, body: '' };
}

function describe(connection: WebSocketConnection): Reply {
  const { connectedAt, sourceIp, userAgent } = connection.facts;
  return json(200, {
    connectedAt: new Date(connectedAt).toISOString(),
    lastActiveAt: new Date(connection.lastActiveAt).toISOString(),
    identity: { sourceIp, userAgent: userAgent ?? '' },
  });
}

/** API Gateway sends no body with this one. The header names it. */
const gone: Reply = { status: 410, headers: { 'x-amzn-errortype': 'GoneException' }, body: '' };

function failure(status: number, type: string, message: string): Reply {
  const reply = json(status, { message });
  return { ...reply, headers: { ...reply.headers, 'x-amzn-errortype': type } };
}

function json(status: number, value: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // A lone `%` is malformed: the answer is a 400.
  }
}
