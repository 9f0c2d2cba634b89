/** One version of a secret. A version without a staging label is out of use. */
export interface SecretVersion {
  readonly id: string;
  readonly text: string;
  readonly stages: readonly string[];
}

/**
 * The versions of one secret, and the staging labels that tell which is in use.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
 */
export class SecretVersions {
  readonly #texts = new Map<string, string>();
  /** A label is on one version at a time. */
  readonly #versionOf = new Map<string, string>();

  constructor(id: string, text: string) {
    this.put(id, text, ['AWSCURRENT']);
  }

  /** The version with this id and this label, where they are given; `undefined` if there is none. */
  find(id: string | undefined, stage: string | undefined): SecretVersion | undefined {
    const labelled = this.#versionOf.get(stage ?? 'AWSCURRENT');
    const found = id ?? labelled;
    if (found === undefined || (stage !== undefined && found !== labelled)) return undefined;
    const text = this.#texts.get(found);
    return text === undefined ? undefined : { id: found, text, stages: this.#stagesOf(found) };
  }

  /** Adds a version, unless it is there; `undefined` if it is there with another text. */
  put(id: string, text: string, stages: readonly string[]): SecretVersion | undefined {
    const known = this.#texts.get(id);
    if (known === undefined) {
      this.#texts.set(id, text);
      for (const stage of stages) this.#move(stage, id);
    }
    return known === undefined || known === text ? { id, text, stages: this.#stagesOf(id) } : undefined;
  }

  /** The labels of each version that has any. */
  get stages(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#versionOf.values()].map((id) => [id, this.#stagesOf(id)]));
  }

  /**
   * "If this operation moves the staging label AWSCURRENT from another version to this version, then Secrets Manager also
   * automatically moves the staging label AWSPREVIOUS to the version that AWSCURRENT was removed from."
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
   */
  #move(stage: string, id: string): void {
    const before = this.#versionOf.get(stage);
    if (stage === 'AWSCURRENT' && before !== undefined) this.#versionOf.set('AWSPREVIOUS', before);
    this.#versionOf.set(stage, id);
  }

  #stagesOf(id: string): readonly string[] {
    return [...this.#versionOf].filter(([, version]) => version === id).map(([stage]) => stage);
  }
}
