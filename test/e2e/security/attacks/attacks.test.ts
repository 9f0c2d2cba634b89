import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useEndpoint } from '../../../core/targets/endpoint.ts';
import type { Stack } from '../../stack.ts';
import { startWholeStack } from '../whole-stack.ts';
import { frames } from './frames.ts';
import { handshakes } from './handshakes.ts';
import { sessions } from './sessions.ts';
import { signatures } from './signatures.ts';
import { tenants } from './tenants.ts';

const endpoint = useEndpoint();
let stack: Stack;
beforeAll(async () => {
  stack = await startWholeStack(endpoint.url);
});
afterAll(() => stack.close());

describe.each([
  ['a handshake', handshakes],
  ['a signature', signatures],
  ['a frame', frames],
  ['a tenant', tenants],
  ['a session', sessions],
])('an attack on %s', (_what, attacks) => {
  for (const { name, run, expected } of attacks) {
    it(name, async () => {
      const got = await run(stack);
      if (typeof expected === 'object' && expected !== null) expect(got).toMatchObject(expected);
      else expect(got).toEqual(expected);
    });
  }
});
