import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { asRecord } from '../../../local/json.ts';
import type { LambdaFunction, Outcome } from '../../../local/lambda/functions.ts';
import { lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';

const bundle = 'exports.handler = async (event) => ({ file: __filename, event });';
const esModule = 'export const handler = async () => ({ url: import.meta.url });';
const asset = (hash: string) => ({ properties: { Code: { S3Bucket: 'assets', S3Key: `${hash}.zip` } } });

const assembly = writeAssembly(
  {
    Resources: {
      ...lambdaWithRole('Bundle', '', asset('cjs')),
      ...lambdaWithRole('EsModule', '', asset('esm')),
      ...lambdaWithRole('Env', 'exports.handler = async () => process.env', {
        properties: { Environment: { Variables: { GREETING: 'hello', COUNT: 3 } }, MemorySize: 256 },
      }),
      ...lambdaWithRole(
        'Context',
        'exports.handler = async (_, c) => ({ ...c, left: c.getRemainingTimeInMillis() })',
      ),
      ...lambdaWithRole(
        'Faulty',
        'exports.handler = async ({ name, message }) => { throw Object.assign(new Error(message), { name }) }',
      ),
      ...lambdaWithRole('Nothing', 'exports.handler = async () => {}'),
      ...lambdaWithRole(
        'Slow',
        'let n = 0; exports.handler = async ({ hang }) => { n++; if (hang) await new Promise((r) => setTimeout(r, 60000)); return n }',
        {
          properties: { Timeout: 1 },
        },
      ),
      ...lambdaWithRole(
        'Exiting',
        'exports.handler = async ({ exit }) => { if (exit) process.exit(3); return "alive" }',
      ),
      ...lambdaWithRole(
        'Crashing',
        'exports.handler = () => new Promise(() => setImmediate(() => { throw new TypeError("late") }))',
      ),
      ...lambdaWithRole('Broken', 'throw new RangeError("at load")'),
      ...lambdaWithRole('Missing', 'exports.other = 1'),
      ...lambdaWithRole(
        'Printing',
        'exports.handler = async () => { console.log("said"); process.stdout.write("raw") }',
      ),
      ...lambdaWithRole(
        'Counter',
        'let busy = 0; let n = 0; exports.handler = async () => { busy++; n++; await new Promise((r) => setTimeout(r, 20)); return { busy: busy--, n } }',
      ),
      ...lambdaWithRole(
        'Reserved',
        'exports.handler = async () => new Promise((r) => setTimeout(r, 50, "done"))',
        {
          properties: { ReservedConcurrentExecutions: 1 },
        },
      ),
      ...lambdaWithRole(
        'Growing',
        'exports.handler = async () => { const all = []; for (;;) all.push(new Array(10000).fill(all.length)) }',
        { properties: { Timeout: 30 } },
      ),
      ...lambdaWithRole('Huge', 'exports.handler = async ({ bytes }) => "x".repeat(bytes)'),
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: { 'Fn::GetAtt': ['Bundle', 'Arn'] },
          Principal: 'apigateway.amazonaws.com',
          SourceArn: 'arn:aws:execute-api:us-east-1:000000000000:abc/*$connect',
        },
      },
    },
  },
  { cjs: { 'index.js': bundle }, esm: { 'index.mjs': esModule } },
);
const platform = await startPlatform(assembly);

function lambda(id: string): LambdaFunction {
  const found = platform.functions.byName(platform.deployment.physicalId(id));
  if (found === undefined) throw new Error(`There is no function ${id}.`);
  return found;
}

async function payloadOf(id: string, event: unknown = {}): Promise<unknown> {
  const outcome = await lambda(id).invoke(event);
  return outcome.status === 'ok' ? outcome.payload : outcome;
}

describe('the code of a function', () => {
  it('runs as CommonJS from a private folder that is deleted with the cloud', async () => {
    const other = await startPlatform(assembly);
    const outcome = await other.functions
      .byArn(other.deployment.attribute('Bundle', 'Arn'))
      ?.invoke({ a: 1 });
    const { file, event } = asRecord(asRecord(outcome).payload);
    expect(event).toEqual({ a: 1 });
    expect(existsSync(String(file))).toBe(true);
    await other.close();
    expect(existsSync(String(file))).toBe(false);
  });

  it('may be an ES module', async () => {
    expect(await payloadOf('EsModule')).toEqual({ url: expect.stringMatching(/index\.mjs$/) as string });
  });

  it('gets events and returns results as JSON', async () => {
    const event = { date: new Date(0), nothing: undefined, list: [undefined] };
    expect(await payloadOf('Bundle', event)).toMatchObject({
      event: { date: '1970-01-01T00:00:00.000Z', list: [null] },
    });
    expect(await payloadOf('Nothing')).toBeNull();
  });

  it('fails with the message of Lambda if its handler or a module is missing', async () => {
    expect(await payloadOf('Missing')).toEqual({
      status: 'error',
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: 'index.handler is undefined or not exported',
    });
    expect(await payloadOf('Broken')).toMatchObject({ errorType: 'RangeError', errorMessage: 'at load' });
  });
});

