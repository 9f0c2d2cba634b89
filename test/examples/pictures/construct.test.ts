import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, expect, it } from 'vitest';
import { Pictures } from '../../../examples/pictures/pictures.ts';
import { SwitchboardStack } from '../../../lib/switchboard-stack.ts';
import { createCheckedApp, violations } from '../../infrastructure/checks.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-pictures-'));
afterAll(() => rmSync(folder, { recursive: true }));

function create(name: string) {
  const app = createCheckedApp(join(folder, name));
  const stack = new SwitchboardStack(app, 'Switchboard', {});
  new Pictures(stack, 'Pictures', { realtime: stack.switchboard });
  return { app, stack };
}

it('the bucket is private, encrypted and emptied by age', () => {
  const template = Template.fromStack(create('bucket').stack);
  template.hasResourceProperties('AWS::S3::Bucket', {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    },
    LifecycleConfiguration: {
      Rules: [
        {
          Status: 'Enabled',
          ExpirationInDays: 30,
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        },
      ],
    },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: {
      Statement: [
        { Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ],
    },
  });
});

it('the listeners may put and get pictures, and nothing else of S3', () => {
  const template = Template.fromStack(create('grants').stack);
  const actions = JSON.stringify(template.findResources('AWS::IAM::Policy')).match(/"s3:[^"]+"/g);
  expect(actions?.sort()).toEqual(['"s3:GetObject"', '"s3:PutObject"']);
});

it('passes the rules of AWS Solutions, except the findings that are acknowledged with a reason', () => {
  expect(violations(create('rules').app)).toEqual([]);
});
