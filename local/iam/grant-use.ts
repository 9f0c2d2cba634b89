import { type EvaluatedCall, matchesPattern, type Principal } from './authorize.ts';
import type { PatternSet, Statement } from './policy.ts';
import { principalOfFunction } from './roles.ts';
import type { Deployment } from '../template/template.ts';

/** One action on one resource, each as the policy of the role writes it, and how many calls it has allowed. */
export interface Grant {
  /** The logical id of the function. */
  readonly function: string;
  readonly action: string;
  readonly resource: string;
  readonly calls: number;
}

/** A call of a function that its role does not allow. */
export interface DeniedCall {
  readonly function: string;
  readonly action: string;
  readonly resource: string;
}

/** Which grants of the functions were used, from the start of the cloud. */
export interface GrantUse {
  /** Every grant of the functions of a deployment, the unused ones too. */
  grants(deployment: Deployment): readonly Grant[];
  denied(): readonly DeniedCall[];
  /** The principal of a function, whose calls are counted. */
  observed(logicalId: string, principal: Principal): Principal;
}

export function createGrantUse(): GrantUse {
  const calls = new Map<string, number>();
  const denied = new Map<string, DeniedCall>();

  function note(logicalId: string, { action, resource, statements, allowed }: EvaluatedCall): void {
    if (!allowed) {
      denied.set(keyOf(logicalId, action, resource), { function: logicalId, action, resource });
      return;
    }
    for (const grant of statements.flatMap(grantsOf)) {
      if (!covers(grant.action.toLowerCase(), action.toLowerCase()) || !covers(grant.resource, resource))
        continue;
      const key = keyOf(logicalId, grant.action, grant.resource);
      calls.set(key, (calls.get(key) ?? 0) + 1);
    }
  }

  return {
    grants(deployment) {
      const found = new Map<string, Grant>();
      for (const lambda of deployment.ofType('AWS::Lambda::Function')) {
        const { logicalId } = lambda;
        for (const grant of principalOfFunction(deployment, lambda).statements.flatMap(grantsOf)) {
          const key = keyOf(logicalId, grant.action, grant.resource);
          found.set(key, { function: logicalId, ...grant, calls: calls.get(key) ?? 0 });
        }
      }
      return [...found.values()];
    },
    denied: () => [...denied.values()],
    observed: (logicalId, principal) => ({
      ...principal,
      observe: (call) => {
        note(logicalId, call);
      },
    }),
  };
}

/** A statement that allows everything but some actions or resources is one grant, with the mark of the exception. */
function grantsOf({ effect, actions, resources }: Statement): readonly Pick<Grant, 'action' | 'resource'>[] {
  if (effect === 'Deny') return [];
  return textsOf(actions).flatMap((action) => textsOf(resources).map((resource) => ({ action, resource })));
}

const exception = 'all but ';

function textsOf({ patterns, except }: PatternSet): readonly string[] {
  return except ? [exception + patterns.join(', ')] : patterns;
}

/** Statements reach this only if they match the call as a whole, so an exception covers it. */
function covers(pattern: string, text: string): boolean {
  return pattern.startsWith(exception) || matchesPattern(pattern, text);
}

function keyOf(...parts: readonly string[]): string {
  return parts.join(' ');
}
