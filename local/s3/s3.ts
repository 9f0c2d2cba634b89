import { buildApp } from 'fauxqs';
import { authorize, type Principal } from '../iam/authorize.ts';
import type { Meter } from '../meter.ts';
import { notRunHere } from '../services/not-run-here.ts';
import type { Reply } from '../services/reply.ts';
import type { KeyRing, VerificationFailure } from '../sigv4/key-ring.ts';
import { signedService } from '../sigv4/authorization.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import type { Deployment } from '../template/template.ts';
import { corsHeaders, readCorsRules } from './cors.ts';
import { pathStyleUrl, placeOf, readOperation, type S3Operation } from './operation.ts';
import { type Complaint, describeObject, storeChecksum, unsignedHeader, uploadComplaint } from './upload.ts';

export interface S3 {
  /** Whether a request is for S3: it is signed for it, or it is unsigned and names a bucket. */
  readonly handles: (request: HttpRequest) => boolean;
  /** Whether such a request names a bucket that exists here. */
  readonly hasBucketOf: (request: HttpRequest) => boolean;
  readonly handle: (request: HttpRequest) => Promise<Reply>;
  /** Makes the buckets that another deployment adds. Objects stay. */
  readonly update: (deployment: Deployment) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts S3 with the buckets of the template. Objects live in memory. */
export async function startS3(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly now: () => number;
}): Promise<S3> {
  const { deployment, keys, meter, now } = options;
  const engine = buildApp({ logger: false, defaultRegion: deployment.region });
  const buckets = new Map<string, ReturnType<typeof readCorsRules>>();
  await update(deployment);
  const hasBucketOf = (request: HttpRequest) => buckets.has(placeOf(request).bucket);

  return {
    hasBucketOf,
    handles(request) {
      const service = signedService(request);
      // A page asks unsigned whether it may call, and a public address has no signature either.
      return service === undefined ? hasBucketOf(request) : service === 's3';
    },
    async handle(request) {
      const rules = buckets.get(placeOf(request).bucket) ?? [];
      const cors = corsHeaders(rules, request);
      if (request.method === 'OPTIONS') return preflight(cors);
      const reply = await answer(request);
      return { ...reply, headers: { ...reply.headers, ...cors } };
    },
    update,
    close: () => engine.close(),
  };

  async function update(next: Deployment): Promise<void> {
    for (const bucket of next.ofType('AWS::S3::Bucket')) {
      const name = next.physicalId(bucket.logicalId);
      if (!buckets.has(name)) await engine.inject({ method: 'PUT', url: `/${name}` });
      buckets.set(name, readCorsRules(bucket));
    }
  }

  async function answer(request: HttpRequest): Promise<Reply> {
    const verification = keys.verify(request, 's3', new Date(now()));
    if (!verification.ok) {
      const { status, code } = refusals[verification.reason];
      return failure(status, code, verification.message, code);
    }
    const unsigned = unsignedHeader(request);
    if (unsigned !== undefined) return refuse(unsigned);
    const operation = readOperation(request);
    if (operation === undefined) return notRunHere(request);
    for (const { action, resource } of operation.grants) {
      const decision = authorize(verification.principal, action, resource);
      if (!decision.allowed) return failure(403, 'AccessDenied', decision.message, decision.message);
    }
    meter.count(`s3.${operation.name}`);
    if (operation.name !== 'PutObject') {
      const reply = describeObject(request, await callEngine(request));
      return isHidden(reply, operation, verification.principal) ? denied : reply;
    }
    const complaint = await uploadComplaint(request, () => exists(request));
    return complaint === undefined ? callEngine(storeChecksum(request)) : refuse(complaint);
  }

  /**
   * Who may not list a bucket must not learn which keys it has.
   * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, API_HeadObject.html
   */
  function isHidden({ status }: Reply, { name, bucket }: S3Operation, principal: Principal): boolean {
    if (status !== 404 || !buckets.has(bucket) || !(name === 'GetObject' || name === 'HeadObject'))
      return false;
    // It is no call of the principal, so nobody observes it.
    const { observe: _, ...silent } = principal;
    return !authorize(silent, 's3:ListBucket', `arn:aws:s3:::${bucket}`).allowed;
  }

  async function exists(request: HttpRequest): Promise<boolean> {
    const head = await engine.inject({ method: 'HEAD', url: pathStyleUrl(request) });
    return head.statusCode === 200;
  }

  async function callEngine(request: HttpRequest): Promise<Reply> {
    const { method, headers, body } = request;
    const kept = Object.entries(headers).filter(([name]) => !ownHeaders.has(name));
    const response = await engine.inject({
      // Every method that `readOperation` knows.
      method:
        method === 'PUT' || method === 'POST' || method === 'DELETE' || method === 'HEAD' ? method : 'GET',
      url: pathStyleUrl(request),
      headers: { 'content-type': 'application/octet-stream', ...Object.fromEntries(kept) },
      ...(method === 'PUT' || method === 'POST' ? { payload: body } : {}),
    });
    const answered = Object.entries(response.headers).flatMap(([name, value]) =>
      value === undefined || name === 'connection' || name === 'transfer-encoding'
        ? []
        : [[name, String(value)] as const],
    );
    return {
      status: response.statusCode,
      headers: Object.fromEntries(answered),
      body: response.rawPayload,
    };
  }
}

/** The engine makes its own of these. A host with dots would be a bucket to it. */
const ownHeaders = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'expect']);

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const refusals: Readonly<Record<VerificationFailure, { readonly status: number; readonly code: string }>> = {
  missing: { status: 403, code: 'AccessDenied' },
  malformed: { status: 400, code: 'AuthorizationHeaderMalformed' },
  unknown_key: { status: 403, code: 'InvalidAccessKeyId' },
  expired: { status: 403, code: 'AccessDenied' },
  mismatch: { status: 403, code: 'SignatureDoesNotMatch' },
};

const denied = failure(
  403,
  'AccessDenied',
  'Access Denied',
  'the key does not exist, and s3:ListBucket is not granted',
);

function preflight(cors: Readonly<Record<string, string>> | undefined): Reply {
  if (cors !== undefined) return { status: 200, headers: { ...cors }, body: '' };
  const message = 'CORSResponse: This CORS request is not allowed.';
  return failure(403, 'AccessForbidden', message, 'no CORS rule of the bucket matches');
}

function refuse({ status, code, message }: Complaint): Reply {
  return failure(status, code, message, message);
}

function failure(status: number, code: string, message: string, detail: string): Reply {
  const text = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${text}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body, detail };
}