describe('the environment of a function', () => {
  it('has its own variables, those of Lambda, the address of this cloud, and none of this process', async () => {
    const variables = asRecord(await payloadOf('Env'));
    expect(variables).toMatchObject({
      GREETING: 'hello',
      COUNT: '3',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: lambda('Env').name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_ENDPOINT_URL: platform.client.endpoint,
      _HANDLER: 'index.handler',
    });
    expect(variables.AWS_SESSION_TOKEN).toBeTypeOf('string');
    expect(platform.keys.principalOf(String(variables.AWS_ACCESS_KEY_ID))?.name).toBe(lambda('Env').name);
    expect(Object.keys(variables).filter((name) => /^(PATH|HOME|VITEST|NODE_|npm_)/.test(name))).toEqual([]);
  });

  it('cannot have variables with names that Lambda reserves', async () => {
    const properties = { Environment: { Variables: { AWS_REGION: 'eu-west-1' } } };
    const starting = startPlatform(writeAssembly({ Resources: lambdaWithRole('Odd', '', { properties }) }));
    await expect(starting).rejects.toThrow('Odd: the variable AWS_REGION is reserved by Lambda.');
  });

  it('cannot have variables of more than 4 KB together, names and JSON included', async () => {
    // {"BIG":"…"}
    const big = (bytes: number) => ({ Environment: { Variables: { BIG: 'x'.repeat(bytes - 10) } } });
    const start = (bytes: number) =>
      startPlatform(writeAssembly({ Resources: lambdaWithRole('Big', '', { properties: big(bytes) }) }));
    await expect(start(4097)).rejects.toThrow('Big: its variables take 4097 bytes; Lambda allows 4096.');
    await (await start(4096)).close();
  });

  it('gives the handler the context of the invocation', async () => {
    const context = asRecord(await payloadOf('Context'));
    expect(context).toMatchObject({
      functionName: lambda('Context').name,
      functionVersion: '$LATEST',
      invokedFunctionArn: lambda('Context').arn,
      memoryLimitInMB: '128',
      logGroupName: `/aws/lambda/${lambda('Context').name}`,
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    // Without a Timeout a function has three seconds.
    expect(Number(context.left)).toBeLessThanOrEqual(3000);
    expect(Number(context.left)).toBeGreaterThan(2000);
  });

  it('passes on the output of the function, before its answer', async () => {
    await payloadOf('Printing');
    expect(platform.output.join('')).toContain('said\nraw');
  });
});

describe('a fault', () => {
  it('has the name and message of the exception', async () => {
    expect(await payloadOf('Faulty', { name: 'Unauthorized', message: 'no token' })).toEqual({
      status: 'error',
      errorType: 'Unauthorized',
      errorMessage: 'no token',
    });
  });

  it('outside of any promise ends the environment, but not the cloud', async () => {
    expect(await payloadOf('Crashing')).toMatchObject({ errorType: 'TypeError', errorMessage: 'late' });
    expect(platform.output.join('\n')).toMatch(/^Uncaught TypeError: late\n\s+at .*index\.js/m);
    expect(await payloadOf('Crashing')).toMatchObject({ errorType: 'TypeError' });
  });

  it('by process.exit is an error, and the next event finds a new environment', async () => {
    expect(await payloadOf('Exiting', { exit: true })).toEqual({
      status: 'error',
      errorType: 'Runtime.ExitError',
      errorMessage: 'Error: Runtime exited with error: exit status 3',
    });
    expect(await payloadOf('Exiting')).toBe('alive');
  });

  it('by a timeout ends the environment', async () => {
    expect(await payloadOf('Slow')).toBe(1);
    expect(await payloadOf('Slow', { hang: true })).toEqual({
      status: 'error',
      errorType: 'Sandbox.Timedout',
      errorMessage: 'Task timed out after 1.00 seconds',
    });
    expect(await payloadOf('Slow')).toBe(1);
  });

  it('by using more memory than the function has ends the environment', async () => {
    expect(await payloadOf('Growing')).toMatchObject({ errorType: 'Runtime.OutOfMemory' });
  });

  it('by answering more than 6 MB has an error type of its own', async () => {
    expect(await payloadOf('Huge', { bytes: 10 })).toBe('xxxxxxxxxx');
    expect(await payloadOf('Huge', { bytes: 6 * 1024 * 1024 })).toMatchObject({
      errorType: 'Function.ResponseSizeTooLarge',
    });
  });
});

describe('concurrency', () => {
  it('is one event at a time in an environment, and at most eight environments', async () => {
    const results = await Promise.all(Array.from({ length: 30 }, () => payloadOf('Counter')));
    const busy = results.map((result) => asRecord(result).busy);
    expect(new Set(busy)).toEqual(new Set([1]));
    const counts = platform.meter.snapshot();
    expect(counts['lambda.Counter.coldStarts']).toBe(8);
    expect(counts['lambda.Counter.invocations']).toBe(30);
    expect(counts['lambda.gbSeconds']).toBeGreaterThan(0);
  });

  it('uses a warm environment again', async () => {
    await payloadOf('Nothing');
    await payloadOf('Nothing');
    expect(platform.meter.snapshot()['lambda.Nothing.coldStarts']).toBe(1);
  });

  it('above the reserved concurrency is throttled', async () => {
    const outcomes: Outcome[] = await Promise.all([
      lambda('Reserved').invoke({}),
      lambda('Reserved').invoke({}),
    ]);
    expect(outcomes).toEqual([{ status: 'ok', payload: 'done' }, { status: 'throttled' }]);
  });
});

describe('a resource policy', () => {
  it('allows a service only for matching sources', () => {
    const permits = (service: string, source: string) =>
      lambda('Bundle').permits(
        `${service}.amazonaws.com`,
        `arn:aws:execute-api:us-east-1:000000000000:${source}`,
      );
    expect(permits('apigateway', 'abc/live/$connect')).toBe(true);
    expect(permits('apigateway', 'abc/live/$default')).toBe(false);
    expect(permits('apigateway', 'xyz/live/$connect')).toBe(false);
    expect(permits('sns', 'abc/live/$connect')).toBe(false);
    expect(
      lambda('Env').permits(
        'apigateway.amazonaws.com',
        'arn:aws:execute-api:us-east-1:000000000000:abc/live/$connect',
      ),
    ).toBe(false);
  });
});
