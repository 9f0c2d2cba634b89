import { asRecord, isRecord, type JsonRecord, toText } from '../json.ts';
import { TemplateError } from './template-error.ts';

/** The names that the intrinsic functions of one template refer to. */
export interface Scope {
  /** Parameters, pseudo parameters and resources. */
  ref(name: string): unknown;
  attribute(logicalId: string, attribute: string): unknown;
  condition(name: string): boolean;
  /** An entry of the template's `Mappings`. */
  mapping(map: string, key: string, name: string): unknown;
  /** The exported output of a stack. */
  importValue(name: string): unknown;
}

/** The value of `{"Ref": "AWS::NoValue"}`. A property with this value does not exist. */
export const noValue = Symbol('AWS::NoValue');

/**
 * Replaces every intrinsic function within a value.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((entry: unknown) => resolve(entry, scope)).filter((entry) => entry !== noValue);
  }
  if (!isRecord(value)) return value;
  const call = intrinsicCall(value);
  if (call !== undefined) return evaluate(call.name, call.argument, scope);
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, entry]) => [key, resolve(entry, scope)] as const)
      .filter(([, entry]) => entry !== noValue),
  );
}

/** Evaluates an entry of the template's `Conditions`. */
export function evaluateCondition(expression: unknown, scope: Scope): boolean {
  if (!isRecord(expression)) return resolve(expression, scope) === true;
  const [name, argument] = Object.entries(expression)[0] ?? ['', undefined];
  switch (name) {
    case 'Condition':
      return scope.condition(text(argument, 'Condition'));
    case 'Fn::Equals': {
      const [left, right] = list(argument, name, scope);
      return JSON.stringify(left) === JSON.stringify(right);
    }
    case 'Fn::Not':
      return !operands(argument, name).every((operand) => evaluateCondition(operand, scope));
    case 'Fn::And':
      return operands(argument, name).every((operand) => evaluateCondition(operand, scope));
    case 'Fn::Or':
      return operands(argument, name).some((operand) => evaluateCondition(operand, scope));
    default:
      throw new TemplateError(`The condition function ${name} is not supported.`);
  }
}

function intrinsicCall(value: JsonRecord): { readonly name: string; readonly argument: unknown } | undefined {
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [''];
  if (entries.length !== 1 || (name !== 'Ref' && !name.startsWith('Fn::'))) return undefined;
  return { name, argument };
}

function evaluate(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return scope.ref(text(argument, name));
    case 'Fn::GetAtt': {
      const path = typeof argument === 'string' ? argument.split('.') : list(argument, name, scope);
      const [logicalId, ...attribute] = path;
      return scope.attribute(text(logicalId, name), attribute.map((part) => text(part, name)).join('.'));
    }
    case 'Fn::Join': {
      const [delimiter, parts] = list(argument, name, scope);
      return list(parts, name, scope)
        .map((part) => text(part, name))
        .join(text(delimiter, name));
    }
    case 'Fn::Split': {
      const [delimiter, source] = list(argument, name, scope);
      return text(source, name).split(text(delimiter, name));
    }
    case 'Fn::Select': {
      const [index, source] = list(argument, name, scope);
      const chosen = list(source, name, scope)[Number(index)];
      if (chosen === undefined) throw new TemplateError(`Fn::Select has no element ${String(index)}.`);
      return chosen;
    }
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::FindInMap':
      return findInMap(argument, name, scope);
    case 'Fn::ImportValue':
      return scope.importValue(text(resolve(argument, scope), name));
    case 'Fn::Base64':
      return Buffer.from(text(resolve(argument, scope), name)).toString('base64');
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => text(scope.ref('AWS::Region'), name) + zone);
    case 'Fn::Cidr':
      return cidr(list(argument, name, scope).map((part) => text(part, name)));
    case 'Fn::If': {
      const [condition, whenTrue, whenFalse] = operands(argument, name);
      return resolve(scope.condition(text(condition, name)) ? whenTrue : whenFalse, scope);
    }
    default:
      throw new TemplateError(`The intrinsic function ${name} is not supported.`);
  }
}

/** The fourth operand holds the value for a missing entry: `{"DefaultValue": …}`. */
function findInMap(argument: unknown, name: string, scope: Scope): unknown {
  const [map, key, entry, options] = list(argument, name, scope);
  const path = [map, key, entry].map((part) => text(part, name));
  const [mapName = '', keyName = '', entryName = ''] = path;
  const found = scope.mapping(mapName, keyName, entryName) ?? asRecord(options).DefaultValue;
  if (found === undefined) throw new TemplateError(`Fn::FindInMap finds no ${path.join('.')}.`);
  return found;
}

/** Blocks of 2^bits addresses: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-cidr.html */
function cidr([block = '', count = '', bits = '8']: readonly string[]): readonly string[] {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/\d+$/.exec(block)?.slice(1).map(Number);
  if (parts === undefined) throw new TemplateError(`Fn::Cidr needs an IPv4 block, not ${toText(block)}.`);
  const start = parts.reduce((address, part) => address * 256 + part, 0);
  return Array.from({ length: Number(count) }, (_, at) => {
    const address = start + at * 2 ** Number(bits);
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
    return `${bytes.join('.')}/${String(32 - Number(bits))}`;
  });
}

/** `${Name}` is a Ref, `${Name.Attribute}` a GetAtt, `${!Literal}` stays as `${Literal}`. */
function substitute(argument: unknown, scope: Scope): string {
  const [template, variables] = Array.isArray(argument) ? (argument as unknown[]) : [argument];
  const own = isRecord(variables) ? variables : {};
  return text(template, 'Fn::Sub').replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (name in own) return text(resolve(own[name], scope), 'Fn::Sub');
    const [logicalId = '', ...attribute] = name.split('.');
    const value = attribute.length > 0 ? scope.attribute(logicalId, attribute.join('.')) : scope.ref(name);
    return text(value, 'Fn::Sub');
  });
}

function operands(argument: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(argument)) throw new TemplateError(`${name} needs a list, not ${toText(argument)}.`);
  return argument;
}

function list(argument: unknown, name: string, scope: Scope): readonly unknown[] {
  return operands(resolve(argument, scope), name);
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateError(`${name} needs text, not ${toText(value)}.`);
}
