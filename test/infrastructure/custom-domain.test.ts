import { DomainName, type IDomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import type { SwitchboardStackSettings } from '../../lib/switchboard-stack.ts';
import { Switchboard } from '../../lib/switchboard.ts';
import { createOwnStack, createStack, outputsOf, resourcesOf } from './stack-under-test.ts';

const certificateArn = 'arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000';
const webSocketDomain = { domainName: 'ws.example.com', certificateArn, mappingKey: 'chat' };
const httpDomain = { domainName: 'api.example.com', certificateArn };
const domains: SwitchboardStackSettings = { webSocketDomain, httpDomain };

describe('the custom domains of the app', () => {
  const stack = createStack(domains);

  it('are made with their certificates, and mapped to the stages', () => {
    expect(resourcesOf(stack, 'AWS::ApiGatewayV2::DomainName').map(({ properties }) => properties)).toEqual(
      ['ws.example.com', 'api.example.com'].map((DomainName) => ({
        DomainName,
        DomainNameConfigurations: [{ CertificateArn: certificateArn, EndpointType: 'REGIONAL' }],
      })),
    );
    expect(resourcesOf(stack, 'AWS::ApiGatewayV2::ApiMapping').map(({ properties }) => properties)).toEqual([
      {
        ApiId: '${WebSocketApi}',
        Stage: 'live',
        DomainName: '${WebSocketDomain}',
        ApiMappingKey: 'chat',
      },
      { ApiId: '${HttpApi}', Stage: '$default', DomainName: '${HttpDomain}' },
    ]);
  });

  it('are what the outputs show, with the names that DNS records point to', () => {
    expect(outputsOf(stack)).toMatchObject({
      WebSocketUrl: 'wss://${WebSocketDomain}/chat',
      PublishUrl: 'https://${HttpDomain}/publish',
      WebSocketDomainTarget: '${WebSocketDomain.RegionalDomainName}',
      HttpDomainTarget: '${HttpDomain.RegionalDomainName}',
    });
  });

  it('leave the default endpoints on, and functions send to that of the WebSocket API', () => {
    expect(endpointSwitches(stack)).toEqual([undefined, undefined]);
    expect(callbackEndpoints(stack)).toEqual([
      'https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live',
    ]);
  });

  it('are the only addresses if the default endpoints are off, for functions too', () => {
    const only = createStack({ ...domains, disableExecuteApiEndpoint: true });
    expect(endpointSwitches(only)).toEqual([true, true]);
    expect(callbackEndpoints(only)).toEqual(['https://${WebSocketDomain}/chat']);
  });

  it('give way to a callback endpoint of its own', () => {
    const callbackEndpoint = 'https://inside.example.com';
    const stackWithBoth = createStack({ ...domains, disableExecuteApiEndpoint: true, callbackEndpoint });
    expect(callbackEndpoints(stackWithBoth)).toEqual([callbackEndpoint]);
  });

  it('cannot be one domain for both APIs', () => {
    expect(() => createStack({ webSocketDomain, httpDomain: webSocketDomain })).toThrow(
      'Settings webSocketDomain and httpDomain name the same domain; API Gateway maps a WebSocket API and an HTTP API ' +
        'to different domains only, such as ws.example.com and api.example.com.',
    );
  });

  it.each([{}, { webSocketDomain }, { httpDomain }])(
    'are needed for both APIs if the default endpoints are off: %j',
    (some) => {
      expect(() => createStack({ ...some, disableExecuteApiEndpoint: true })).toThrow(
        'Setting disableExecuteApiEndpoint needs webSocketDomain and httpDomain; an API without either has no address.',
      );
    },
  );
});

describe('the custom domains of the construct', () => {
  it('are domains of CDK, made elsewhere', () => {
    const stack = createOwnStack();
    const { webSocketUrl, publishUrl } = new Switchboard(stack, 'Switchboard', {
      webSocketDomain: { domainName: existing(stack, 'ws.example.com') },
      httpDomain: { domainName: existing(stack, 'api.example.com'), mappingKey: 'chat' },
    });
    expect(webSocketUrl).toBe('wss://ws.example.com');
    expect(publishUrl).toBe('https://api.example.com/chat/publish');
    expect(resourcesOf(stack, 'AWS::ApiGatewayV2::ApiMapping').map(({ properties }) => properties)).toEqual([
      { ApiId: '${WebSocketApi}', Stage: 'live', DomainName: 'ws.example.com' },
      { ApiId: '${HttpApi}', Stage: '$default', DomainName: 'api.example.com', ApiMappingKey: 'chat' },
    ]);
  });

  it('cannot be one domain for both APIs, even with different mapping keys', () => {
    const stack = createOwnStack();
    const domainName = existing(stack, 'api.example.com');
    expect(
      () =>
        new Switchboard(stack, 'Switchboard', {
          webSocketDomain: { domainName, mappingKey: 'ws' },
          httpDomain: { domainName, mappingKey: 'http' },
        }),
    ).toThrow('Settings webSocketDomain and httpDomain name the same domain');
  });
});

function existing(stack: ReturnType<typeof createOwnStack>, name: string): IDomainName {
  const [regionalDomainName, regionalHostedZoneId] = ['d-0.execute-api.eu-west-1.amazonaws.com', 'Z0'];
  return DomainName.fromDomainNameAttributes(stack, name, { name, regionalDomainName, regionalHostedZoneId });
}

function endpointSwitches(stack: ReturnType<typeof createStack>): readonly unknown[] {
  return resourcesOf(stack, 'AWS::ApiGatewayV2::Api').map(
    ({ properties }) => properties['DisableExecuteApiEndpoint'],
  );
}

/** The different addresses that functions send to. */
function callbackEndpoints(stack: ReturnType<typeof createStack>): readonly unknown[] {
  const endpoints = resourcesOf(stack, 'AWS::Lambda::Function').map(
    ({ properties }) => z.parse(environment, properties['Environment']).Variables.CALLBACK_ENDPOINT,
  );
  return [...new Set(endpoints)].filter((endpoint) => endpoint !== undefined);
}

const environment = z.object({ Variables: z.object({ CALLBACK_ENDPOINT: z.optional(z.string()) }) });
