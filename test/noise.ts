import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { errorTable } from '../protocol/index.ts';

/** A valid content for each type that a stack of these tests takes. Noise changes one place of it. */
const contents: Readonly<Record<string, unknown>> = {
  ping: null,
  subscribe: { topic: 'news.eu', epoch: '', offset: 0 },
  unsubscribe: { topic: 'news.eu' },
  recover: { channels: [{ channel: 'user', epoch: '', offset: 0 }, { channel: 'topic:news.eu' }] },
  refresh: { token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl' },
  history: { channel: 'topic:news.eu', before: 10, limit: 10 },
  'inbox-list': { after: 0, limit: 10 },
  'inbox-unread': {},
  'inbox-mark-read': { offset: 0 },
  repeat: { text: 'hello', list: [1] },
};

const publishRequest = {
  to: ['user:member:1', 'topic:news.eu'],
  type: 'news',
  content: { text: 'hello' },
  tenant: 'default',
  messageId: '5b1c7a52-9b0d-4b5e-8c39-5d8f3b5b2f10',
  durable: false,
  ttlSeconds: 60,
  exclude: ['AbCdEfGhIjKlMno='],
  report: 'counts',
};

const prototypeNames = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'];

/** Any UTF-16 text: halves of surrogate pairs too. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));

/** Powers of two. Most are small, which leaves the time to more frames. API Gateway closes above 32 KB. */
function sizes(maxExponent: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: maxExponent }).map((exponent) => 2 ** exponent);
}

/** A value as JSON text, because no JavaScript value spells a number out of range, or a name twice. */
const anyJson: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('null', 'true', '""', '[]', '{}', '-1', '1.5', '1e400', '-1e400', '9007199254740993', '-0'),
  fc.constantFrom('"\\ud800"', '"\\u0000"', '"\\udfff\\ud800"', '{"__proto__":{"isAdmin":true}}'),
  fc.constantFrom(...prototypeNames).map((name) => `{"${name}":{"${name}":1}}`),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  anyText.map((text) => JSON.stringify(text)),
  fc
    .oneof(fc.constantFrom(499, 500, 501), sizes(13))
    .map((levels) => '['.repeat(levels) + ']'.repeat(levels)),
  sizes(11).map((count) => JSON.stringify(Array.from({ length: count }, () => 0))),
  sizes(14).map((length) => JSON.stringify('x'.repeat(length))),
);

/** A value as JSON, with one place of it replaced, left out, named twice or added. */
function nearMiss(value: unknown): fc.Arbitrary<string> {
  const places = placesIn(value);
  return fc
    .tuple(fc.constantFrom(...places), anyJson, fc.integer({ min: 0, max: 3 }))
    .map(([place, json, how]) =>
      write(value, [], (path, written) => {
        if (path !== place) return written;
        if (how === 0) return undefined;
        if (how === 1 && written.startsWith('{')) return written.replace('{', `{"constructor":${json},`);
        return json;
      }),
    );
}

/** The paths of all values within a value, such as `.content.topic`. */
function placesIn(value: unknown, path = ''): readonly string[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([key, child]) => placesIn(child, `${path}.${key}`))];
}

function write(
  value: unknown,
  keys: readonly string[],
  change: (path: string, written: string) => string | undefined,
): string {
  const path = keys.map((key) => `.${key}`).join('');
  const inner = (child: unknown, key: string) => write(child, [...keys, key], change);
  const given = (parts: readonly string[]) => parts.filter((part) => !part.endsWith(':') && part !== '');
  if (Array.isArray(value)) {
    const items = value.map((child, index) => inner(child, String(index)));
    return change(path, `[${given(items).join(',')}]`) ?? '';
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, child]) => `${JSON.stringify(key)}:${inner(child, key)}`);
    return change(path, `{${given(fields).join(',')}}`) ?? '';
  }
  return change(path, JSON.stringify(value)) ?? '';
}

const framesOfTypes = fc.oneof(
  ...Object.entries(contents).map(([type, content]) => nearMiss({ type, id: '1', content })),
);

/** The text of a frame, from random bytes to almost right. */
export const noisyFrame: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: framesOfTypes },
  { weight: 1, arbitrary: anyJson },
  { weight: 1, arbitrary: anyText },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...prototypeNames, '$connect', '$default', 'ack', 'closing', ''), anyJson)
      .map(([type, content]) => `{"type":${JSON.stringify(type)},"content":${content},"id":"1"}`),
  },
);

/** The body of a publish, from random text to almost right. */
export const noisyPublish: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: nearMiss(publishRequest) },
  { weight: 1, arbitrary: anyJson },
  { weight: 1, arbitrary: anyText },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
);

export function sample<Value>(arbitrary: fc.Arbitrary<Value>, count: number, seed: number): readonly Value[] {
  return fc.sample(arbitrary, { numRuns: count, seed });
}

/** What is wrong with the answer to a noisy frame; `undefined`: docs/protocol.md allows it. No answer is one too. */
export function faultOfAnswer(frame: string, answer: string | undefined): string | undefined {
  const about = `${JSON.stringify(frame.slice(0, 300))} got ${answer?.slice(0, 300) ?? 'nothing'}`;
  // Only a frame that succeeded, and that had no id, has no answer.
  if (answer === undefined) return /"id":"1"/.test(frame) ? about : undefined;
  if (answer === 'pong') return frame === 'ping' ? undefined : about;
  const { type, content } = JSON.parse(answer) as { type: string; content: { code?: string } | null };
  if (type === 'ack' || type === 'pong') return undefined;
  const code = content?.code ?? '';
  const isNamed = type === 'error' && Object.hasOwn(errorTable, code) && code !== 'internal';
  return isNamed ? undefined : about;
}

/** What is wrong with the answer to a noisy request. */
export function faultOfResponse(request: string, status: number, body: string): string | undefined {
  const about = `${JSON.stringify(request.slice(0, 300))} got ${String(status)} ${body.slice(0, 300)}`;
  if (status === 200 || status === 202) return undefined;
  const { error } = JSON.parse(body) as { error?: { code: string; message: string } };
  const known = Object.entries(errorTable).find(([code]) => code === error?.code);
  return known && known[1].httpStatus === status && status < 500 ? undefined : about;
}

/** The bytes of the heap that are in use after a garbage collection. */
export function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
