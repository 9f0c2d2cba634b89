import type { Clock } from '../clock.ts';
import { maxPayloadBytes } from './environment.ts';
import type { Functions, LambdaFunction } from './functions.ts';
import { queryOf } from '../gateway/request.ts';
import { authorize } from '../iam/authorize.ts';
import { parseJson } from '../json.ts';
import type { Log } from '../log.ts';
import { type Reply, verificationCodes } from '../services/reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import { header, type HttpRequest } from '../sigv4/request.ts';
import type { Deployment } from '../template/template.ts';

/** The only operation of Lambda's API that runs here. */
export const invocationPath = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?|$)/;

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: 1 MB for an asynchronous call. */
const maxAsyncPayloadBytes = 1024 * 1024;

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: two retries, after one and two minutes. */
const retryDelaysMs = [60_000, 120_000];

/** A throttled asynchronous event waits so long. The backoff of Lambda starts at one second. */
const throttleDelayMs = 1000;

export interface LambdaApi {
  readonly handle: (request: HttpRequest) => Promise<Reply>;
  /** An asynchronous invocation by a service. The caller has checked that it is permitted. */
  readonly invokeAsync: (lambda: LambdaFunction, event: unknown) => void;
  /** Drops the pending retries. */
  readonly close: () => Promise<void>;
}

/** `POST /2015-03-31/functions/{name}/invocations` by name, partial or full ARN. */
export function createLambdaApi(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly functions: Functions;
  readonly clock: Clock;
  readonly log: Log;
  readonly now: () => number;
}): LambdaApi {
  const { deployment, keys, functions, clock, log, now } = options;
  const cancels = new Set<() => void>();
  let closed = false;

  return {
    async handle(request) {
      const verification = keys.verify(request, 'lambda', new Date(now()));
      if (!verification.ok) return failed(403, verificationCodes[verification.reason], verification.message);
      const arn = functionArn(invocationPath.exec(request.url)?.[1] ?? '', request.url);
      const decision = authorize(verification.principal, 'lambda:InvokeFunction', arn);
      if (!decision.allowed) return failed(403, 'AccessDeniedException', decision.message);
      const lambda = functions.byArn(arn);
      if (lambda === undefined || request.method !== 'POST') {
        return failed(404, 'ResourceNotFoundException', `Function not found: ${arn}`);
      }
      return invoke(lambda, request);
    },
    invokeAsync(lambda, event) {
      void invokeLater(lambda.arn, event, retryDelaysMs);
    },
    close() {
      closed = true;
      for (const cancel of cancels) cancel();
      return Promise.resolve();
    },
  };

  async function invoke(lambda: LambdaFunction, request: HttpRequest): Promise<Reply> {
    const kind = header(request, 'x-amz-invocation-type') ?? 'RequestResponse';
    const limit = kind === 'Event' ? maxAsyncPayloadBytes : maxPayloadBytes;
    if (request.body.length > limit) {
      const message = `Request must be smaller than ${String(limit)} bytes for the InvokeFunction operation`;
      return failed(413, 'RequestTooLargeException', message);
    }
    const event = request.body.length === 0 ? { value: {} } : parseJson(request.body.toString('utf8'));
    if (event === undefined) {
      return failed(400, 'InvalidRequestContentException', 'Could not parse request body into json.');
    }
    switch (kind) {
      case 'DryRun':
        return { status: 204, headers: {}, body: '' };
      case 'Event':
        void invokeLater(lambda.arn, event.value, retryDelaysMs);
        return { status: 202, headers: {}, body: '' };
      case 'RequestResponse':
        return answer(lambda, event.value);
      default:
        return failed(400, 'InvalidParameterValueException', `Unknown invocation type: ${kind}`);
    }
  }

  /** Looks the function up at each try, because another deployment may have replaced it. */
  async function invokeLater(arn: string, event: unknown, delaysMs: readonly number[]): Promise<void> {
    const outcome = await functions.byArn(arn)?.invoke(event);
    if (outcome === undefined) return;
    const [delayMs, ...rest] = delaysMs;
    if (outcome.status === 'throttled') retry(throttleDelayMs, delaysMs);
    else if (outcome.status === 'error' && delayMs !== undefined) retry(delayMs, rest);
    else if (outcome.status === 'error') {
      const detail = `failed ${String(retryDelaysMs.length + 1)} times, at last with ${outcome.errorType}`;
      log.request({ what: `EVENT ${arn.split(':function:')[1] ?? ''}`, status: 'dropped', ms: 0, detail });
    }

    function retry(ms: number, remainingMs: readonly number[]): void {
      if (closed) return;
      const cancel = clock.after(ms, () => {
        cancels.delete(cancel);
        void invokeLater(arn, event, remainingMs);
      });
      cancels.add(cancel);
    }
  }

  /** `name`, `name:qualifier`, `accountId:function:name` or a whole ARN. The query may hold the qualifier. */
  function functionArn(pathSegment: string, url: string): string {
    // Colons and the `$` of `$LATEST` are the only characters of a name or ARN that clients encode.
    const parts = pathSegment.replaceAll(/%3A/gi, ':').replaceAll('%24', '$').split(':');
    const [name = '', inPath] = parts.slice(parts.lastIndexOf('function') + 1);
    const qualifier = inPath ?? new URLSearchParams(queryOf(url)).get('Qualifier') ?? '$LATEST';
    const arn = `arn:aws:lambda:${deployment.region}:${deployment.accountId}:function:${name}`;
    return qualifier === '$LATEST' ? arn : `${arn}:${qualifier}`;
  }
}

async function answer(lambda: LambdaFunction, event: unknown): Promise<Reply> {
  const outcome = await lambda.invoke(event);
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  switch (outcome.status) {
    case 'ok':
      return { status: 200, headers, body: JSON.stringify(outcome.payload) };
    case 'error': {
      // The invocation succeeded. A header says that the function failed.
      const { errorType, errorMessage } = outcome;
      const body = JSON.stringify({ errorType, errorMessage });
      return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body };
    }
    case 'throttled':
      return failed(429, 'TooManyRequestsException', 'Rate Exceeded.');
  }
}

function failed(status: number, code: string, message: string): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
    body: JSON.stringify({ Type: 'User', message, Message: message }),
  };
}
