import { describe, expect, it } from 'vitest';
import { createVerifier, nowMs, payload, secret, sign } from './tokens-under-test.ts';

const next = `${secret} (2)`;
const afterNext = `${secret} (3)`;

/** A secret in Secrets Manager, read by one function environment. */
function createEnvironment() {
  let versions: { AWSCURRENT: string; AWSPREVIOUS?: string } = { AWSCURRENT: secret };
  let now = nowMs;
  const reads: string[] = [];
  const verify = createVerifier(
    { maxLifetimeSeconds: 86_400 },
    {
      clock: { now: () => now },
      readSecret(_arn, version) {
        reads.push(version);
        return Promise.resolve(versions[version]);
      },
    },
  );
  return {
    reads,
    rotateTo(text: string) {
      versions = { AWSCURRENT: text, AWSPREVIOUS: versions.AWSCURRENT };
    },
    pass(seconds: number) {
      now += seconds * 1000;
    },
    async accepts(key: string) {
      return (await verify(await sign({ ...payload, exp: now / 1000 + 60 }, key))).ok;
    },
  };
}

describe('a secret that is rotated', () => {
  it('is noticed by the first token of the new one, and the old one stays valid', async () => {
    const environment = createEnvironment();
    expect(await environment.accepts(secret)).toBe(true);
    environment.rotateTo(next);
    expect(await environment.accepts(next)).toBe(true);
    expect(await environment.accepts(secret)).toBe(true);
    expect(environment.reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPREVIOUS']);
  });

  it('still verifies old tokens in an environment that starts after it', async () => {
    const environment = createEnvironment();
    environment.rotateTo(next);
    expect(await environment.accepts(next)).toBe(true);
    expect(environment.reads).toEqual(['AWSCURRENT']);
    expect(await environment.accepts(secret)).toBe(true);
  });

  it('twice ends tokens of the first one within five minutes', async () => {
    const environment = createEnvironment();
    expect(await environment.accepts(secret)).toBe(true);
    environment.rotateTo(next);
    environment.rotateTo(afterNext);
    environment.pass(299);
    expect(await environment.accepts(secret)).toBe(true);
    environment.pass(1);
    expect(await environment.accepts(secret)).toBe(false);
    expect(await environment.accepts(next)).toBe(true);
    expect(await environment.accepts(afterNext)).toBe(true);
  });
});

describe('tokens that no secret signed', () => {
  it('cause one look for a rotation in 30 s', async () => {
    const environment = createEnvironment();
    for (let n = 0; n < 100; n += 1) expect(await environment.accepts(`${n} ${secret}`)).toBe(false);
    expect(environment.reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPREVIOUS']);

    environment.rotateTo(next);
    environment.pass(29);
    expect(await environment.accepts(next)).toBe(false);
    environment.pass(1);
    expect(await environment.accepts(next)).toBe(true);
    expect(environment.reads).toHaveLength(5);
  });

  it('are refused for their time without a look, if a known secret signed them', async () => {
    const reads: string[] = [];
    const verify = createVerifier(
      {},
      {
        readSecret(_arn, version) {
          reads.push(version);
          return Promise.resolve(secret);
        },
      },
    );
    expect(await verify(await sign({ sub: '42', exp: 1 }))).toMatchObject({ ok: false });
    expect(reads).toEqual(['AWSCURRENT']);
  });
});

describe('a secret that cannot be read', () => {
  it('is a fault, not a refusal, and the next token reads it again', async () => {
    const fault = new Error('no network');
    let faults = 1;
    const verify = createVerifier(
      {},
      { readSecret: () => ((faults -= 1) >= 0 ? Promise.reject(fault) : Promise.resolve(secret)) },
    );
    await expect(verify(await sign(payload))).rejects.toBe(fault);
    expect(await verify(await sign(payload))).toMatchObject({ ok: true });
  });

  it('and has no text is a fault too', async () => {
    const verify = createVerifier({}, { readSecret: () => Promise.resolve(undefined) });
    await expect(verify(await sign(payload))).rejects.toThrow('The token secret holds no text.');
  });
});
