import * as z from 'zod/mini';
import { defaultTenant, defaultUserType, name } from '../protocol/index.ts';
import { readFlags, readWholeNumber, UsageError } from './command-line.ts';
import { readLocalSecret } from './local-secret.ts';
import { signToken } from './sign-token.ts';

const usage = `switchboard token --user 42 [--type member] [--tenant default] [--topics 'orders.*'] [--ttl 3600] [--claim NAME=VALUE]
In a clone of the repository: npm run token -- --user 42 …

Prints a token for the stacks that run on this machine. A client connects with it: ws://…/live?token=…
It is signed with the secret in ~/.switchboard/local.json, which the start of a laptop cloud writes.
The claims have the names that tokenClaims in ./cdk.json gives them. Its maxTokenLifetimeSeconds is the longest --ttl.

  --user ID        the user's id (required)
  --type TYPE      the kind of user (default member)
  --tenant TENANT  the isolated customer (default default)
  --topics LIST    patterns of the topics that the user may subscribe to, separated by commas
  --claim NAME=VALUE
                   a further claim, such as name=Ada; a value that begins with [ or { is JSON. May be repeated
  --ttl SECONDS    how long the token is valid (default 3600); a negative number makes an expired token`;

/** What the claim `topics` may hold (docs/protocol.md, P3). */
const topicPattern = /^[A-Za-z0-9._@+/*-]{1,256}$/;

const options = {
  user: { type: 'string' },
  type: { type: 'string', default: defaultUserType },
  tenant: { type: 'string', default: defaultTenant },
  topics: { type: 'string', default: '' },
  ttl: { type: 'string', default: '3600' },
  claim: { type: 'string', multiple: true, default: [] as string[] },
} as const;

export async function token(args: readonly string[]): Promise<void> {
  const flags = readFlags(usage, options, args);
  if (flags.user === undefined) throw new UsageError('--user is required. See --help.');
  const request = {
    user: readName('user', flags.user),
    type: readName('type', flags.type),
    tenant: readName('tenant', flags.tenant),
    topics: readPatterns(flags.topics),
    ttlSeconds: readWholeNumber('ttl', flags.ttl, -1e9, 1e9),
    claims: Object.fromEntries(flags.claim.map(readClaim)),
  };
  console.log(await signToken(readLocalSecret(), request));
}

function readPatterns(text: string): string[] {
  const patterns = text
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
  const wrong = patterns.find((pattern) => !topicPattern.test(pattern));
  if (wrong === undefined) return patterns;
  const allowed = 'patterns of 1 to 256 of A-Z a-z 0-9 . _ @ + - / *, separated by commas';
  throw new UsageError(`--topics must be ${allowed}, got ${JSON.stringify(wrong)}.`);
}

function readName(flag: string, text: string): string {
  const read = z.safeParse(name, text);
  if (read.success) return read.data;
  throw new UsageError(
    `--${flag} ${read.error.issues[0]?.message ?? 'is invalid'}, got ${JSON.stringify(text)}.`,
  );
}

function readClaim(text: string): readonly [string, unknown] {
  const [, claim = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (claim === '') throw new UsageError(`--claim must be NAME=VALUE, got ${JSON.stringify(text)}.`);
  return [claim, readValue(value)];
}

/** A list or an object is JSON. So is a number, but a claim such as a phone number is text. */
function readValue(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(`--claim has a value that begins like JSON and is not JSON: ${text}`, { cause });
  }
}
