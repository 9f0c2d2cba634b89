import { CfnElement, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  HttpMethods,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Switchboard } from 'switchboard';

export interface PicturesProps {
  readonly realtime: Switchboard;
  /** The origins of the pages that upload. @default - any: the signature of an upload is what protects the bucket */
  readonly allowedOrigins?: readonly string[];
  /** How long a picture is kept. Messages are kept for 7 days. @default 30 days */
  readonly keepFor?: Duration;
}

/** The private bucket of the pictures. The listeners in `listeners.ts` run in the function of the construct `Switchboard`. */
export class Pictures extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { realtime, allowedOrigins = ['*'], keepFor }: PicturesProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      encryption: BucketEncryption.S3_MANAGED,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {
          prefix: 'pictures/',
          expiration: keepFor ?? Duration.days(30),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      cors: [
        {
          allowedOrigins: [...allowedOrigins],
          allowedMethods: [HttpMethods.PUT, HttpMethods.GET],
          allowedHeaders: ['content-type', 'if-none-match', 'x-amz-checksum-sha256', 'x-amz-meta-*'],
          maxAge: 3600,
        },
      ],
    });
    // A URL may do what the function that signed it may do. So the function may do no more than this.
    const access = new Policy(this, 'Access', {
      statements: [
        new PolicyStatement({
          actions: ['s3:PutObject', 's3:GetObject'],
          resources: [this.bucket.arnForObjects('pictures/*')],
        }),
      ],
    });
    if (realtime.listenerFunction.role) access.attachToRole(realtime.listenerFunction.role);
    Validations.of(access).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${this.logicalId()}.Arn>/pictures/*]`,
      reason: 'The keys of pictures are made at run time, under one prefix.',
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'Access logs need a second bucket. Who wants them has one, and names it here.',
    });
    realtime.listenerFunction.addEnvironment('PICTURES_BUCKET', this.bucket.bucketName);
  }

  private logicalId(): string {
    const { defaultChild } = this.bucket.node;
    return CfnElement.isCfnElement(defaultChild) ? Stack.of(this).getLogicalId(defaultChild) : '';
  }
}
