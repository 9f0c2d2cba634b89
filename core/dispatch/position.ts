import * as z from 'zod/mini';
import { type Position, Refusal } from '../../protocol/index.ts';

/** The fields by which a client gives its position in a log. */
export const positionFields = {
  epoch: z.optional(z.string()),
  offset: z.optional(z.int().check(z.gte(0))),
};

interface PositionFields {
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
}

/** The position that both fields give together; `undefined` if both are absent. Throws a `bad_content` for one alone. */
export function positionOf({ epoch, offset }: PositionFields, field: string): Position | undefined {
  if (epoch === '') return { epoch, offset: 0 };
  if (epoch !== undefined && offset !== undefined) return { epoch, offset };
  if (epoch === undefined && offset === undefined) return undefined;
  const [missing, given] = epoch === undefined ? ['epoch', 'offset'] : ['offset', 'epoch'];
  throw Refusal.at('bad_content', `${field}.${missing}`, `is required with ${given}`);
}
