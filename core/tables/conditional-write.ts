import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/** The answer of the write. `undefined`: its condition did not hold. Any other failure is thrown. */
export async function answerIfHeld<Answer>(write: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await write;
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) return undefined;
    throw cause;
  }
}

/** Whether the write's condition held. Any other failure is thrown. */
export async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  return (await answerIfHeld(write.then(() => true))) === true;
}
