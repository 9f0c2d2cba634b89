import type { FunctionName } from '../../lambdas/environment.ts';

/** The name of a function that a stack has once. Each `PublishOnChange` has a function `change` of its own. */
export type OneFunctionName = Exclude<FunctionName, 'change'>;

/** The name of every function. A name that the code lacks, or one too few, does not compile. */
const names = {
  authorize: true,
  tickets: true,
  connect: true,
  disconnect: true,
  message: true,
  publish: true,
  api: true,
  'fan-out': true,
  schedule: true,
  'close-sessions': true,
  lifecycle: true,
  presence: true,
} satisfies Record<OneFunctionName, true>;

export const functionNames = Object.keys(names) as OneFunctionName[];
