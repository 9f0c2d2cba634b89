/** The element of the page with this id. Throws if the page has none of this class. */
export function find<Found extends Element>(id: string, type: new () => Found): Found {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} with the id ${id}.`);
}

interface Properties {
  readonly class?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly onClick?: () => void;
}

/** Makes an element. Its text is never read as HTML. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  { class: className = '', text, attributes = {}, onClick }: Properties = {},
  ...children: readonly (Node | undefined)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (onClick) made.addEventListener('click', onClick);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** A button that does something else than to submit its form. */
export function button(label: string, onClick: () => void, className = 'quiet'): HTMLButtonElement {
  return make('button', { class: className, text: label, attributes: { type: 'button' }, onClick });
}

/** Makes these the children, and touches only those that differ: what has the focus keeps it. */
export function showChildren(parent: Element, wanted: readonly Element[]): void {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((child, index) => {
    const at = parent.children[index];
    if (at !== child) parent.insertBefore(child, at ?? null);
  });
}

/** Elements that are made again only when what they show has changed. */
export function createShelf<Shown extends Element>() {
  let shelf = new Map<string, { readonly state: string; readonly shown: Shown }>();
  let next = new Map<string, { readonly state: string; readonly shown: Shown }>();
  return {
    take(key: string, state: string, build: () => Shown): Shown {
      const old = shelf.get(key);
      const entry = old?.state === state ? old : { state, shown: build() };
      next.set(key, entry);
      return entry.shown;
    },
    /** Forgets what was not taken since the last call. */
    turn(): void {
      shelf = next;
      next = new Map();
    },
  };
}
