import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/** Whether the write's condition held. Any other failure is thrown. */
export async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) return false;
    throw cause;
  }
}
