import { Validations, type RemovalPolicy } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';

export interface TokenSecretProps {
  readonly removalPolicy: RemovalPolicy;
}

/** The secret that user tokens are signed with: 64 letters and digits, made by Secrets Manager. */
export class TokenSecret extends Construct {
  readonly secretArn: string;
  private readonly secret: Secret;

  constructor(scope: Construct, id: string, props: TokenSecretProps) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      description: 'Signs the tokens that users of Switchboard connect with (HS256, HS384, HS512).',
      // RFC 7518, 3.2 asks for a key as long as the hash. HS512 has 64 bytes.
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: props.removalPolicy,
    });
    this.secretArn = this.secret.secretArn;

    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Your backend has a copy of this secret. A scheduled rotation would make its tokens invalid.',
    });
  }

  /** Reads the secret, to verify tokens. */
  grantVerify(fn: SwitchboardFunction): void {
    fn.allow(['secretsmanager:GetSecretValue'], [this.secretArn]);
  }
}
