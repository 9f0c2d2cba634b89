import { describe, expect, it } from 'vitest';
import { api, load, valueOf } from './template-under-test.ts';

const http = { Http: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP' } } };

describe('addresses', () => {
  it('of the APIs point to this machine, and other URLs stay unchanged', () => {
    const host = (id: string) => [
      '',
      [{ Ref: id }, '.execute-api.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }],
    ];
    const join = (prefix: string, id: string, suffix: string) => ({
      'Fn::Join': ['', [prefix, { 'Fn::Join': host(id) }, suffix]],
    });
    const values = valueOf(
      [
        join('https://', 'Api', '/live'),
        join('wss://', 'Api', '/live'),
        { 'Fn::GetAtt': ['Http', 'ApiEndpoint'] },
        { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] },
        'https://other.execute-api.us-east-1.amazonaws.com/live',
      ],
      { Resources: { ...api, ...http } },
    );
    expect(values).toEqual([
      'http://127.0.0.1:8080/live',
      'ws://127.0.0.1:8080/live',
      'http://127.0.0.1:8080',
      'ws://127.0.0.1:8080',
      'https://other.execute-api.us-east-1.amazonaws.com/live',
    ]);
  });
});

describe('custom domains', () => {
  const mapping = (ApiId: string, Stage: string, DomainName: unknown, ApiMappingKey?: string) => ({
    Type: 'AWS::ApiGatewayV2::ApiMapping',
    Properties: { ApiId: { Ref: ApiId }, Stage, DomainName, ApiMappingKey },
  });
  const resources = {
    ...api,
    ...http,
    Domain: { Type: 'AWS::ApiGatewayV2::DomainName', Properties: { DomainName: 'ws.example.com' } },
    Root: mapping('Api', 'live', { Ref: 'Domain' }),
    Keyed: mapping('Api', 'next', { Ref: 'Domain' }, 'v1'),
    Services: mapping('Http', '$default', 'api.example.com', 'chat'),
  };

  it.each([
    ['wss://ws.example.com', 'ws://127.0.0.1:8080/live'],
    ['wss://ws.example.com?token=x', 'ws://127.0.0.1:8080/live?token=x'],
    ['https://ws.example.com/v1', 'http://127.0.0.1:8080/next'],
    ['https://ws.example.com/v10', 'http://127.0.0.1:8080/live/v10'],
    ['https://api.example.com/chat/publish', 'http://127.0.0.1:8080/publish'],
    ['https://api.example.com/other', 'https://api.example.com/other'],
    ['https://ws.example.com.au', 'https://ws.example.com.au'],
    ['https://app.example.com', 'https://app.example.com'],
  ])('%s is %s', (address, local) => {
    expect(valueOf(address, { Resources: resources })).toBe(local);
  });

  it('have the name of their record, in the form that AWS gives it', () => {
    const deployment = load({ Resources: resources });
    expect(deployment.physicalId('Domain')).toBe('ws.example.com');
    expect(deployment.attribute('Domain', 'RegionalDomainName')).toMatch(
      /^d-[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com$/,
    );
    expect(deployment.attribute('Domain', 'DomainNameArn')).toBe(
      'arn:aws:apigateway:us-east-1::/domainnames/ws.example.com',
    );
  });
});
