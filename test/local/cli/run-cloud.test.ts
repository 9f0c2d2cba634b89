import { describe, expect, it } from 'vitest';
import { readFlags } from '../../../cli/command-line.ts';
import { cloudFlags, readCloudFlags } from '../../../local/cli/cloud-flags.ts';
import { describeStacks } from '../../../local/cli/run-cloud.ts';
import { loadDeployment } from '../../../local/template/template.ts';
import { writeAssembly } from '../harness/assembly.ts';

const read = (...args: string[]) => readCloudFlags(readFlags('', cloudFlags, args));

describe('the flags', () => {
  it('choose stacks, and give parameters their values', () => {
    const flags = read('--stack', 'A', '--stack', 'B', '--parameter', 'Name=a=b', '--strict');
    expect(flags).toMatchObject({ stacks: ['A', 'B'], parameters: { Name: 'a=b' }, strict: true });
  });

  it('may be left out', () => {
    expect(read()).toMatchObject({ stacks: [], parameters: {}, strict: false, allowOrigins: [] });
  });

  it('allow origins, one by one or as a list', () => {
    const flags = read(
      '--allow-origin',
      'https://a.example',
      '--allow-origin',
      'http://b.example:1, https://c.example',
    );
    expect(flags.allowOrigins).toEqual(['https://a.example', 'http://b.example:1', 'https://c.example']);
  });

  it('refuse an origin that no browser sends', () => {
    expect(() => read('--allow-origin', 'a.example')).toThrow(
      '--allow-origin must be an origin such as https://app.example.com, got "a.example".',
    );
  });

  it.each(['Name', '=value'])('refuse a parameter without a name or a value: %s', (text) => {
    expect(() => read('--parameter', text)).toThrow(`--parameter must be NAME=VALUE, got "${text}".`);
  });
});

describe('the start', () => {
  const describeAll = (template: object) =>
    describeStacks({ deployment: loadDeployment(writeAssembly(template), 'http://127.0.0.1:8080') });
  const Outputs = { Url: { Value: 'here' } };

  it('prints the outputs, and in one line what does not run', () => {
    const Resources = {
      A: { Type: 'AWS::Cognito::UserPool' },
      B: { Type: 'AWS::SNS::Topic' },
      C: { Type: 'AWS::SNS::Topic' },
    };
    expect(describeAll({ Resources, Outputs })).toEqual([
      '  Url                  here',
      '',
      'Not run here (calls to them fail): AWS::Cognito::UserPool ×1, AWS::SNS::Topic ×2',
    ]);
  });

  it('prints no such line if everything runs', () => {
    expect(describeAll({ Outputs })).toEqual(['  Url                  here']);
  });
});
