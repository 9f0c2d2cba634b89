import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { TokenSettings } from '../../lambdas/environment.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { SettingsError, type Settings } from '../settings/settings.ts';
import { deployedBytes } from '../targets/targets-variable.ts';
import { TokenSecret } from './token-secret.ts';

export interface TokensProps {
  readonly removalPolicy: RemovalPolicy;
  /** Verifies tokens in place of the issuers. */
  readonly verifyToken: IFunction | undefined;
}

/** A function's variables are at most 4 KB together (Lambda quotas). Targets may take 2 KB of them. */
const maxBytes = 1024;

/** How tokens are verified: the secret, if one is needed, and what functions read and may call. */
export class Tokens {
  /** `undefined`: no token is verified by a secret. */
  readonly secretArn: string | undefined;
  /** The variable `TOKENS` of functions that verify tokens. */
  readonly variable: string;
  private readonly secret: TokenSecret | undefined;
  private readonly verifyToken: IFunction | undefined;

  constructor(scope: Construct, settings: Settings, { removalPolicy, verifyToken }: TokensProps) {
    const issuers = verifyToken ? [] : settings.tokenIssuer;
    this.secret = issuers.includes('secret')
      ? new TokenSecret(scope, 'TokenSecret', { removalPolicy })
      : undefined;
    this.secretArn = this.secret?.secretArn;
    this.verifyToken = verifyToken;
    const variable = JSON.stringify({
      parameter: settings.tokenParameter,
      secret: this.secretArn,
      keySets: issuers.filter((issuer) => issuer !== 'secret'),
      verifier: verifyToken?.functionArn,
      names: settings.tokenClaims,
      claims: settings.claims,
      textContentFor: settings.textContentFor,
      maxLifetimeSeconds: settings.maxTokenLifetimeSeconds,
      requireTenant: settings.requireTenant,
    } satisfies TokenSettings);
    const bytes = deployedBytes(variable);
    if (bytes > maxBytes) {
      throw new SettingsError(
        `The settings of tokens take up to ${bytes} bytes of a function's environment; at most ${maxBytes} fit. ` +
          'Name fewer issuers, algorithms or claims, or shorter ones.',
      );
    }
    this.variable = variable;
  }

  /** Lets a function verify tokens. */
  grantVerify(fn: SwitchboardFunction): void {
    this.secret?.grantVerify(fn);
    // grantInvoke() would add `:*`, which allows every version and alias.
    if (this.verifyToken) fn.allow(['lambda:InvokeFunction'], [this.verifyToken.functionArn]);
  }
}
