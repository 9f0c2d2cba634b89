import type { AuthorizerContext } from './auth/authorizer-context.ts';

// The fields of events that the functions read. On WebSocket events, @types/aws-lambda lacks headers, identity and
// authorizer, and requires a messageId. AWS's examples are in aws-lambda-go, events/testdata.

type Headers = Readonly<Record<string, string | undefined>>;

interface RequestContext {
  readonly connectionId: string;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  readonly identity: { readonly sourceIp: string; readonly userAgent?: string | null };
}

/** The event of a WebSocket API's REQUEST authorizer, once per handshake. */
export interface AuthorizerEvent {
  readonly methodArn: string;
  readonly headers?: Headers | null;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null;
  readonly requestContext: RequestContext;
}

/** The event of an HTTP API's Lambda authorizer, payload format 2.0. */
export interface HttpAuthorizerEvent {
  readonly routeArn: string;
  readonly routeKey: string;
  readonly headers?: Headers;
}

/** The event CONNECT. */
export interface ConnectionEvent {
  readonly requestContext: RequestContext & { readonly authorizer: AuthorizerContext };
}

export interface DisconnectEvent extends ConnectionEvent {
  readonly requestContext: ConnectionEvent['requestContext'] & {
    readonly disconnectStatusCode?: number | null;
    readonly disconnectReason?: string | null;
  };
}

export interface MessageEvent extends ConnectionEvent {
  readonly body?: string | null;
}

/** An HTTP API event, payload format 2.0. */
export interface HttpEvent {
  readonly routeKey: string;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly headers?: Headers;
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
  readonly requestContext: {
    readonly http: { readonly method: string };
    /**
     * Only on routes that IAM authorizes. `userArn` is the ARN of the caller, as `$context.identity.userArn` has it
     * (http-api-logging-variables). The form is that of aws-lambda-go, events/testdata/apigw-v2-request-iam.json.
     */
    readonly authorizer?: { readonly iam?: { readonly userArn: string } };
  };
}

/** The same event, on a route with a Lambda authorizer. */
export interface AuthorizedHttpEvent extends HttpEvent {
  readonly requestContext: HttpEvent['requestContext'] & {
    readonly authorizer: { readonly lambda: AuthorizerContext };
  };
}

/** The event of an event source mapping for a DynamoDB stream. */
export interface StreamEvent {
  readonly Records: readonly {
    readonly eventSource: 'aws:dynamodb';
    readonly eventName: string;
    readonly dynamodb: { readonly SequenceNumber: string; readonly Keys: unknown };
  }[];
}

/** The event of an event source mapping for an SQS queue. */
export interface QueueEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly receiptHandle: string;
    readonly body: string;
    readonly attributes: { readonly ApproximateReceiveCount: string };
  }[];
}

/** A header's value. The case of the name does not matter, because WebSocket events keep the client's. */
export function header(headers: Headers | null | undefined, name: string): string | undefined {
  const entry = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return entry?.[1];
}
