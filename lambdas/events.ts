import type { AuthorizerContext } from './authorizer-context.ts';

// Our own shapes: @types/aws-lambda has no headers, identity or authorizer on WebSocket events and wants a messageId
// on each. Fields are those of real events that we read; AWS's test data is in aws-lambda-go, events/testdata.

type Headers = Readonly<Record<string, string | undefined>>;

interface RequestContext {
  readonly connectionId: string;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  readonly identity: { readonly sourceIp: string; readonly userAgent?: string | null };
}

/** A REQUEST authorizer of a WebSocket API is asked this, once per handshake. */
export interface AuthorizerEvent {
  readonly methodArn: string;
  readonly headers?: Headers | null;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly requestContext: RequestContext;
}

/** A Lambda authorizer of an HTTP API is asked this, in payload format 2.0. */
export interface HttpAuthorizerEvent {
  readonly routeArn: string;
  readonly routeKey: string;
  readonly headers?: Headers;
}

/** CONNECT and DISCONNECT. */
export interface ConnectionEvent {
  readonly requestContext: RequestContext & { readonly authorizer: AuthorizerContext };
}

export interface MessageEvent extends ConnectionEvent {
  readonly body?: string | null;
}

/** An HTTP API event, payload format 2.0. */
export interface HttpEvent {
  readonly routeKey: string;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
  readonly requestContext: { readonly http: { readonly method: string } };
}

/** The same on a route that a Lambda authorizer has let it through to. */
export interface AuthorizedHttpEvent extends HttpEvent {
  readonly requestContext: HttpEvent['requestContext'] & {
    readonly authorizer: { readonly lambda: AuthorizerContext };
  };
}

/** What an event source mapping hands over of an SQS queue. */
export interface QueueEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly receiptHandle: string;
    readonly body: string;
    readonly attributes: { readonly ApproximateReceiveCount: string };
  }[];
}

/** A header's value whatever the case of its name: WebSocket events keep the case the client sent. */
export function header(headers: Headers | null | undefined, name: string): string | undefined {
  const entry = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return entry?.[1];
}
