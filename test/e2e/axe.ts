import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const script = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** The serious and critical violations of WCAG 2.2 AA on the page, each with its elements. */
export async function graveViolations(page: Page): Promise<readonly string[]> {
  // By the debugger, not as a script element: the page's policy allows scripts of its own address only.
  await page.evaluate(await readFile(script, 'utf8'));
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** By how many pixels the widest element is wider than the window, even where the page hides what is outside. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(
    'Math.max(0, ...[...document.querySelectorAll("*")].map((element) => element.getBoundingClientRect().right - innerWidth))',
  );
}
