import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FunctionName, readEnvironment, readRegion, variables } from '../../lambdas/environment.ts';

const names = Object.keys(variables) as FunctionName[];

afterEach(() => vi.unstubAllEnvs());

describe.each(names)('the environment of %s', (functionName) => {
  it('is read whole, an empty value being a value', () => {
    for (const variable of variables[functionName]) vi.stubEnv(variable, '');
    expect(Object.keys(readEnvironment(functionName))).toEqual([...variables[functionName]]);
  });

  it.each([...variables[functionName]])('without %s fails by its name', (missing) => {
    for (const variable of variables[functionName]) vi.stubEnv(variable, 'set');
    vi.stubEnv(missing, undefined);
    expect(() => readEnvironment(functionName)).toThrow(missing);
  });
});

describe('the Region', () => {
  it('is what Lambda sets, and missed by name', () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    expect(readRegion()).toBe('eu-west-1');
    vi.stubEnv('AWS_REGION', undefined);
    expect(readRegion).toThrow('AWS_REGION');
  });
});
