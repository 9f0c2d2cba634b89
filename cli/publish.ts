import { regionOf, sendSigned } from '../publisher/signed-request.ts';
import { CommandError, readFlags, readWholeNumber, UsageError } from './command-line.ts';

const usage = `switchboard publish --to user:member:42 --type notice-push --content '{"title":"hi"}' [--endpoint URL]
In a clone of the repository: npm run publish -- --to user:member:42 …

Publishes a message and prints the answer as JSON.

  --to TARGET      session:ID, user:TYPE:ID, type:TYPE, topic:NAME or everyone; may be repeated (required)
  --type TYPE      the type of the message (required without --text)
  --content JSON   the content of the message (required without --text)
  --text TEXT      bare text in place of a type and content, for front ends that take no frames
  --tenant TENANT  the isolated customer (default default)
  --message-id ID  a UUID, the idempotency key: the same one again within a day publishes nothing
  --durable        stores the message in the channel's log, for users who are offline
  --ttl SECONDS    how long the log keeps it (default 604800, 7 days)
  --at TIME        delivers it later: epoch milliseconds, or a time such as 2026-12-24T18:00:00+01:00
  --endpoint URL   the stack's PublishUrl (default http://127.0.0.1:8080/publish)
  --region REGION  the Region of the stack; needed behind a custom domain, whose name does not say it

The request is signed with the default AWS credential chain; for an endpoint on this machine, with the local keys.
Exit code 0: published. 1: refused, or no answer. 2: wrong use.`;

const options = {
  to: { type: 'string', multiple: true },
  type: { type: 'string' },
  content: { type: 'string' },
  text: { type: 'string' },
  tenant: { type: 'string' },
  'message-id': { type: 'string' },
  durable: { type: 'boolean' },
  ttl: { type: 'string' },
  at: { type: 'string' },
  endpoint: { type: 'string', default: 'http://127.0.0.1:8080/publish' },
  region: { type: 'string' },
} as const;

export async function publish(args: readonly string[]): Promise<void> {
  const flags = readFlags(usage, options, args);
  const { to, type, content, text, tenant, durable } = flags;
  for (const [flag, value] of Object.entries(text === undefined ? { to, type, content } : { to })) {
    if (value === undefined) throw new UsageError(`--${flag} is required. See --help.`);
  }
  if (text !== undefined && (type ?? content) !== undefined)
    throw new UsageError('--text takes the place of --type and --content.');
  const messageId = flags['message-id'];
  const ttlSeconds = flags.ttl === undefined ? undefined : readWholeNumber('ttl', flags.ttl, 1, 31_536_000);
  // The stack says what is wrong with a time. Digits alone are epoch milliseconds.
  const deliverAt = /^\d+$/.test(flags.at ?? '') ? Number(flags.at) : flags.at;
  const body = JSON.stringify({
    to,
    type,
    content: content === undefined ? undefined : readJson(content),
    text,
    tenant,
    messageId,
    durable,
    ttlSeconds,
    deliverAt,
  });
  const url = readEndpoint(flags.endpoint);
  const region = flags.region ?? regionOf(url);
  if (region === undefined) throw new UsageError(`--region is required: ${url.hostname} names no Region.`);
  const answer = await post(url, region, body);
  console.log(prettyJson(answer.text));
  if (answer.status >= 300) process.exitCode = 1;
}

async function post(url: URL, region: string, body: string): Promise<{ status: number; text: string }> {
  try {
    const response = await sendSigned({ method: 'POST', url, region, body });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'CredentialsProviderError') {
      throw new CommandError('The AWS credential chain has no credentials: set AWS_PROFILE or log in.');
    }
    if (!(cause instanceof TypeError)) throw cause;
    throw new CommandError(`No answer came from ${url.origin}. Is it running there?`, { cause });
  }
}

function readEndpoint(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`--endpoint must be a URL, got ${JSON.stringify(text)}.`);
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol))
    throw new UsageError(`--endpoint must be http or https, got ${url.protocol}`);
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/publish$/, '')}/publish`;
  return url;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(
      `--content must be JSON, got ${JSON.stringify(text)}. A JSON string has double quotes: '"text"'.`,
    );
  }
}

function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return text;
  }
}
