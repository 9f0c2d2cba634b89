import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Principal } from '../iam/authorize.ts';
import { type Authorization, readAuthorization, scopeComplaint, skewComplaint } from './authorization.ts';
import { canonicalRequest, type HttpRequest } from './request.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The temporary credentials of a role have a token. Those of a user have none. */
  readonly sessionToken?: string;
}

export type Verification =
  | { readonly ok: true; readonly principal: Principal; readonly service: string }
  | { readonly ok: false; readonly reason: VerificationFailure; readonly message: string };

export type VerificationFailure = 'missing' | 'malformed' | 'unknown_key' | 'expired' | 'mismatch';

/** The access keys of this cloud: one pair for the role of each function, and one for the developer. */
export class KeyRing {
  readonly #region: string;
  readonly #random: (bytes: number) => Buffer;
  readonly #keys = new Map<string, { readonly principal: Principal; readonly credentials: Credentials }>();
  /** A signing key is for one day, Region and service. */
  readonly #signingKeys = new Map<string, Buffer>();

  constructor(region: string, random: (bytes: number) => Buffer = randomBytes) {
    this.#region = region;
    this.#random = random;
  }

  add(principal: Principal, credentials: Credentials): void {
    this.#keys.set(credentials.accessKeyId, { principal, credentials });
  }

  /** Makes temporary credentials as STS does for a role: a key id with the prefix `ASIA`, a secret and a token. */
  issue(principal: Principal): Required<Credentials> {
    const credentials = {
      accessKeyId: `ASIA${this.#random(8).toString('hex').toUpperCase()}`,
      secretAccessKey: this.#random(30).toString('base64'),
      sessionToken: this.#random(48).toString('base64'),
    };
    this.add(principal, credentials);
    return credentials;
  }

  principalOf(accessKeyId: string): Principal | undefined {
    return this.#keys.get(accessKeyId)?.principal;
  }

  /**
   * Verifies Signature Version 4, in the header or in the query. `service` is the service that received the request.
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
   */
  verify(request: HttpRequest, service: string, now: Date): Verification {
    const read = readAuthorization(request);
    if (!read.ok) return read;
    const { authorization } = read;
    const entry = this.#keys.get(authorization.accessKeyId);
    if (entry === undefined || !equal(authorization.securityToken, entry.credentials.sessionToken ?? '')) {
      return failure('unknown_key', 'The security token included in the request is invalid.');
    }
    const complaint = scopeComplaint(authorization, service, this.#region);
    if (complaint !== undefined) return failure('mismatch', complaint);
    const expiry = skewComplaint(authorization, now);
    if (expiry !== undefined) return failure('expired', expiry);
    const canonical = canonicalRequest(request, authorization);
    if (canonical === undefined) {
      // S3 takes a signed header that is missing for a wrong signature.
      const reason = service === 's3' ? 'mismatch' : 'malformed';
      return failure(reason, 'The request URI or a signed header is not valid.');
    }
    const scope = `${authorization.date}/${authorization.region}/${authorization.service}/aws4_request`;
    const digest = createHash('sha256').update(canonical).digest('hex');
    const stringToSign = `AWS4-HMAC-SHA256\n${authorization.timestamp}\n${scope}\n${digest}`;
    const signature = hmac(this.#signingKey(entry.credentials, authorization), stringToSign).toString('hex');
    if (!equal(signature, authorization.signature)) {
      return failure(
        'mismatch',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret ' +
          'Access Key and signing method. Consult the service documentation for details.',
      );
    }
    return { ok: true, principal: entry.principal, service };
  }

  #signingKey(credentials: Credentials, { date, region, service }: Authorization): Buffer {
    const name = `${credentials.accessKeyId}/${date}/${region}/${service}`;
    const known = this.#signingKeys.get(name);
    if (known !== undefined) return known;
    const key = [date, region, service, 'aws4_request'].reduce(
      (previous: string | Buffer, part) => hmac(previous, part),
      `AWS4${credentials.secretAccessKey}`,
    );
    const made = Buffer.from(key);
    // There are few keys for one day. Those of older days are useless.
    if (this.#signingKeys.size >= 1000) this.#signingKeys.clear();
    this.#signingKeys.set(name, made);
    return made;
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Compares in constant time. The lengths of keys and signatures are no secret. */
function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function failure(reason: VerificationFailure, message: string): Verification {
  return { ok: false, reason, message };
}
