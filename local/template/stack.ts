import { asRecord, asText, type JsonRecord, toText } from '../json.ts';
import type { AssemblyStack } from './assembly.ts';
import { evaluateCondition, noValue, resolve, type Scope } from './intrinsics.ts';
import { type ResourceContext, type ResourceType, resourceType, runsHere } from './resource-types.ts';
import { TemplateError } from './template-error.ts';

/** What a template needs to know of the cloud around it. */
export interface StackSurroundings {
  readonly region: string;
  readonly accountId: string;
  readonly endpoint: string;
  /** The values that the user gave for the template's parameters. */
  readonly parameters: ReadonlyMap<string, string>;
  importValue(name: string): unknown;
  /** The value of an SSM parameter of the stacks that run. */
  ssmParameter(name: string): string;
}

/** One template, whose references are resolved when they are asked for. */
export class TemplateStack {
  readonly name: string;
  readonly names: readonly string[];
  readonly #template: JsonRecord;
  readonly #surroundings: StackSurroundings;
  readonly #scope: Scope;
  readonly #pseudo: JsonRecord;

  constructor({ stackName, names, template }: AssemblyStack, surroundings: StackSurroundings) {
    this.name = stackName;
    this.names = names;
    this.#template = template;
    this.#surroundings = surroundings;
    this.#pseudo = pseudoParameters(stackName, surroundings);
    this.#scope = {
      ref: (name) => {
        if (Object.hasOwn(this.#pseudo, name)) return this.#pseudo[name];
        return this.#hasParameter(name) ? this.#parameterValue(name) : this.physicalId(name);
      },
      attribute: (logicalId, name) => this.attribute(logicalId, name),
      condition: (name) => this.#condition(name),
      mapping: (map, key, name) => asRecord(asRecord(asRecord(template.Mappings)[map])[key])[name],
      importValue: (name) => surroundings.importValue(name),
    };
  }

  get parameterNames(): readonly string[] {
    return Object.keys(asRecord(this.#template.Parameters));
  }

  /** The logical ids of the resources whose conditions are true, with their types. */
  resourceTypes(): ReadonlyMap<string, string> {
    const declared = Object.entries(asRecord(this.#template.Resources)).filter(([, body]) =>
      this.#exists(body),
    );
    return new Map(declared.map(([logicalId, body]) => [logicalId, asText(asRecord(body).Type) ?? '(none)']));
  }

  /** The resolved properties of a resource. Those of an inert one are not read: nothing here would use them. */
  properties(logicalId: string): JsonRecord {
    const body = asRecord(asRecord(this.#template.Resources)[logicalId]);
    if (!runsHere(asText(body.Type) ?? '')) return {};
    return asRecord(resolve(body.Properties ?? {}, this.#scope));
  }

  property(logicalId: string, name: string): unknown {
    return this.#contextOf(logicalId).property(name);
  }

  outputNames(): readonly string[] {
    return Object.entries(asRecord(this.#template.Outputs))
      .filter(([, body]) => this.#exists(body))
      .map(([name]) => name);
  }

  output(name: string): unknown {
    return resolve(asRecord(asRecord(this.#template.Outputs)[name]).Value, this.#scope);
  }

  /** The output with this export name; `undefined` if this stack exports none. */
  outputExportedAs(exportName: string): string | undefined {
    return this.outputNames().find((name) => {
      const { Export } = asRecord(asRecord(this.#template.Outputs)[name]);
      return Export !== undefined && resolve(asRecord(Export).Name, this.#scope) === exportName;
    });
  }

  physicalId(logicalId: string): string {
    return this.#typeOf(logicalId).ref(this.#contextOf(logicalId));
  }

  attribute(logicalId: string, name: string): string {
    const type = this.#typeName(logicalId);
    const read = this.#typeOf(logicalId).attribute(name);
    if (read === undefined) throw new TemplateError(`${logicalId} (${type}) has no attribute ${name} here.`);
    return read(this.#contextOf(logicalId));
  }

  #exists(body: unknown): boolean {
    const { Condition } = asRecord(body);
    return Condition === undefined || this.#condition(asText(Condition) ?? '');
  }

  #condition(name: string): boolean {
    const conditions = asRecord(this.#template.Conditions);
    if (!Object.hasOwn(conditions, name)) throw new TemplateError(`There is no condition ${name}.`);
    return evaluateCondition(conditions[name], this.#scope);
  }

  #hasParameter(name: string): boolean {
    return Object.hasOwn(asRecord(this.#template.Parameters), name);
  }

  #parameterValue(name: string): unknown {
    const { Default, Type } = asRecord(asRecord(this.#template.Parameters)[name]);
    const given = this.#surroundings.parameters.get(name) ?? Default;
    if (given === undefined) {
      throw new TemplateError(`The parameter ${name} has no default: give --parameter ${name}=VALUE.`);
    }
    const type = asText(Type) ?? 'String';
    const isStored = type.startsWith('AWS::SSM::Parameter::Value<');
    const value = isStored ? this.#surroundings.ssmParameter(toText(given)) : given;
    return /^(?:CommaDelimitedList|List<)/.test(type.replace('AWS::SSM::Parameter::Value<', ''))
      ? toText(value).split(',')
      : value;
  }

  #typeOf(logicalId: string): ResourceType {
    return resourceType(this.#typeName(logicalId));
  }

  #typeName(logicalId: string): string {
    const body = asRecord(this.#template.Resources)[logicalId];
    if (body === undefined || !this.#exists(body)) {
      throw new TemplateError(`There is no resource or parameter ${logicalId}.`);
    }
    return asText(asRecord(body).Type) ?? '(none)';
  }

  #contextOf(logicalId: string): ResourceContext {
    const { Type, Properties } = asRecord(asRecord(this.#template.Resources)[logicalId]);
    const { region, accountId, endpoint } = this.#surroundings;
    return {
      logicalId,
      type: asText(Type) ?? '',
      stackName: this.name,
      region,
      accountId,
      endpoint,
      property: (name) => {
        const value = resolve(asRecord(Properties)[name], this.#scope);
        return value === noValue ? undefined : value;
      },
    };
  }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
function pseudoParameters(stackName: string, { region, accountId }: StackSurroundings): JsonRecord {
  return {
    'AWS::AccountId': accountId,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/${stackName}`,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': noValue,
  };
}
