import { Tokenization } from 'aws-cdk-lib';
import { SettingsError } from '../settings/settings.ts';

/**
 * A function's variables are at most 4 KB together (Lambda quotas). The other half is for the other variables of the
 * function, and for those of its listeners.
 */
const maxBytes = 2048;

/** The ARN of a resource of the stack is known after the deployment. It is about as long as this at most. */
const arnLength = 140;

/** Targets as the text of a variable. Throws if they may take too much of the function's environment. */
export function targetsVariable(targets: readonly object[]): string {
  const text = JSON.stringify(targets);
  const bytes = deployedBytes(text);
  if (bytes <= maxBytes) return text;
  throw new SettingsError(
    `${targets.length} targets take up to ${bytes} bytes of a function's environment; at most ${maxBytes} fit. ` +
      'Let one target take several types: order-* matches all that begin with order-.',
  );
}

/** How many bytes a variable takes after the deployment at most. Lambda measures JSON, in which a quote takes two. */
export function deployedBytes(text: string): number {
  const longest = Tokenization.reverseString(text).mapTokens({ mapToken: () => 'x'.repeat(arnLength) });
  return Buffer.byteLength(
    JSON.stringify(String(longest.join({ join: (left, right) => `${left}${right}` }))),
  );
}
